/** How far each discipline lets faults go side by side, and on what they wait beyond that. */

import type { Study } from '../study.ts';
import { conclude } from './conclusions.ts';
import { armsOf, MEASURES } from './experiments.ts';

export const disciplines: Study = {
  name: 'disciplines',
  title: 'Where page faults stop scaling',
  question:
    'How many page faults are repaired, and how long do the slowest take, on ever more host CPUs under ' +
    'each discipline? Which lock is it that ends the growth?',
  method:
    '*shared*, *separate*: each vCPU, on a host CPU of its own, reads 16 pages that its guest’s tables map ' +
    'and the shadow does not, then has the host forget them, again and again; all on one pgdir, or each ' +
    'on its own. The guest’s kernel has no part in it. Host CPUs go in lockstep: an access of shared memory is a ' +
    'tick, computing takes no time, and who waits for a lock stands still until it is released (see ' +
    'src/study/lockstep). So a run is a function of its seed, on any machine; it says what the protocols ' +
    'allow, and nothing of what a line costs that goes from cache to cache. As written the host survives ' +
    'one CPU only. ' +
    '*threads*: processes on real threads in real time, through the guest’s kernel and its one lock; the ' +
    'figures hang on the machine underneath, and on what else it does.',
  factors: {
    discipline: { title: 'Discipline', unit: '' },
    cpus: { title: 'Host CPUs', unit: '1' },
  },
  measures: MEASURES,
  arms: armsOf,
  charts: [
    {
      id: 'shared',
      title: 'Faults by host CPUs, all on one pgdir',
      experiment: 'shared',
      kind: 'line',
      x: 'cpus',
      y: 'faults_per_ktick',
      series: 'discipline',
    },
    {
      id: 'separate',
      title: 'Faults by host CPUs, each on a pgdir of its own',
      experiment: 'separate',
      kind: 'line',
      x: 'cpus',
      y: 'faults_per_ktick',
      series: 'discipline',
    },
    {
      id: 'tail',
      title: 'The slowest of a hundred faults, all on one pgdir',
      experiment: 'shared',
      kind: 'line',
      x: 'cpus',
      y: 'fault_ticks_p99',
      series: 'discipline',
    },
  ],
  conclude,
};
