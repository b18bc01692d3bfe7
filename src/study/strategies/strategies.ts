/** The cost of shadow, direct and nested paging. */

import { concluding } from '../claim.ts';
import { PARTS } from '../measures.ts';
import type { Study } from '../study.ts';
import { CLAIMS } from './claims.ts';
import { armsOf } from './experiments.ts';

export const strategies: Study = {
  name: 'strategies',
  title: 'Shadow, direct and nested paging',
  question:
    'What do exits, walks and cycles come to when the same guest is virtualized by shadow, by ' +
    'direct or by nested paging, and which program wants which?',
  method:
    'The same kernel runs the same programs on the same machine, one vCPU on one host CPU, in ' +
    'this thread. By shadow paging as lguest, as written. By direct paging as Xen’s ' +
    'paravirtual guests: the guest’s own tables hold frames, and it changes them by ' +
    'hypercall. By nested paging: the guest handles its tables and its page faults itself, ' +
    'and a walk looks up all that it comes by in a table of four levels of the host’s. Each ' +
    'is held to the invariants, and leaves the same memory. What booting and setting up takes ' +
    'is taken off: the same guest is run with less to do, and the difference counts. Page ' +
    'tables have two levels. The seed draws what programs do that are made from one, and ' +
    'which pgdirs are evicted; traces are the same for each.',
  factors: {
    program: { title: 'Program', unit: '' },
    virtualization: { title: 'Paging', unit: '' },
    pages: { title: 'Pages that are read', unit: 'pages' },
    batch: { title: 'Entries changed with a system call', unit: '1' },
  },
  measures: {
    cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, beyond the baseline' },
    cycles_each: {
      title: 'Cycles each',
      unit: 'cycles',
      description: 'simulated, for each read, or each page table entry that is changed',
    },
    exits: {
      title: 'Exits',
      unit: '1',
      description: 'times that the guest was left and entered again',
    },
    references_per_walk: {
      title: 'References a walk',
      unit: '1',
      description: 'memory references that the processor makes to find a translation',
    },
    guest_faults: {
      title: 'Faults of the guest’s',
      unit: 'faults',
      description: 'page faults that the guest’s kernel had to see to',
    },
    host_faults: {
      title: 'Faults of the host’s',
      unit: 'faults',
      description: 'page faults that the host repaired, and the guest knew nothing of',
    },
    ...PARTS,
  },
  arms: armsOf,
  charts: [
    {
      id: 'programs',
      title: 'Cycles, by program',
      experiment: 'programs',
      kind: 'bar',
      x: 'program',
      y: 'cycles',
      series: 'virtualization',
      x_scale: 'band',
      y_scale: 'log',
    },
    {
      id: 'exits',
      title: 'Exits, by program',
      experiment: 'programs',
      kind: 'bar',
      x: 'program',
      y: 'exits',
      series: 'virtualization',
      x_scale: 'band',
      y_scale: 'log',
    },
    {
      id: 'locality',
      title: 'Cycles a read, by pages that are read',
      kind: 'line',
      experiment: 'locality',
      x: 'pages',
      y: 'cycles_each',
      series: 'virtualization',
      x_scale: 'log',
    },
    {
      id: 'modification',
      title: 'Cycles a changed entry, by entries changed together',
      experiment: 'modification',
      kind: 'line',
      x: 'batch',
      y: 'cycles_each',
      series: 'virtualization',
      x_scale: 'log',
      y_scale: 'log',
    },
  ],
  conclude: concluding(CLAIMS),
};
