/**
 * The costs of events on three generations of processors, in cycles of the host CPU.
 *
 * Each cost has a range that it lies in, and says where it is from: `derived` is a figure
 * of the source, or computed from it; `recalled` as well, but the source was quoted from
 * memory; `assumed` was chosen, and the source bounds it at best. docs/costs.md says more.
 */

import type { ByEvent } from './table.ts';

interface Entry {
  readonly cycles: number;
  readonly low: number;
  readonly high: number;
  readonly basis: 'derived' | 'recalled' | 'assumed';
  readonly source: string;
}

interface Preset {
  readonly title: string;
  /** When such processors were new. */
  readonly year: number;
  readonly entries: ByEvent<Entry>;
}

const entry =
  (basis: Entry['basis']) =>
  (cycles: number, [low, high]: readonly [number, number], source: string): Entry => ({
    cycles,
    low,
    high,
    basis,
    source,
  });

const derived = entry('derived');
const recalled = entry('recalled');
const assumed = entry('assumed');

const MANUAL = 'Intel, Optimization Reference Manual';
const TORVALDS = 'Torvalds 2014, on the cost of page faults';
const LGUEST = 'lguest’s comment on direct traps: system calls 1750 ns, 270 ns direct';
const AGESEN = 'Agesen et al. 2012, table of VM exit round trips';
const ADAMS = 'Adams and Agesen 2006, table of VM entries and exits';
const LI = 'Li, Ding and Shen 2007, on a 2 GHz Xeon: 3.8 µs direct, to above 1 ms with the caches';
const PTI = 'Linux, Documentation/x86/pti: in the order of a hundred cycles';
const SEED = 'the C code of the seed, as docs/benchmarks.md times it';
const AGNER = 'Fog, Instruction tables';
const GATES = 'copy_traps: 256 gates looked at, 2 KiB copied, some instructions a gate';
const REFILL = '16 pages of the host, 2 references each';
const BESIDE = 'a part of demand_page: without its walk and its way in and out';
const COMPARED = 'three loads, one of them checked, of lines that may be cold';
const FIRST_LEVEL = `${MANUAL}: few entries, often used; first-level cache`;
const TABLE = '1,024 entries at a cycle to four, few of them present';
const LATR = 'Kumar et al. 2018 (LATR): microseconds each on two sockets';

