/** What a run counted, one row for each number, with what it means. */

import type { RunReport, Statistics } from './run-report.ts';
import { quantity, type Table, text } from './table.ts';

/** Of each statistic. */
const MEANINGS: Readonly<Record<keyof Statistics, { readonly unit: string; readonly is: string }>> =
  {
    accesses: {
      unit: 'accesses',
      is: 'memory accesses that completed: of programs, kernels and Switcher',
    },
    fetches: { unit: 'accesses', is: 'instruction fetches of programs' },
    loads: { unit: 'accesses', is: 'loads of programs' },
    stores: { unit: 'accesses', is: 'stores of programs' },
    modifies: { unit: 'accesses', is: 'loads and stores of one address, plain or locked' },
    kernel_accesses: { unit: 'accesses', is: 'accesses of guest kernels, their stacks included' },
    switcher_accesses: {
      unit: 'accesses',
      is: "accesses to the Switcher's pages on the way in and out",
    },
    operations: { unit: 'operations', is: 'operations of programs and guest kernels' },
    tlb_hits: { unit: 'accesses', is: 'accesses that the TLB answered' },
    walks: {
      unit: 'walks',
      is: 'walks of the page tables by the MMU, whether they found something or faulted',
    },
    nested_references: {
      unit: 'references',
      is: "references of walks to the host's table, of nested paging",
    },
    faults_fixed: {
      unit: 'faults',
      is: 'page faults that demand_page repaired without the guest knowing',
    },
    faults_passed_on: { unit: 'faults', is: 'page faults delivered to the guest' },
    direct_traps: { unit: 'traps', is: 'system calls that went straight into the guest kernel' },
    direct_faults: {
      unit: 'faults',
      is: 'page faults that went straight into the guest kernel, of nested paging',
    },
    interrupts: { unit: 'interrupts', is: 'interrupts delivered to guests' },
    entries: { unit: 'entries', is: 'world switches into the guest' },
    migrations: { unit: 'migrations', is: 'a vCPU went on on another host CPU than last time' },
    switcher_remaps: {
      unit: 'remaps',
      is: 'map_switcher_in_guest, by what had to be removed first',
    },
    state_copies: { unit: 'copies', is: 'copy_in_guest_info had to copy everything' },
    shootdowns: { unit: 'shootdowns', is: 'other CPUs that had to come out of the guest first' },
    prefaulted: {
      unit: 'entries',
      is: 'entries put into a shadow beside the one that a fault was for',
    },
    entries_compared: {
      unit: 'entries',
      is: "shadow entries compared with the guest's own, instead of thrown away",
    },
    shadows_reclaimed: {
      unit: 'shadows',
      is: 'shadows emptied because the host was short of memory',
    },
    hypercalls: { unit: 'hypercalls', is: 'hypercalls by kind' },
    async_hypercalls: {
      unit: 'hypercalls',
      is: 'hypercalls taken from the asynchronous ring; they count by kind as well',
    },
  };

/** Names of all statistics, as a run's report has them. */
export const STATISTICS = Object.keys(MEANINGS) as readonly (keyof Statistics)[];

export function statisticsTable({ total, guests, host_cpus }: RunReport): Table {
  const rows = [
    ...rowsOf('machine', null, 'all', total),
    ...guests.flatMap((guest, i) => rowsOf('guest', i, guest.name, guest)),
    ...host_cpus.flatMap((cpu, i) => rowsOf('host CPU', i, `host CPU ${i}`, cpu)),
  ];
  return {
    ...{ name: 'statistics', rows },
    description: 'What was counted, of the machine, each guest and each host CPU.',
    columns: {
      scope: text('machine, guest or host CPU'),
      number: quantity('', 'which guest or host CPU, counted from 0; null for the machine'),
      name: text('of the guest or host CPU'),
      statistic: text('what was counted; kinds of it behind a dot'),
      value: quantity('see unit', 'how many'),
      unit: text('of the value'),
      description: text('of the statistic'),
    },
  };
}

function rowsOf(scope: string, number: number | null, name: string, statistics: Statistics) {
  return STATISTICS.flatMap((key) => {
    const { unit, is: description } = MEANINGS[key];
    const counted = statistics[key];
    const parts = typeof counted === 'number' ? [['', counted] as const] : Object.entries(counted);
    return parts.map(([part, value]) => ({
      ...{ scope, number, name, statistic: part === '' ? key : `${key}.${part}` },
      ...{ value, unit, description },
    }));
  });
}
