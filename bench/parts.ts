/**
 * The parts of the suite, in the order in which they are measured and shown. An isolate for a line
 * loads the files of its part alone, which takes a fifth of the time that all of them take.
 */

import type { Line } from './pair.ts';

export const PARTS = {
  words: async () => (await import('./words.ts')).wordLines,
  MMU: async () => (await import('./accesses.ts')).accessLines,
  faults: async () => (await import('./faults.ts')).faultLines,
  'several CPUs': async () => (await import('./several-cpus.ts')).severalCpuLines,
  set_pte: async () => (await import('./set-pte.ts')).setPteLines,
  'page tables': async () => (await import('./pgdirs.ts')).pgdirLines,
  Switcher: async () => (await import('./switcher.ts')).switcherLines,
  'guest kernel': async () => (await import('./guest-kernel.ts')).guestKernelLines,
  traces: async () => (await import('./traces.ts')).traceLines,
  machine: async () => (await import('./whole-machine.ts')).machineLines,
  schedules: async () => (await import('./schedules.ts')).scheduleLines,
} as const satisfies Readonly<Record<string, () => Promise<readonly Line[]>>>;

export type PartName = keyof typeof PARTS;
