/** The cost of migrations of vCPUs, and how often they are affordable. */

import { concluding } from '../claim.ts';
import { measureOf, PARTS } from '../measures.ts';
import type { Study } from '../study.ts';
import { CLAIMS } from './claims.ts';
import { armsOf } from './experiments.ts';

export const migration: Study = {
  name: 'migration',
  title: 'What a migration costs',
  question:
    'What does a guest pay for continuing on another host CPU, and what is it that it pays ' +
    'for? What do policies, and what does last_host_cpu, spare it?',
  method:
    'Host CPUs take turns in one thread, a time slice each, so that a run is a function of ' +
    'its seed; slices are drawn from half to one and a half times their middle length. Cycles ' +
    'are simulated. *interval*: a program (the trace of ls; with a larger scale wc, sort and ' +
    'pigz beside it) in a guest of one vCPU, as written, on four host CPUs: pinned, or moved ' +
    'after each slice. All make the same accesses, so what differs is the migration. ' +
    '*policy*: six guests on four CPUs, by each of the policies. *shared*: a guest of one to ' +
    'four vCPUs, repaired, each vCPU pinned to a CPU; its threads share a pgdir, or its ' +
    'processes have one each; the Switcher hangs in the pgdirs as lguest has it (R16 on), or ' +
    'each vCPU has a table for it. *last_host_cpu*: a guest of one vCPU as written, moved at ' +
    'random, and the same but that last_host_cpu is forgotten before each slice, so that the ' +
    'pages of every CPU are removed. No CPU is inside a guest while another runs, so nothing ' +
    'here waits.',
  factors: {
    policy: { title: 'Policy', unit: '' },
    slice: { title: 'Time slice, in the middle', unit: 'operations' },
    pgdirs: { title: 'Pgdirs', unit: '' },
    switcher: { title: 'Switcher', unit: '' },
    vcpus: { title: 'vCPUs', unit: '1' },
    last_host_cpu: { title: 'last_host_cpu', unit: '' },
    cpus: { title: 'Host CPUs', unit: '1' },
  },
  measures: {
    cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, of all host CPUs' },
    cycles_per_access: {
      title: 'Cycles per access',
      unit: 'cycles',
      description: 'simulated cycles for each memory access that completed',
    },
    migrations: measureOf('Migrations'),
    remaps_cached: measureOf('RemapsCached'),
    remaps_known: measureOf('RemapsKnown'),
    remaps_unknown: measureOf('RemapsUnknown'),
    remaps_per_entry: {
      title: 'Remaps an entry',
      unit: '1',
      description: 'of all entries into a guest, those that changed the Switcher’s pages',
    },
    pages_removed: {
      title: 'Pages removed',
      unit: 'pages',
      description: 'entries of the Switcher’s that were cleared: two for each CPU',
    },
    removal_cycles: {
      title: 'Cycles of remaps',
      unit: 'cycles',
      description: 'simulated; a quarter of a switcher_remap for each page in or out',
    },
    walks_per_entry: {
      title: 'Walks an entry',
      unit: '1',
      description:
        'walks of the shadow tables for each entry into the guest: the refill of the TLB',
    },
    ...PARTS,
  },
  arms: armsOf,
  charts: [
    {
      id: 'interval',
      title: 'Cycles per access, by how long a vCPU stays',
      experiment: 'interval',
      kind: 'line',
      x: 'slice',
      y: 'cycles_per_access',
      series: 'policy',
      x_scale: 'log',
    },
    {
      id: 'policy',
      title: 'Cycles of six guests on four CPUs, by policy',
      experiment: 'policy',
      kind: 'bar',
      x: 'policy',
      y: 'cycles',
      x_scale: 'band',
    },
    {
      id: 'last-host-cpu',
      title: 'Cycles of remaps, by host CPUs',
      experiment: 'last_host_cpu',
      kind: 'line',
      x: 'cpus',
      y: 'removal_cycles',
      series: 'last_host_cpu',
      x_scale: 'log',
      y_scale: 'log',
    },
  ],
  conclude: concluding(CLAIMS),
};
