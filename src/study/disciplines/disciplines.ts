/** How far each discipline lets faults run in parallel, and what they wait for. */

import { concluding } from '../claim.ts';
import { WAITED_FOR, type WaitedFor } from '../lockstep/run.ts';
import { tailMeasures } from '../measures.ts';
import type { Study } from '../study.ts';
import { CLAIMS } from './claims.ts';
import { armsOf, waitsFor } from './experiments.ts';

const WORDS: Readonly<Record<WaitedFor, string>> = {
  'guest lock': 'the lock of the guest',
  'pgdir lock': 'the lock of a pgdir',
  'pool lock': 'the lock of the pool of frames',
  'another CPU': 'a CPU to come out of the guest or of a fault, or to get on',
};

const SHARE = 'of the time of all CPUs, what is spent waiting for';

export const disciplines: Study = {
  name: 'disciplines',
  title: 'Where page faults stop scaling',
  question:
    'How many page faults are repaired, and how long do the slowest take, on ever more host ' +
    'CPUs under each discipline? Which lock is it that ends the growth?',
  method:
    '*shared*, *separate*: each vCPU, on a host CPU of its own, reads 16 pages that its ' +
    'guest’s tables map and the shadow does not, then has the host forget them, again and ' +
    'again; all on one pgdir, or each on its own. The guest’s kernel has no part in it. Host ' +
    'CPUs go in lockstep: an access of shared memory is a tick, computing takes no time, and ' +
    'a CPU that waits for a lock stops until it is released (see src/study/lockstep). So a ' +
    'run is a function of its seed, on any machine; it says what the protocols allow, and ' +
    'nothing of what a line costs that goes from cache to cache. As written the host survives ' +
    'one CPU only. *threads*: processes on real threads in real time, through the guest’s ' +
    'kernel and its one lock; the figures hang on the machine underneath, and on what else it ' +
    'does.',
  factors: {
    discipline: { title: 'Discipline', unit: '' },
    cpus: { title: 'Host CPUs', unit: '1' },
  },
  measures: {
    faults_per_ktick: {
      title: 'Faults a thousand ticks',
      unit: 'faults',
      description: 'repaired by demand_page, all CPUs together, until the last CPU is at its end',
    },
    faults_per_s: {
      title: 'Faults per second',
      unit: 'faults/s',
      description: 'repaired and passed on, in real time',
    },
    ...tailMeasures('fault_ticks', 'Ticks', 'ticks', 'from a fault’s trap until it is repaired'),
    ...tailMeasures('fault_ns', 'Time', 'ns', 'from a fault’s trap until it is repaired'),
    ...Object.fromEntries(
      WAITED_FOR.map((what) => [
        waitsFor(what),
        { title: `Waits, ${what}`, unit: '1', description: `${SHARE} ${WORDS[what]}` },
      ]),
    ),
    cycles_per_fault: {
      title: 'Cycles a fault',
      unit: 'cycles',
      description: 'simulated, of all that the guest did, for each fault that was repaired',
    },
  },
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
  conclude: concluding(CLAIMS),
};
