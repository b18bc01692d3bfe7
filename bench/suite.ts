/** The lines, in the order in which they are measured and shown. */

import { accessLines } from './accesses.ts';
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

export const SUITE: readonly Line[] = [
  ...wordLines,
  ...accessLines,
  ...faultLines,
  ...severalCpuLines,
  ...setPteLines,
  ...switcherLines,
  ...pgdirLines,
  ...traceLines,
  ...machineLines,
  ...scheduleLines,
];
