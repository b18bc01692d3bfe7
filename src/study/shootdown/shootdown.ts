/** What it costs to take a translation away from CPUs that are using it. */

import type { Study } from '../study.ts';
import { conclude } from './conclusions.ts';
import { armsOf, MEASURES } from './experiments.ts';

export const shootdown: Study = {
  name: 'shootdown',
  title: 'What a shootdown costs',
  question:
    'What does it cost to take an entry out of a shadow that other CPUs run on: who changes it, and ' +
    'them? How does that grow with the CPUs that take part, and does it help to collect changes?',
  method:
    'One vCPU changes entries by hypercalls and up to three others read, each on a host CPU of its own, ' +
    'under the repaired code. Host CPUs go in lockstep: an access of shared memory is a tick, ' +
    'computing takes no time, and who waits stands still (see src/study/lockstep), so a run is a function of ' +
    'its seed. Cycles are simulated. ' +
    '*cpus*: pages are mapped, taken away and told of one by one, while the others are on the same pgdir or on others. ' +
    '*batching*: some pages are mapped and taken away, by a SET_PTE each or by changing all entries and one ' +
    'flush of the user part, which throws the others’ pages away as well. ' +
    '*meanwhile*: between two changes the changer reads, so often; what the others lose is measured.',
  factors: {
    discipline: { title: 'Discipline', unit: '' },
    pgdir: { title: 'The others’ pgdir', unit: '' },
    cpus: { title: 'Host CPUs', unit: '1' },
    how: { title: 'How', unit: '' },
    pages: { title: 'Pages at once', unit: 'pages' },
    interval: { title: 'Loads between changes, 0 for no change', unit: '1' },
  },
  measures: MEASURES,
  arms: armsOf,
  charts: [
    {
      ...{ id: 'batching', title: 'Cycles, by pages that go at once', experiment: 'batching' },
      ...{ kind: 'line', x: 'pages', y: 'cycles', series: 'how', x_scale: 'log' },
    },
    {
      ...{ id: 'meanwhile', title: 'Ticks a load of CPUs that only read' },
      ...{ experiment: 'meanwhile', kind: 'line', x: 'interval', y: 'ticks_per_load' },
      x_scale: 'band',
    },
  ],
  conclude,
};
