/**
 * A machine as it stands at one moment, for people: TLBs, pgdirs, shadow and guest tables as
 * trees, the Switcher's mappings, reference counts. Each line has a key, by which two moments
 * are compared.
 */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { HostCpu } from '../../shared/host-cpu.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import { LINEAR, NOBODYS } from '../../shared/pgdir.ts';
import { guestEntries } from '../check/guest-tables.ts';
import { tlbEntries, vcpuInside } from '../check/host-cpus.ts';
import { rightsName } from '../check/isolation.ts';
import { type Shadow, shadowOf } from '../check/shadow.ts';
import { describeFrame, eachFrame, wordsOf } from '../check/violation.ts';
import { frameOf, type Gpa, NO_FRAME, PAGE_SIZE, toGpfn, toPfn } from '../hardware/address.ts';
import { type Entry, PAGE_PRESENT } from '../hardware/entry.ts';
import { counted, hex } from '../numbers.ts';
import { entryText } from './violation.ts';

/** The inspected machine. `stores` come from the explorer. */
export const VIEWS = [
  'cpus',
  'stores',
  'guests',
  'pgdirs',
  'tables',
  'switcher',
  'frames',
] as const;
export type View = (typeof VIEWS)[number];

export interface Line {
  /** The same thing at another moment has the same, within its section. */
  readonly key: string;
  /** How deep in a tree. */
  readonly depth: number;
  readonly text: string;
  /** For an entry that may be part of a range: its number there, and the common properties. */
  readonly inRow?: { readonly number: number; readonly shared: string };
}

export interface Section {
  readonly title: string;
  readonly view: View;
  readonly lines: readonly Line[];
}

export interface Wanted {
  readonly views: readonly View[];
  /** Of each guest only this pgdir; by default all that are in use. */
  readonly pgdir?: number | undefined;
}

const line = (key: string, text: string, depth = 0): Line => ({ key, depth, text });

/** At rest, or between two steps. */
export function inspect(host: Host, { views, pgdir }: Wanted): Section[] {
  const name = frameNames(host);
  const all = [
    ...host.cpus.map((cpu) => cpuSection(host, cpu, name)),
    ...host.guests.flatMap((lg) => {
      const shadow = shadowOf(lg);
      const used = lg.pgdirs.flatMap(({ pgdir: top }, i) =>
        top !== 0 && (pgdir === undefined || pgdir === i) ? [i] : [],
      );
      return [
        guestSection(lg),
        ...used.flatMap((i) => [
          pgdirSection(lg, i),
          shadowSection(lg, shadow, i, name),
          ownSection(lg, i),
        ]),
        ...switcherSections(lg, shadow, name),
      ];
    }),
    framesSection(host, name),
  ];
  return all.filter(({ view }) => views.includes(view));
}

type FrameNames = (frame: number) => string;

/** As `describeFrame`, but that a page of a guest's goes by its number there. */
function frameNames(host: Host): FrameNames {
  const pages = new Map(
    host.guests.flatMap((lg) =>
      Array.from({ length: lg.pfnLimit }, (_, page) => {
        const name = `page 0x${page.toString(16)} of guest ${lg.index}`;
        return [lg.map.frame(toGpfn(page)) as number, name] as const;
      }),
    ),
  );
  return (frame) => {
    const page = frame === NO_FRAME ? undefined : pages.get(frame);
    return page === undefined ? describeFrame(host, frame) : `frame ${frame} (${page})`;
  };
}

function cpuSection(host: Host, cpu: HostCpu, name: FrameNames): Section {
  const inside = vcpuInside(host, cpu);
  const inHand = host.vcpus[cpu.runningVcpu - 1];
  const who =
    inHand === undefined ? 'no vCPU in hand' : `guest ${inHand.lg.index} vCPU ${inHand.id} in hand`;
  return {
    title: `host CPU ${cpu.index}`,
    view: 'cpus',
    lines: [
      line('hand', `${who}${inside === undefined ? '' : ', inside the guest'}`),
      line('cr3', `CR3 ${cpu.cr3 === 0 ? "the host's" : `frame ${cpu.cr3}`}, CR2 ${hex(cpu.cr2)}`),
      line('generation', `TLB, ${tlbEntries(host, cpu).length} entries`),
      ...tlbEntries(host, cpu).map(({ vaddr, frame, rights }) =>
        line(`tlb ${vaddr}`, `${hex(vaddr)} → ${name(frame)} ${rightsName(rights)}`, 1),
      ),
    ],
  };
}

const DEAD_TEXT: Readonly<Record<Dead, string>> = {
  [Dead.Alive]: 'alive',
  [Dead.Dying]: 'dying',
  [Dead.Killed]: 'killed',
  [Dead.PoweredOff]: 'powered off',
};

