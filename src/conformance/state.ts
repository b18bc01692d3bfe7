/**
 * The state of a machine as the vectors write it: lines of text, one for each fact.
 * Written from shared memory alone, without the paging code's help.
 *
 * All of it is checked after every operation, or a stray store would go unnoticed; but text is
 * made again only for changes.
 */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import {
  frameStart,
  NO_FRAME,
  NULL,
  PAGE_SIZE,
  PAGE_WORDS,
  type Ptr,
  toPfn,
  toPtr,
} from '../hardware/address.ts';
import { type Entry, isPresent, PMD_SHIFT, ptePfn, tablePfn } from '../hardware/entry.ts';
import { FrameNames } from './frame-names.ts';
import { Watched } from './watched.ts';

/** Some lines of state. Where nothing has changed it is the same array as before. */
type Part = readonly string[];

export type State = ReadonlySet<Part>;

/** A level of the shadow tables. */
interface Level {
  readonly name: 'pgd' | 'pmd' | 'pte';
  readonly entries: number;
  /** Bytes of address space that an entry covers. */
  readonly span: number;
  /** Absent at the last level. */
  readonly below?: Level;
}

/** A page of a shadow page table. */
interface Table {
  readonly level: Level;
  /** The first address that it covers. */
  readonly start: number;
  readonly watched: Watched;
  lines: Part;
  /** Where the tables are that it leads to. */
  below: readonly { readonly at: Ptr; readonly table: Table }[];
}

export class MachineState {
  readonly #host: Host;
  readonly #lg: Lguest;
  readonly #memory: Buffer;
  readonly #names: FrameNames;
  readonly #pages: readonly { readonly watched: Watched; lines: Part }[];
  readonly #tops: readonly Table[];
  #frames: Part = [];
  /** Which version of the frames' names the lines are made with. */
  #version = 0;

