/** The cost of removing a translation that other CPUs may have cached. */

import { concluding } from '../claim.ts';
import { PARTS } from '../measures.ts';
import type { Study } from '../study.ts';
import { CLAIMS } from './claims.ts';
import { armsOf, BATCHES } from './experiments.ts';

export const shootdown: Study = {
  name: 'shootdown',
  title: 'What a shootdown costs',
  question:
    'What does it cost to unmap a page of a guest that runs on several CPUs, who pays for it, ' +
    'and when is it better to flush?',
  method:
    'All host CPUs are in one thread and go in lockstep: an access of shared memory takes a ' +
    'tick, computing none, and who is behind goes on; who waits stands still. So a run is a ' +
    'function of its seed, and does not depend on how many CPUs this computer has. Ticks say ' +
    'how long something takes with others beside it, simulated cycles what it costs. Faults ' +
    'lock the pgdir. *participants*: a tiny guest unmaps 16 pages, by a SET_PTE each, while ' +
    'others load from pages of theirs, on the same pgdir or on another. *batches*: of 32 ' +
    'pages in use some are unmapped, by a SET_PTE each, or by writes without a hypercall and ' +
    'one flush of the user’s part; then the rest is used again, beside three others or alone ' +
    '(*batches-alone*). All are compared with the same guest that unmaps nothing. *threads*: ' +
    'a whole guest, whose threads map, protect and unmap parts of one process (mmap-churn), a ' +
    'vCPU on a CPU of its own for each. With a larger scale each figure is the mean of so ' +
    'many runs, and the whole guest does more.',
  factors: {
    where: { title: 'Others', unit: '' },
    way: { title: 'Unmapped by', unit: '' },
    others: { title: 'Other CPUs', unit: '1' },
    pages: { title: 'Pages unmapped', unit: 'pages' },
    vcpus: { title: 'vCPUs', unit: '1' },
  },
  measures: {
    ticks_each: {
      title: 'Ticks a hypercall',
      unit: 'ticks',
      description: 'from the trap of a hypercall that unmaps until its CPU is in the guest again',
    },
    shootdowns_each: {
      title: 'Shootdowns a page',
      unit: '1',
      description: 'CPUs that had to come out of the guest, for each page unmapped',
    },
    cycles: {
      title: 'Cycles',
      unit: 'cycles',
      description:
        'simulated, of all CPUs: of tiny guests those more than without unmapping, for each page ' +
        'unmapped; of the real one for each memory access',
    },
    cycles_of_others: {
      title: 'Cycles, others',
      unit: 'cycles',
      description: 'of these, those on the CPUs that unmap nothing',
    },
    shootdowns_per_fault: {
      title: 'Shootdowns a fault',
      unit: '1',
      description: 'for each fault that demand_page repaired',
    },
    faults_again: {
      title: 'Faults again',
      unit: '1',
      description: 'page faults more than without unmapping, for each page unmapped',
    },
    ...PARTS,
  },
  arms: armsOf,
  charts: [
    {
      id: 'participants',
      title: 'Cycles to unmap a page, by other CPUs in the guest',
      experiment: 'participants',
      kind: 'line',
      x: 'others',
      y: 'cycles',
      series: 'where',
    },
    {
      id: 'ticks',
      title: 'Ticks of a SET_PTE, by other CPUs in the guest',
      experiment: 'participants',
      kind: 'line',
      x: 'others',
      y: 'ticks_each',
      series: 'where',
    },
    ...Object.entries(BATCHES).map(([experiment, others]) => ({
      id: experiment,
      experiment,
      title: `Cycles to unmap a page, ${others} others in the guest`,
      kind: 'line' as const,
      x: 'pages',
      y: 'cycles',
      series: 'way',
      x_scale: 'log' as const,
      y_scale: 'log' as const,
    })),
    {
      id: 'threads',
      title: 'Cycles per access, threads that map and unmap',
      experiment: 'threads',
      kind: 'line',
      x: 'vcpus',
      y: 'cycles',
    },
  ],
  conclude: concluding(CLAIMS),
};