function guestSection(lg: Lguest): Section {
  const reason = lg.reason === '' ? '' : `: ${lg.reason}`;
  return {
    title: `guest ${lg.index}`,
    view: 'guests',
    lines: [
      line('life', `${DEAD_TEXT[lg.dead]}${reason}, ${lg.form.name}, ${lg.discipline}`),
      ...lg.cpus.map((cpu) => {
        const where = cpu.lastHostCpu < 0 ? 'not run yet' : `last on host CPU ${cpu.lastHostCpu}`;
        const tables = cpu.linearPages ? 'no tables yet' : `CR3 ${hex(cpu.cr3)}`;
        const state =
          cpu.started || cpu.id === 0 ? (cpu.halted ? ', halted' : '') : ', not started';
        return line(
          `vcpu ${cpu.id}`,
          `vCPU ${cpu.id}: pgdir ${cpu.cpuPgd}, ${tables}, ${where}${state}`,
        );
      }),
    ],
  };
}

function pgdirSection(lg: Lguest, i: number): Section {
  const { gpgdir, pgdir, users, changes, version, lastHostCpu, switcherMapped } = lg.pgdirs[i]!;
  const switcher = switcherMapped
    ? `Switcher of ${lastHostCpu < 0 ? 'unknown host CPUs' : `host CPU ${lastHostCpu}`} mapped`
    : 'Switcher not mapped here';
  return {
    title: `guest ${lg.index}, pgdir ${i}`,
    view: 'pgdirs',
    lines: [
      line('tables', `${shadowed(gpgdir)} in frame ${frameOf(pgdir)}`),
      line('users', `${counted(users, 'user')}, ${counted(changes, 'change')}, version ${version}`),
      line('switcher', switcher),
    ],
  };
}

function shadowed(gpgdir: Gpa): string {
  if (gpgdir === LINEAR) return 'a linear mapping, without page tables,';
  if (gpgdir === NOBODYS) return "nobody's, emptied,";
  return `shadows guest top level ${hex(gpgdir)}`;
}

/** The entry, or its anomaly. */
function entryLine(entry: Entry, leadsTo: string): string {
  const [, flags] = /^frame \d+, (.*)$/.exec(entryText(wordsOf(entry)))!;
  return `${leadsTo}, ${entry.low & PAGE_PRESENT ? flags : `not present ${flags}`}`;
}

function shadowSection(
  lg: Lguest,
  { tables, entries }: Shadow,
  pgdir: number,
  name: FrameNames,
): Section {
  const own = [
    ...tables
      .filter((table) => table.pgdir === pgdir && table.entry !== undefined)
      .map((table) => ({
        vaddr: table.vaddr,
        depth: table.level - 1,
        text: entryLine(table.entry!, `table in ${name(table.frame)}`),
      })),
    ...entries
      .filter((entry) => entry.pgdir === pgdir)
      .map(({ vaddr, entry, frame }) => ({
        vaddr,
        depth: lg.form.pae ? 2 : 1,
        text: entryLine(entry, countedFrame(lg.host, frame, name)),
      })),
  ];
  return {
    title: `guest ${lg.index}, pgdir ${pgdir}, shadow`,
    view: 'tables',
    lines: own
      .toSorted((a, b) => a.vaddr - b.vaddr || a.depth - b.depth)
      .map(({ vaddr, depth, text }) => line(`${depth} ${vaddr}`, `${hex(vaddr)} → ${text}`, depth)),
  };
}

/** The guest's own tables for a pgdir. */
function ownSection(lg: Lguest, pgdir: number): Section {
  const { gpgdir } = lg.pgdirs[pgdir]!;
  const last = lg.form.pae ? 2 : 1;
  return {
    title: `guest ${lg.index}, pgdir ${pgdir}, the guest's own tables`,
    view: 'tables',
    lines: Array.from(guestEntries(lg, gpgdir), ({ level, vaddr, entry }) => {
      const page = `page 0x${(entry.low >>> 12).toString(16)}`;
      const text = entryLine(entry, level < last ? `table in ${page}` : page);
      const number = vaddr / PAGE_SIZE;
      // Pages that follow one another, mapped alike.
      const shared = `${(entry.low >>> 12) - number} ${entry.low & 0xfff} ${entry.high}`;
      return {
        ...line(`${level} ${vaddr}`, `${hex(vaddr)} → ${text}`, level),
        ...(level === last && { inRow: { number, shared } }),
      };
    }),
  };
}

