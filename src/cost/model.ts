/**
 * Simulated cycles: how often each event happened, times what it costs.
 *
 * All of it is computed after the run from what was counted, so the run is the same
 * whatever the costs, and equal counters have equal cycles.
 *
 * See docs/decisions/cycles-from-counters.md.
 */

import type { Counters } from '../../shared/counters.ts';
import { PRESETS, type PresetName } from './presets.ts';
import { type ByEvent, byEvent, EVENT_IDS, type EventId, occurrencesOf } from './table.ts';

/** The cost table, which every report names. */
export interface CostTable {
  readonly preset: PresetName;
  /** The events whose cost is not the preset's. */
  readonly overridden: readonly EventId[];
  /** Cycles of one event. */
  readonly cycles: ByEvent<number>;
}

/** How often each event happened. */
export type Occurrences = ByEvent<number>;

/** The result. */
export interface Bill {
  /** Of all events together. */
  readonly cycles: number;
  readonly by_event: ByEvent<{
    readonly count: number;
    readonly cycles: number;
    /** Of all cycles, from 0 to 1; 0 when there are none. */
    readonly share: number;
  }>;
}

/** The year in which lguest came into Linux. */
export const DEFAULT_PRESET: PresetName = 'core2';

/** A preset, but for the costs that are given, in cycles. */
export function costTable(
  preset: PresetName = DEFAULT_PRESET,
  costs: Partial<ByEvent<number | undefined>> = {},
): CostTable {
  const { entries } = PRESETS[preset];
  return {
    preset,
    overridden: EVENT_IDS.filter((id) => costs[id] !== undefined),
    cycles: byEvent((id) => costs[id] ?? entries[id].cycles),
  };
}

/** Of what one host CPU counted for one guest. */
export const occurrences = (counters: Pick<Counters, 'get'>, pae: boolean): Occurrences =>
  occurrencesOf((counter) => counters.get(counter), pae);

export const sumOf = (parts: readonly Occurrences[]): Occurrences =>
  byEvent((id) => parts.reduce((n, part) => n + part[id], 0));

/** Of a run, on average. */
export const meanOf = (runs: readonly Occurrences[]): Occurrences =>
  byEvent((id) => sumOf(runs)[id] / runs.length);

export function billOf(happened: Occurrences, { cycles }: Pick<CostTable, 'cycles'>): Bill {
  const total = cyclesOf(happened, cycles);
  return {
    cycles: total,
    by_event: byEvent((id) => {
      const part = happened[id] * cycles[id];
      return { count: happened[id], cycles: part, share: total === 0 ? 0 : part / total };
    }),
  };
}

/** Of all events together. */
export const cyclesOf = (happened: Occurrences, cycles: ByEvent<number>): number =>
  EVENT_IDS.reduce((n, id) => n + happened[id] * cycles[id], 0);
