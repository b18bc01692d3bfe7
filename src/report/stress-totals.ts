/** Totals over runs of random machines: in all, and by kind of guest. */

import type { DisciplineName } from '../../shared/discipline.ts';
import type { Virtualization } from '../../shared/virtualization.ts';
import type { StressRun } from '../check/stress.ts';
import type { PagingName } from '../hardware/entry.ts';
import { grouped } from '../numbers.ts';
import type { PageTable } from './page/parts.ts';
import { type Statistics, statistics } from './run-report.ts';
import { count, type Table, text } from './table.ts';
import { tableText } from './text-table.ts';

/** Raised whenever a field changes its meaning or goes away. */
const SCHEMA_VERSION = 1;

/** Sums over guests. */
export interface Sums {
  guests: number;
  /** Guests that the host killed; that it was short of memory is the one good reason. */
  killed: number;
  operations: number;
  faults: number;
  migrations: number;
  shootdowns: number;
}

interface KindOfGuest {
  readonly virtualization: Virtualization;
  /** The shadow's. */
  readonly discipline: DisciplineName | 'none';
  readonly paging: PagingName;
}

interface Kind extends KindOfGuest, Sums {}

/** The result of one run: its counts, and its report if it fails. */
export interface StressTally {
  readonly seed: number;
  readonly guests: readonly { readonly kind: KindOfGuest; readonly counted: Sums }[];
  /** The violations, in words. */
  readonly faults: readonly string[];
  readonly checks: number;
  readonly cutShort: boolean;
}

export function tallyOf({
  seed,
  spec,
  run,
  machine,
  faults,
  checks,
  cutShort,
}: StressRun): StressTally {
  const cpus = [...machine.host.cpus.keys()];
  const guests = spec.guests.map(({ paging, virtualization = 'shadow' }, i) => {
    const killed = run.ending.kind === 'done' && run.guests[i]!.reason !== 'Power down';
    const discipline: KindOfGuest['discipline'] =
      virtualization === 'shadow' ? (spec.discipline ?? 'as-written') : 'none';
    const counted = sumsOf(statistics(machine, cpus, [i]), killed);
    return { kind: { virtualization, discipline, paging }, counted };
  });
  return { seed, guests, faults, checks, cutShort };
}

interface Failure {
  readonly seed: number;
  readonly faults: readonly string[];
  /** The command that runs the same machine again. */
  readonly command: string;
}

const nothing = (): Sums => ({
  guests: 0,
  killed: 0,
  operations: 0,
  faults: 0,
  migrations: 0,
  shootdowns: 0,
});

const SUMMED = Object.keys(nothing()) as readonly (keyof Sums)[];

export class StressTotals {
  readonly seed: number;
  readonly sums: Sums = nothing();
  /** In the order in which they were found. */
  readonly failures: Failure[] = [];
  /** When the first run went wrong: that run counted too. */
  firstFailure: { readonly runs: number; readonly seconds: number } | undefined;
  runs = 0;
  /** Interrupted runs: they are counted, but their final memory is not checked. */
  cutShort = 0;
  checks = 0;
  readonly #kinds = new Map<string, Kind>();

  /** `seed`: of the first run. */
  constructor(seed: number) {
    this.seed = seed;
  }

