/** The sweeps, in the order in which they are measured and shown. */

import { bootSweeps } from './boot.ts';
import { machineSweeps } from './machines.ts';
import { pagingSweeps } from './paging.ts';
import type { Sweep } from './sweep.ts';

export const SWEEPS: readonly Sweep[] = [...pagingSweeps, ...machineSweeps, ...bootSweeps];
