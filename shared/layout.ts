/**
 * The layout of host memory: one buffer of 4 KiB frames. The first frames hold the host's own
 * records, laid out by the table below; the frame allocator hands out the others. Sizes are fixed
 * at boot and nothing grows.
 *
 * See docs/decisions/one-buffer.md.
 */

import { type DefectId, sharesSwitcher, switchesFor } from '../src/defects.ts';
import { assert, UserError } from '../src/errors.ts';
import type { Gva, Ptr } from '../src/hardware/address.ts';
import { PAGE_WORDS, toPtr } from '../src/hardware/address.ts';
import type { PagingName } from '../src/hardware/entry.ts';
import { NONPAE, PAE, pteIndex } from '../src/hardware/entry.ts';
import { COUNTERS_WORDS } from './counters.ts';
import { CLOCK_WORDS, MOST_SLOTS, SLOT_STATE_WORDS, SLOT_WORDS } from './decoded-blocks.ts';
import type { DisciplineName } from './discipline.ts';
import { EVENT_RING_WORDS } from './events.ts';
import { FRAME_CACHE_WORDS, FRAME_WORDS } from './frames.ts';
import { HOST_CPU_WORDS } from './host-cpu.ts';
import { LG_CPU_WORDS } from './lg-cpu.ts';
import { LGUEST_WORDS } from './lguest.ts';
import { MACHINE_WORDS } from './machine-record.ts';
import { PGDIR_WORDS } from './pgdir.ts';
import { LINE_WORDS } from './record.ts';
import { runQueueWords } from './run-queue.ts';
import type { Virtualization } from './virtualization.ts';

export interface GuestConfig {
  readonly paging: PagingName;
  /** Whether the host shows the guest an NX bit; only with PAE. */
  readonly nx: boolean;
  /** pfn_limit: guest memory in pages. */
  readonly pages: number;
  readonly vcpus: number;
  /** Shadow page tables that are cached; the seed has 4. */
  readonly pgdirs: number;
  /** Defects of the code as written that are on. */
  readonly defects: readonly DefectId[];
  readonly discipline?: DisciplineName;
  /** By default shadow. */
  readonly virtualization?: Virtualization;
  /** The paging code's own (src/paging/policies/declared.ts). */
  readonly policy: object;
}

export interface MachineConfig {
  readonly hostCpus: number;
  readonly switcherAddr: Gva;
  /** Frames beside the host's records: zero page, Switcher, regs, guest pages, page tables. */
  readonly frames: number;
  readonly seed: number;
  readonly guests: readonly GuestConfig[];
  /** Blocks of all their programs that are decoded once for all host CPUs; by default none. */
  readonly blocks?: number;
}

/** One line of the table. It owns words `at` … `at + count × stride`. */
export interface Region {
  readonly name: string;
  readonly at: Ptr;
  readonly count: number;
  /** Words an element. */
  readonly stride: number;
  /** Its writers. */
  readonly owner: string;
  /** What must be held, or why nothing must. */
  readonly lock: string;
}

/** Plain data: it travels to the workers as it is. */
export interface Layout {
  readonly config: MachineConfig;
  readonly regions: Readonly<Record<RegionName, Region>>;
  /** Frame numbers run from 0 to totalFrames − 1; those below firstFrame hold the records. */
  readonly firstFrame: number;
  readonly totalFrames: number;
  /** The one page of zeroes is the first frame; the Switcher's pages follow it in a row. */
  readonly zeroFrame: number;
  readonly firstSwitcherFrame: number;
  /** From here on frames are handed out. */
  readonly firstFreeFrame: number;
  readonly words: number;
}

export type RegionName =
  | 'machine'
  | 'hostCpus'
  | 'frameCaches'
  | 'guests'
  | 'pgdirs'
  | 'vcpus'
  | 'runQueues'
  | 'launcherMap'
  | 'pageTypes'
  | 'counters'
  | 'events'
  | 'safePoints'
  | 'frameTable'
  | 'blockDirectory'
  | 'blockClock'
  | 'blockStates'
  | 'blockReaders'
  | 'blockSlots';