export const PRESETS = {
  pentium4: {
    title: 'Pentium 4, Prescott',
    year: 2004,
    entries: {
      access: recalled(2, [1, 4], `${MANUAL}: one load a cycle, latency 4`),
      walk_reference: recalled(18, [4, 300], `${MANUAL}: second-level cache, 18`),
      nested_reference: assumed(4, [0, 300], `${FIRST_LEVEL}, 4`),
      world_switch: recalled(2_400, [1_500, 3_963], `${ADAMS}: entry 2,409; ${AGESEN}: 3,963`),
      processor_switch: recalled(3_963, [3_000, 5_000], AGESEN),
      cr3_load: assumed(500, [200, 1_000], 'no figure at hand; above that of later processors'),
      invlpg: assumed(300, [100, 1_000], 'no figure at hand; below a write of CR3'),
      host_refill: recalled(576, [0, 2_400], `${REFILL}, at walk_reference`),
      state_copy: assumed(2_500, [1_000, 6_000], GATES),
      switcher_remap: assumed(500, [200, 1_500], SEED),
      demand_page: assumed(400, [150, 1_500], SEED),
      prefault: assumed(200, [60, 800], BESIDE),
      entry_compared: assumed(100, [30, 600], COMPARED),
      trap_delivery: assumed(800, [300, 2_000], 'frame of 6 words by 6 checked stores, and iret'),
      direct_trap: assumed(1_200, [540, 2_400], `${LGUEST}, at 2 to 4.4 GHz`),
      hypercall: assumed(300, [60, 10_000], SEED),
      table_check: assumed(2_000, [500, 6_000], TABLE),
      copy_on_write: assumed(1_200, [500, 4_000], `above ${TORVALDS} for a Core Duo`),
      page_zero: assumed(3_000, [512, 8_000], '8 bytes a cycle at most; memory 1.5 GB/s at least'),
      lock: assumed(100, [20, 200], AGNER),
      lock_handover: assumed(600, [300, 15_200], `two lines by way of memory; asleep: ${LI}`),
      shootdown: assumed(5_000, [2_000, 20_000], LATR),
      migration: recalled(38_400, [2_000, 2_000_000], `${LI}; 256 lines at 300, two at a time`),
    },
  },
  core2: {
    title: 'Core 2, Merom',
    year: 2007,
    entries: {
      access: recalled(1, [1, 3], `${MANUAL}: one load a cycle, latency 3`),
      walk_reference: recalled(14, [3, 200], `${MANUAL}: second-level cache, 14`),
      nested_reference: assumed(3, [0, 200], `${FIRST_LEVEL}, 3`),
      world_switch: derived(1_400, [940, 3_300], `${TORVALDS}: 700 + 240 on a Core Duo; ${LGUEST}`),
      processor_switch: recalled(1_579, [1_266, 2_600], `${AGESEN}: Merom`),
      cr3_load: assumed(250, [100, 500], PTI),
      invlpg: assumed(120, [50, 500], 'no figure at hand; below a write of CR3'),
      host_refill: recalled(448, [0, 1_800], `${REFILL}, at walk_reference`),
      state_copy: assumed(1_500, [600, 4_000], GATES),
      switcher_remap: assumed(350, [80, 1_000], SEED),
      demand_page: assumed(250, [100, 1_000], SEED),
      prefault: assumed(120, [40, 500], BESIDE),
      entry_compared: assumed(60, [20, 400], COMPARED),
      trap_delivery: derived(440, [290, 1_000], `${TORVALDS}: iret 240; 6 checked stores`),
      direct_trap: derived(600, [270, 1_200], `${LGUEST}, at 1 to 4.4 GHz`),
      hypercall: assumed(200, [40, 10_000], SEED),
      table_check: assumed(1_000, [300, 4_000], TABLE),
      copy_on_write: derived(680, [250, 2_500], `${TORVALDS}: 940 are 58 % on a Core Duo`),
      page_zero: assumed(1_000, [256, 4_000], '16 bytes a cycle at most; memory 3 GB/s at least'),
      lock: assumed(25, [15, 60], AGNER),
      lock_handover: assumed(300, [60, 15_200], `two lines by cache or memory; asleep: ${LI}`),
      shootdown: assumed(4_000, [1_500, 15_000], LATR),
      migration: recalled(7_168, [1_000, 200_000], `${MANUAL}: 512 lines at 14, shared cache`),
    },
  },
  haswell: {
    title: 'Core i7, Haswell',
    year: 2013,
    entries: {
      access: recalled(1, [1, 4], `${MANUAL}: two loads a cycle, latency 4`),
      walk_reference: recalled(11, [4, 200], `${MANUAL}: second-level cache, 11`),
      nested_reference: assumed(4, [0, 200], `${FIRST_LEVEL}, 4`),
      world_switch: derived(1_400, [1_045, 2_500], `${TORVALDS}: 715 + 330, and segments`),
      processor_switch: recalled(784, [500, 1_500], `${AGESEN}: Sandy Bridge`),
      cr3_load: derived(150, [100, 300], PTI),
      invlpg: assumed(100, [50, 300], 'no figure at hand; below a write of CR3'),
      host_refill: recalled(352, [0, 1_400], `${REFILL}, at walk_reference`),
      state_copy: assumed(1_200, [400, 3_000], GATES),
      switcher_remap: derived(300, [80, 800], `${SEED}: 125 ns`),
      demand_page: derived(200, [100, 800], `${SEED}: 57 to 125 ns`),
      prefault: assumed(90, [30, 400], BESIDE),
      entry_compared: assumed(40, [15, 400], COMPARED),
      trap_delivery: derived(450, [380, 900], `${TORVALDS}: iret 330; 6 checked stores`),
      direct_trap: derived(700, [300, 1_045], `${TORVALDS}: a trap by a gate and iret at most`),
      hypercall: assumed(150, [25, 10_000], `${SEED}: set_pte 49 to 81 ns`),
      table_check: assumed(600, [150, 3_000], TABLE),
      copy_on_write: derived(250, [150, 1_500], `${TORVALDS}: 1,050 are 80.7 %`),
      page_zero: assumed(400, [128, 2_000], '32 bytes a cycle at most; memory 6 GB/s at least'),
      lock: recalled(19, [15, 40], AGNER),
      lock_handover: assumed(
        200,
        [60, 15_200],
        `two lines by the third-level cache; asleep: ${LI}`,
      ),
      shootdown: assumed(3_000, [1_000, 16_000], LATR),
      migration: recalled(17_408, [1_000, 300_000], `${MANUAL}: 512 lines at 34, third level`),
    },
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];
