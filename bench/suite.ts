/** The lines, in the order in which they are measured and shown. */

import { accessLines } from './accesses.ts';
import { bootLines } from './boot.ts';
import { faultLines } from './faults.ts';
import type { Line } from './pair.ts';
import { pgdirLines } from './pgdirs.ts';
import { scheduleLines } from './schedules.ts';
import { setPteLines } from './set-pte.ts';
import { severalCpuLines } from './several-cpus.ts';
import { switcherLines } from './switcher.ts';
import { traceLines } from './traces.ts';
import { machineLines } from './whole-machine.ts';
import { wordLines } from './words.ts';

/** Lines that are shown together. */
export interface Part {
  readonly name: string;
  readonly lines: readonly Line[];
}

export const SUITE: readonly Part[] = [
  { name: 'words', lines: wordLines },
  { name: 'MMU', lines: accessLines },
  { name: 'faults', lines: faultLines },
  { name: 'several CPUs', lines: severalCpuLines },
  { name: 'set_pte', lines: setPteLines },
  { name: 'page tables', lines: pgdirLines },
  { name: 'Switcher', lines: switcherLines },
  { name: 'traces', lines: traceLines },
  { name: 'machine', lines: [...bootLines, ...machineLines] },
  { name: 'schedules', lines: scheduleLines },
];