/** Guest memory must leave room for frame numbers of 20 bits: shadow entries without PAE. */
const MAX_FRAMES = 1 << 20;
const MAX_WORDS = MAX_FRAMES * PAGE_WORDS;

export function layOut(config: MachineConfig): Layout {
  validate(config);
  const guests = config.guests.length;
  if (config.frames <= totalSwitcherPages(config.hostCpus) + 1) throw tooLittleMemory(config);
  const vcpus = sum(config.guests.map((g) => g.vcpus));
  const pgdirs = sum(config.guests.map((g) => g.pgdirs));
  const pages = sum(config.guests.map((g) => g.pages));
  const isDirect = config.guests.some((g) => g.virtualization === 'direct');

  let next = LINE_WORDS; // word 0 is NULL
  const place = (
    name: RegionName,
    count: number,
    stride: number,
    owner: string,
    lock: string,
  ): Region => {
    const at = toPtr(next);
    next = roundUp(next + count * stride, LINE_WORDS);
    return { name, at, count, stride, owner, lock };
  };
  const fixed = [
    place('machine', 1, MACHINE_WORDS, 'all', 'atomic words; the frame pool its own lock'),
    place('hostCpus', config.hostCpus, HOST_CPU_WORDS, 'that host CPU', 'none; mailbox atomic'),
    place('frameCaches', config.hostCpus + 1, FRAME_CACHE_WORDS, 'that host CPU', 'none'),
    place('guests', guests, LGUEST_WORDS, 'the vCPUs of that guest', 'none as written'),
    place('pgdirs', pgdirs, PGDIR_WORDS, 'the vCPUs of that guest', 'none as written'),
    place('vcpus', vcpus, LG_CPU_WORDS, 'the host CPU that runs it', 'hand-over by run queue'),
    place('runQueues', config.hostCpus, runQueueWords(vcpus), 'all', 'its own lock'),
    place('launcherMap', pages, 1, 'the vCPUs of that guest', 'none: compare-and-exchange'),
    place('counters', config.hostCpus * guests, COUNTERS_WORDS, 'that host CPU', 'none'),
    place('events', config.hostCpus + 1, EVENT_RING_WORDS, 'that host CPU', 'none'),
    place('pageTypes', isDirect ? pages : 0, 1, 'the vCPUs of that guest', 'one vCPU a guest'),
    place('safePoints', config.hostCpus + 1, LINE_WORDS, 'all', 'atomic words'),
  ];
  const firstFrame = firstFrameAfter(next, config.frames);
  const totalFrames = firstFrame + config.frames;
  const frameTable = place('frameTable', totalFrames, FRAME_WORDS, 'all', 'counts atomic');
  assert(next <= firstFrame * PAGE_WORDS, 'the records end before the first frame');
  // Behind the frames: no part of the simulated machine.
  next = totalFrames * PAGE_WORDS;
  const { blocks = 0 } = config;
  const slots = slotsFor(blocks, config.hostCpus, next);
  const regions = [
    ...fixed,
    frameTable,
    place('blockDirectory', slots === 0 ? 0 : blocks, 1, 'all', 'none: compare-and-exchange'),
    place('blockClock', slots === 0 ? 0 : 1, CLOCK_WORDS, 'all', 'its own lock'),
    place('blockStates', slots, SLOT_STATE_WORDS, 'all', 'the clock’s lock'),
    place('blockReaders', slots === 0 ? 0 : config.hostCpus, LINE_WORDS, 'that host CPU', 'none'),
    place('blockSlots', slots, SLOT_WORDS, 'the host CPU that decodes', 'busy in the directory'),
  ];
  mustNotOverlap(regions);
  if (totalFrames > MAX_FRAMES) {
    throw new UserError(
      `the machine needs ${totalFrames} frames of host memory, and a shadow entry can name ` +
        `${MAX_FRAMES} (4 GiB): use fewer or smaller guests`,
    );
  }
  return {
    config,
    regions: Object.fromEntries(regions.map((r) => [r.name, r])) as Layout['regions'],
    firstFrame,
    totalFrames,
    zeroFrame: firstFrame,
    firstSwitcherFrame: firstFrame + 1,
    firstFreeFrame: firstFrame + 1 + totalSwitcherPages(config.hostCpus),
    words: next,
  };
}

