/** Tests the claims that lguest's comments make, and their remarks on what is missing. */

import { measureOf, PARTS } from '../measures.ts';
import type { Study } from '../study.ts';
import { armsOf } from './experiments.ts';
import { conclude } from './told.ts';

export const claims: Study = {
  name: 'claims',
  title: 'What lguest’s code says of itself',
  question:
    'Are the remarks in page_tables.c true: of what it does, that it is fast, and of what it ' +
    'leaves, that it would be better?',
  method:
    'Each remark is a policy of the paging code, which is run as lguest has it and the other ' +
    'way, all else equal: a guest of one vCPU on one host CPU, as written, in this thread, so ' +
    'that a run is a function of its seed. The seed draws the addresses and orders of ' +
    'accesses, and which pgdirs are evicted. Figures are of simulated cycles, and compared ' +
    'seed by seed.',
  factors: {
    program: { title: 'Program', unit: '' },
    set_pte: { title: 'SET_PTE with ACCESSED', unit: '' },
    order: { title: 'Next process', unit: '' },
    eviction: { title: 'Eviction', unit: '' },
    processes: { title: 'Processes', unit: '1' },
    kernel_mappings: { title: 'Kernel mappings', unit: '' },
    used_pages: { title: 'Pages used', unit: 'pages' },
    kernel_change: { title: 'Kernel change', unit: '' },
    prefault: { title: 'Pages a fault', unit: 'pages' },
    pgdirs: { title: 'Cached pgdirs', unit: '1' },
    reclaim: { title: 'Reclaim', unit: '' },
  },
  measures: {
    cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, of the whole run' },
    cycles_each: {
      title: 'Cycles each',
      unit: 'cycles',
      description: 'simulated, for each page written, context switch or change of a kernel mapping',
    },
    relative_cycles: {
      title: 'Cycles, to one page a fault',
      unit: '1',
      description: 'simulated, for one of the same program without prefaulting',
    },
    faults_fixed: measureOf('FaultsFixed'),
    faults_passed_on: measureOf('FaultsPassedOn'),
    prefaulted: measureOf('Prefaulted'),
    compared: measureOf('EntriesCompared'),
    least_frames: {
      title: 'Least host memory',
      unit: 'frames',
      description: 'with which the guest comes to its end, to within 4 frames',
    },
    held_share: {
      title: 'Held',
      unit: '1',
      description: 'of the guest’s pages in memory, those that a shadow held, when most were',
    },
    ...PARTS,
  },
  arms: armsOf,
  charts: [
    {
      id: 'set-pte',
      title: 'Cycles, by when an entry is mapped',
      experiment: 'set-pte',
      kind: 'bar',
      x: 'program',
      y: 'cycles',
      series: 'set_pte',
      x_scale: 'band',
    },
    {
      id: 'eviction',
      title: 'Cycles a switch, by who is evicted',
      experiment: 'eviction',
      kind: 'bar',
      x: 'order',
      y: 'cycles_each',
      series: 'eviction',
      x_scale: 'band',
    },
    {
      id: 'kernel-mappings',
      title: 'Cycles a switch, by number of processes',
      experiment: 'kernel-mappings',
      kind: 'line',
      x: 'processes',
      y: 'cycles_each',
      series: 'kernel_mappings',
    },
    {
      id: 'kernel-change',
      title: 'Cycles a kernel change, by pages used',
      experiment: 'kernel-change',
      kind: 'line',
      x: 'used_pages',
      y: 'cycles_each',
      series: 'kernel_change',
      x_scale: 'log',
      y_scale: 'log',
    },
    {
      id: 'prefault',
      title: 'Cycles, by pages a fault',
      experiment: 'prefault',
      kind: 'line',
      x: 'prefault',
      y: 'relative_cycles',
      series: 'program',
      x_scale: 'log',
    },
    {
      id: 'reclaim',
      title: 'Least host memory, by cached pgdirs',
      experiment: 'reclaim',
      kind: 'line',
      x: 'pgdirs',
      y: 'least_frames',
      series: 'reclaim',
    },
  ],
  conclude,
};