/** vCPUs that have a table of their own for it; as written it hangs in the pgdirs. */
const switcherSections = (lg: Lguest, { entries }: Shadow, name: FrameNames): Section[] =>
  lg.cpus
    .filter(({ switcherTable }) => switcherTable !== NO_FRAME)
    .map((cpu) => {
      const whose = cpu.switcherHostCpu < 0 ? 'no host CPU' : `host CPU ${cpu.switcherHostCpu}`;
      return {
        title: `guest ${lg.index} vCPU ${cpu.id}, its Switcher table`,
        view: 'switcher',
        lines: [
          line('whose', `frame ${cpu.switcherTable}, with the pages of ${whose}`),
          ...entries
            .filter(({ vcpu }) => vcpu === cpu)
            .map(({ vaddr, entry, frame }) =>
              line(`${vaddr}`, `${hex(vaddr)} → ${entryLine(entry, name(frame))}`, 1),
            ),
        ],
      };
    });

function countedFrame(host: Host, frame: number, name: FrameNames): string {
  const what = name(frame);
  return host.frames.exists(frame) ? `${what} with ${references(host, frame)}` : what;
}

function references(host: Host, frame: number): string {
  const n = host.frames.references(toPfn(frame));
  return n === 1 ? '1 reference' : `${n} references`;
}

/** Page tables, and all other referenced frames. */
function framesSection(host: Host, name: FrameNames): Section {
  const lines: Line[] = [];
  eachFrame(host, (pfn) => {
    const isHeld = host.frames.references(pfn) !== 0;
    if (!isHeld && host.frames.kind(pfn) !== FrameKind.PageTable) return;
    const owner = host.frames.isOwned(pfn) ? 'its owner and ' : 'no owner, ';
    lines.push(line(`${pfn}`, `${name(pfn)}: ${owner}${references(host, pfn)}`));
  });
  return { title: 'frames', view: 'frames', lines };
}

export interface Difference {
  readonly title: string;
  /** undefined where there was none, or is none any more. */
  readonly lines: readonly {
    readonly before?: string;
    readonly after?: string;
    readonly depth: number;
  }[];
}

/** The differences at the second moment; equal sections are left out. */
export function compareMoments(
  before: readonly Section[],
  after: readonly Section[],
): Difference[] {
  const titles = [...new Set([...before, ...after].map(({ title }) => title))];
  return titles.flatMap((title) => {
    const [was, is] = [before, after].map(
      (sections) =>
        new Map(sections.find((one) => one.title === title)?.lines.map((one) => [one.key, one])),
    ) as [Map<string, Line>, Map<string, Line>];
    const keys = [...new Set([...was.keys(), ...is.keys()])];
    const lines = keys.flatMap((key) => {
      const [a, b] = [was.get(key), is.get(key)];
      if (a?.text === b?.text) return [];
      const { depth } = (b ?? a)!;
      return [{ ...(a && { before: a.text }), ...(b && { after: b.text }), depth }];
    });
    return lines.length === 0 ? [] : [{ title, lines }];
  });
}

const indent = (depth: number): string => '  '.repeat(depth + 1);

export const inspectionText = (sections: readonly Section[]): string =>
  sections
    .map(({ title, lines }) => {
      const texts = foldRows(lines).map(({ depth, text }) => indent(depth) + text);
      return [title, ...(texts.length === 0 ? ['  nothing'] : texts)].join('\n');
    })
    .join('\n\n');

/** Rows of more than this are told by their first and last entry. */
const LONGEST_ROW = 4;

/** The same with long rows folded. */
export function foldRows(lines: readonly Line[]): Line[] {
  const folded: Line[] = [];
  for (let i = 0; i < lines.length; ) {
    const first = lines[i]!;
    const { key, depth, inRow } = first;
    let end = i + 1;
    while (inRow !== undefined && isNext(lines[end], inRow, end - i)) end++;
    const row = end - i > LONGEST_ROW ? end - i : 1;
    folded.push(first);
    if (row > 1) folded.push(line(`row ${key}`, `… ${row - 2} more like it`, depth));
    if (row > 1) folded.push(lines[end - 1]!);
    i += row;
  }
  return folded;
}

const isNext = (one: Line | undefined, first: NonNullable<Line['inRow']>, n: number): boolean =>
  one?.inRow?.number === first.number + n && one.inRow.shared === first.shared;

export const differenceText = (differences: readonly Difference[]): string =>
  differences
    .map(({ title, lines }) =>
      [
        title,
        ...lines.flatMap(({ before, after, depth }) => [
          ...(before === undefined ? [] : [`-${indent(depth)}${before}`]),
          ...(after === undefined ? [] : [`+${indent(depth)}${after}`]),
        ]),
      ].join('\n'),
    )
    .join('\n\n');