  /** `command`: what runs it again. `seconds`: since the first began. */
  add(
    { seed, guests, faults, checks, cutShort }: StressTally,
    command: string,
    seconds: number,
  ): void {
    this.runs++;
    if (cutShort) this.cutShort++;
    if (faults.length > 0) {
      this.failures.push({ seed, faults, command });
      this.firstFailure ??= { runs: this.runs, seconds };
    } else this.checks += checks;
    for (const { kind, counted } of guests) {
      addTo(this.sums, counted);
      addTo(this.#kind(kind), counted);
    }
  }

  /** By discipline and paging form, sorted; those without a shadow at the end. */
  get kinds(): readonly Kind[] {
    return [...this.#kinds.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, k]) => k);
  }

  toJson(seconds: number, interrupted: boolean): unknown {
    return {
      schema_version: SCHEMA_VERSION,
      seed: this.seed,
      seconds,
      interrupted,
      runs: this.runs,
      cut_short: this.cutShort,
      checks_passed: this.checks,
      total: this.sums,
      by_kind: this.kinds,
      first_failure: this.firstFailure ?? null,
      failures: this.failures,
    };
  }

  /** Runs by discipline and paging form, and failures. */
  tables(): readonly Table[] {
    return [
      {
        name: 'kinds',
        description: 'Runs, by way to virtualize, discipline and paging form.',
        columns: {
          virtualization: text('how guest addresses are translated'),
          discipline: text('which locks the paging code takes; none without a shadow'),
          paging: text('paging form'),
          guests: count('guests'),
          killed: count('guests that the host killed'),
          operations: count('operations of programs and guest kernels'),
          faults: count('page faults'),
          migrations: count('migrations of vCPUs'),
          shootdowns: count('CPUs that had to leave a guest'),
        },
        rows: this.kinds.map((kind) => ({ ...kind })),
      },
      {
        name: 'failures',
        description: 'Runs that failed, a row for each fault.',
        columns: {
          seed: count('of the run'),
          fault: text('what failed'),
          command: text('the command that runs the same machine'),
        },
        rows: this.failures.flatMap(({ seed, faults, command }) =>
          faults.map((fault) => ({ seed, fault, command })),
        ),
      },
    ];
  }

  #kind(by: KindOfGuest): Kind {
    const key = `${by.virtualization === 'shadow' ? 0 : 1} ${kindName(by)}`;
    const kind = this.#kinds.get(key) ?? { ...by, ...nothing() };
    this.#kinds.set(key, kind);
    return kind;
  }
}

const kindName = ({ virtualization, discipline, paging }: KindOfGuest): string =>
  `${virtualization === 'shadow' ? discipline : virtualization}, ${paging}`;

const sumsOf = (counted: Statistics, killed: boolean): Sums => ({
  guests: 1,
  killed: Number(killed),
  operations: counted.operations,
  faults: counted.faults_fixed + counted.faults_passed_on,
  migrations: counted.migrations,
  shootdowns: counted.shootdowns,
});

function addTo(sums: Sums, counted: Sums): void {
  for (const name of SUMMED) sums[name] += counted[name];
}

/** Runs by kind of guest. */
export const stressTable = ({ kinds }: StressTotals): PageTable => ({
  caption: 'What was run',
  head: ['kind', 'guests', 'operations', 'faults', 'migrations', 'shootdowns', 'killed'],
  rows: kinds.map((kind) => [
    kindName(kind),
    ...[kind.guests, kind.operations, kind.faults, kind.migrations, kind.shootdowns].map(grouped),
    grouped(kind.killed),
  ]),
});

/** `columns`: how wide the table may be. */
export function formatStress(totals: StressTotals, seconds: number, columns?: number): string {
  const { runs, cutShort, seed, sums, failures, checks } = totals;
  const { firstFailure: first } = totals;
  const verdict =
    first === undefined
      ? 'nothing wrong'
      : `${grouped(failures.length)} went wrong, the first after ${first.seconds.toFixed(1)} ` +
        's in run ' +
        grouped(first.runs);
  const { head: named, rows } = stressTable(totals);
  const head = ['', ...named.slice(1)];
  return [
    `${grouped(runs)} run${runs === 1 ? '' : 's'} from seed ${seed} in ${seconds.toFixed(0)} s` +
      `${cutShort === 0 ? '' : `, the last${cutShort === 1 ? '' : ` ${cutShort}`} cut short`}: ` +
      `${grouped(sums.operations)} operations, ${grouped(sums.faults)} faults, ` +
      `${grouped(sums.migrations)} migrations; ${grouped(checks)} checks passed, ${verdict}`,
    ...(rows.length === 0 ? [] : [tableText({ head, rows }, { columns })]),
    '',
  ].join('\n');
}