/** The frame table covers itself too: its size and the first frame depend on one another. */
function firstFrameAfter(words: number, frames: number): number {
  for (let first = 0; ; ) {
    const last = first;
    first = Math.ceil((words + (first + frames) * FRAME_WORDS) / PAGE_WORDS);
    if (first === last) return first;
  }
}

function mustNotOverlap(regions: readonly Region[]): void {
  for (const [i, region] of regions.entries()) {
    const before = regions[i - 1];
    assert(
      before === undefined || before.at + before.count * before.stride <= region.at,
      `${region.name} overlaps what lies before it`,
    );
  }
}

/**
 * Slots for so many blocks, behind `words` of memory: none where there is no room, else more than
 * there are CPUs, since each may read one.
 */
function slotsFor(blocks: number, hostCpus: number, words: number): number {
  const room = Math.floor((MAX_WORDS - words - blocks) / (SLOT_WORDS + LINE_WORDS)) - hostCpus;
  const slots = Math.min(blocks + hostCpus, Math.max(MOST_SLOTS, 2 * hostCpus), room);
  return blocks === 0 || slots <= hostCpus ? 0 : slots;
}

/** When guests do not fit. */
export const tooLittleMemory = (config: MachineConfig): UserError =>
  new UserError(
    `host memory of ${config.frames} frames is too little to boot ` +
      `(guests: ${config.guests.length}): give the host more (--host-memory) or run fewer guests`,
  );

export const formOf = (name: PagingName) => (name === 'pae' ? PAE : NONPAE);

/** TOTAL_SWITCHER_PAGES: the text, then a regs and a state page for each host CPU. */
export const totalSwitcherPages = (hostCpus: number): number => 1 + 2 * hostCpus;

/** Where the fixmap begins; the Switcher's pages end below it at the latest. */
const FIXMAP_START = 0xffff_e000;

function validate(config: MachineConfig): void {
  const room = Math.floor((FIXMAP_START - config.switcherAddr) / (PAGE_WORDS * 4));
  const mostCpus = Math.floor((room - 1) / 2);
  if (!Number.isInteger(config.hostCpus) || config.hostCpus < 1 || config.hostCpus > mostCpus) {
    throw new UserError(
      `a machine of ${config.hostCpus} host CPUs does not fit the Switcher's window: it has ` +
        `room for ${room} pages at 0x${config.switcherAddr.toString(16)}, one of text and two ` +
        `for each CPU, so choose 1 to ${mostCpus} host CPUs (--cpus)`,
    );
  }
  for (const [i, guest] of config.guests.entries()) {
    assert(guest.vcpus >= 1, `guest ${i} has a vCPU`);
    assert(guest.pgdirs >= 1, `guest ${i} has a pgdir`);
    if (!sharesSwitcher(switchesFor(guest.defects))) checkSwitcherTable(config, guest);
    assert(guest.pages >= 1, `guest ${i} has memory`);
  }
}

/** Repaired, each vCPU has one Switcher table of its own. */
function checkSwitcherTable({ hostCpus, switcherAddr }: MachineConfig, guest: GuestConfig): void {
  const form = formOf(guest.paging);
  const room = form.ptrsPerPte - pteIndex(form, switcherAddr);
  const most = Math.floor((room - 1) / 2);
  if (hostCpus <= most) return;
  throw new UserError(
    `${hostCpus} host CPUs do not fit one table of the Switcher, which each vCPU has to itself ` +
      `where it is not shared as written: choose 1 to ${most} (--cpus), or --defects all`,
  );
}

const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
