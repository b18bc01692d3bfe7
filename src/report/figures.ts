/**
 * Figures of a run by name, for sweeps and thresholds. Counts are named as in a report's JSON;
 * figures that depend on the clock are marked.
 */

import { COUNTER_INFOS, HYPERCALL_NAMES } from '../../shared/counters.ts';
import type { Bill } from '../cost/model.ts';
import { EVENT_IDS, EVENTS, type EventId } from '../cost/table.ts';
import { UserError } from '../errors.ts';
import { didYouMean } from '../yaml/closest.ts';
import type { RunReport, Statistics } from './run-report.ts';
import type { Measure } from './study-result.ts';

export interface Figure extends Measure {
  /** It hangs on how fast this machine was just then. */
  readonly isTime?: true;
  /** There is nothing to be said against more of it. */
  readonly moreIsBetter?: true;
}

/** The part of the cycles that one event has. */
export const partOf = (id: EventId): string => `cycles_${id}`;

const figure = (title: string, unit: string, description: string, more: Partial<Figure> = {}) => ({
  title,
  unit,
  description,
  ...more,
});

const time = (title: string, unit: string, description: string, more: Partial<Figure> = {}) =>
  figure(title, unit, description, { ...more, isTime: true });

const RATE = { moreIsBetter: true } as const;

/** Figures of a machine, a guest or a host CPU, beside the counters themselves. */
const COUNTS: Readonly<Record<string, Figure>> = {
  accesses: figure(
    'Accesses',
    'accesses',
    'memory access that completed: of programs, kernels and Switcher',
    RATE,
  ),
  tlb_hits: figure('TLB hits', 'accesses', 'access that the TLB answered', RATE),
  ...Object.fromEntries(
    COUNTER_INFOS.map(({ id, title, unit, is }) => [id, figure(title, unit, is)]),
  ),
  hypercalls: figure('Hypercalls', 'hypercalls', 'hypercall of any kind'),
};

/** The most used first. */
export const FIGURES: Readonly<Record<string, Figure>> = {
  cycles: figure('Cycles', 'cycles', 'simulated, of all host CPUs'),
  cycles_lost: figure(
    'Cycles lost',
    'cycles',
    'simulated, without the guest’s own accesses: the cost of virtualization and migration',
  ),
  cycles_per_access: figure(
    'Cycles per access',
    'cycles',
    'simulated cycles per completed memory access',
  ),
  cycles_per_slice: figure(
    'Cycles per slice',
    'cycles',
    'simulated cycles per time slice: at 2.4 GHz 2.4 million are a millisecond',
  ),
  faults: figure('Faults', 'faults', 'page fault, fixed or passed on'),
  slices: figure('Slices', 'slices', 'time slice that began'),
  ...COUNTS,
  ...Object.fromEntries(
    Object.values(HYPERCALL_NAMES).map((name) => [
      `hypercalls.${name}`,
      figure(name, 'hypercalls', `hypercall ${name}`),
    ]),
  ),
  ...Object.fromEntries(
    EVENT_IDS.map((id) => [
      partOf(id),
      figure(`Cycles, ${id}`, 'cycles', EVENTS[id].title, { detail: true }),
    ]),
  ),
  seconds: time('Seconds', 's', 'from the first entry to the end, in real time'),
  accesses_per_s: time('Accesses per second', 'accesses/s', 'of all guests, in real time', RATE),
  faults_per_s: time('Faults per second', 'faults/s', 'fixed and passed on, in real time', RATE),
};

/** Names of the counts of each machine, guest and host CPU; kinds after a dot. */
export const COUNTED: readonly string[] = Object.keys(COUNTS);

/** Throws UserError for a name that there is none of. */
export function figureNamed(name: string): Figure {
  const found = Object.hasOwn(FIGURES, name) ? FIGURES[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(FIGURES);
  throw new UserError(
    `found the figure '${name}', expected one of ${names.join(', ')}${didYouMean(name, names)}`,
  );
}

type Times = Pick<RunReport, 'seconds' | 'accesses_per_s' | 'faults_per_s'>;

/** What figures are made of: a report has it, and so has a machine whose CPUs took turns. */
export interface Figured extends Partial<Times> {
  readonly total: Statistics;
  readonly costs: { readonly total: Bill };
  readonly slices: number;
}

/** All figures of a run; without times if it was not timed. */
export function figuresOf({ total, costs, slices, ...times }: Figured): Record<string, number> {
  const { cycles, by_event } = costs.total;
  const { hypercalls, ...counted } = total;
  const flat = Object.entries(counted).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [[name, value] as const]
      : Object.entries(value).map(([kind, n]) => [`${name}.${kind}`, n] as const),
  );
  const { seconds, accesses_per_s, faults_per_s } = times;
  return {
    cycles,
    cycles_lost: cycles - by_event.access.cycles,
    cycles_per_access: cycles / total.accesses,
    cycles_per_slice: cycles / slices,
    faults: total.faults_fixed + total.faults_passed_on,
    slices,
    ...Object.fromEntries(flat),
    hypercalls: Object.values(hypercalls).reduce((sum, n) => sum + n, 0),
    ...Object.fromEntries(
      Object.values(HYPERCALL_NAMES).map((name) => [`hypercalls.${name}`, hypercalls[name] ?? 0]),
    ),
    ...Object.fromEntries(EVENT_IDS.map((id) => [partOf(id), by_event[id].cycles])),
    ...(seconds !== undefined && { seconds }),
    ...(accesses_per_s !== undefined && { accesses_per_s }),
    ...(faults_per_s !== undefined && { faults_per_s }),
  };
}