  constructor(host: Host) {
    this.#host = host;
    this.#lg = host.guests[0]!;
    this.#memory = Buffer.from(host.words.memory.buffer);
    this.#names = new FrameNames(host, this.#memory);
    this.#names.follow();
    this.#pages = Array.from({ length: this.#lg.pfnLimit }, () => ({
      watched: new Watched(this.#memory),
      lines: [],
    }));
    const { pae, ptrsPerPgd, ptrsPerPmd, ptrsPerPte, pgdirShift } = this.#lg.form;
    const pte: Level = { name: 'pte', entries: ptrsPerPte, span: PAGE_SIZE };
    const pmd: Level = { name: 'pmd', entries: ptrsPerPmd, span: 2 ** PMD_SHIFT, below: pte };
    const below = pae ? pmd : pte;
    const pgd: Level = { name: 'pgd', entries: ptrsPerPgd, span: 2 ** pgdirShift, below };
    this.#tops = this.#lg.pgdirs.map(() => this.#newTable(pgd, 0));
  }

  look(): State {
    this.#names.follow();
    const renamed = this.#names.version !== this.#version;
    this.#version = this.#names.version;

    const state = new Set<Part>([this.#vcpus(), this.#pgdirs()]);
    for (const [i, { pgdir }] of this.#lg.pgdirs.entries()) {
      if (pgdir !== NULL) this.#lookAtTable(i, this.#tops[i]!, pgdir, renamed, state);
    }
    if (renamed) this.#frames = this.#linesOfFrames();
    state.add(this.#frames);
    for (let page = 0; page < this.#lg.pfnLimit; page++) this.#lookAtGuestPage(page, state);
    if (this.#lg.dead) state.add([`dead ${this.#lg.reason}`]);
    return state;
  }

  #vcpus(): Part {
    return this.#lg.cpus.map(
      (cpu) => `cpu ${cpu.id} pgd=${cpu.cpuPgd} linear=${cpu.linearPages ? 1 : 0}`,
    );
  }

  #pgdirs(): Part {
    return this.#lg.pgdirs.flatMap(({ pgdir, gpgdir, switcherMapped, lastHostCpu }, i) => {
      if (pgdir === NULL) return [];
      const mapped = switcherMapped ? 1 : 0;
      return `pgdir ${i} gpgdir=${gpgdir.toString(16)} switcher=${mapped} host=${lastHostCpu}`;
    });
  }

  #newTable(level: Level, start: number): Table {
    return { level, start, watched: new Watched(this.#memory), lines: [], below: [] };
  }

  /** A table of shadow `i` that is at `at` now, and all below it. */
  #lookAtTable(i: number, table: Table, at: Ptr, renamed: boolean, state: Set<Part>): void {
    const changed = table.watched.hasChanged(at);
    if (changed || (renamed && table.level.name === 'pte')) {
      const entries = this.#entries(table, at);
      table.lines = entries.map(([n, entry]) => this.#line(i, table, n, entry));
      table.below = this.#tablesBelow(table, entries);
    }
    if (table.lines.length > 0) state.add(table.lines);
    for (const below of table.below) this.#lookAtTable(i, below.table, below.at, renamed, state);
  }

  /** Index and value of those that are not zero. */
  #entries({ level }: Table, at: Ptr): [number, Entry][] {
    const found: [number, Entry][] = [];
    for (let n = 0; n < level.entries; n++) {
      const entry = this.#lg.entry(toPtr(at + n * this.#lg.form.entryWords));
      if (entry.low !== 0 || entry.high !== 0) found.push([n, entry]);
    }
    return found;
  }

  #tablesBelow(table: Table, entries: [number, Entry][]): Table['below'] {
    const { below, span } = table.level;
    if (below === undefined) return [];
    return entries.flatMap(([n, entry]) => {
      if (!isPresent(entry) || !this.#host.frames.exists(tablePfn(entry))) return [];
      const start = table.start + n * span;
      const known = table.below.find((before) => before.table.start === start);
      const at = frameStart(toPfn(tablePfn(entry)));
      return { at, table: known?.table ?? this.#newTable(below, start) };
    });
  }

  #line(i: number, { level, start }: Table, n: number, entry: Entry): string {
    const vaddr = (start + n * level.span).toString(16).padStart(8, '0');
    const flags = (entry.low & 0xfff).toString(16);
    if (level.name === 'pgd') return `pgd ${i} ${n.toString(16)} ${flags}`;
    if (level.name === 'pmd') return `pmd ${i} ${vaddr} ${flags}`;
    return `pte ${i} ${vaddr} ${this.#names.of(ptePfn(entry))} ${pteFlags(entry)}`;
  }

  /** Several frames may have been the same guest page; their references count together. */
  #linesOfFrames(): Part {
    const { frames, layout } = this.#host;
    let tables = 0;
    const counts = new Map<string, number>();
    for (let n = layout.firstFrame; n < layout.totalFrames; n++) {
      const frame = toPfn(n);
      if (frames.kind(frame) === FrameKind.PageTable) tables++;
      const references = frames.references(frame);
      if (references === 0) continue;
      // Put too often: it is free, and its count is meaningless.
      if (references < 0 && frames.kind(frame) === FrameKind.Free) continue;
      const name = this.#names.of(frame);
      counts.set(name, (counts.get(name) ?? 0) + references);
    }
    return [`tables ${tables}`, ...Array.from(counts, ([name, count]) => `ref ${name} ${count}`)];
  }

  #lookAtGuestPage(page: number, state: Set<Part>): void {
    const frame = this.#names.behind(page);
    if (frame === NO_FRAME) return;
    const known = this.#pages[page]!;
    const at = frameStart(frame);
    if (known.watched.hasChanged(at)) known.lines = this.#nonZeroWords(page, at);
    if (known.lines.length > 0) state.add(known.lines);
  }

  #nonZeroWords(page: number, at: Ptr): Part {
    const lines: string[] = [];
    for (let i = 0; i < PAGE_WORDS; i++) {
      const value = this.#host.words.load(toPtr(at + i));
      const gpa = page * PAGE_SIZE + i * 4;
      if (value !== 0) lines.push(`mem ${gpa.toString(16)} ${value.toString(16)}`);
    }
    return lines;
  }
}

/** All bits of a last-level entry outside its page number, bits 12–43. */
function pteFlags(entry: Entry): string {
  const high = (entry.high & ~0xfff) >>> 0;
  const low = entry.low & 0xfff;
  return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
}
