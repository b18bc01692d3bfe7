/** How long a run took to warm up, and how fast it was then. */

import type { PaceSample } from '../machine.ts';

export interface WarmingUp {
  /** Until a first tenth of a second at nine tenths of the warm rate; null: too short to tell. */
  readonly warm_up_s: number | null;
  /** Accesses per second at which, or at more, half of all accesses were done. */
  readonly warm_accesses_per_s: number | null;
}

/** Seconds of which a rate is taken. */
const WINDOW = 0.1;
/** With fewer windows there is nothing to tell. */
const FEWEST = 5;

export function warmingUp(samples: readonly PaceSample[]): WarmingUp {
  const windows = Math.floor(samples.at(-1)!.seconds / WINDOW);
  if (windows < FEWEST) return { warm_up_s: null, warm_accesses_per_s: null };
  // If a sample came late, the work since the one before is spread evenly.
  const done = Array.from({ length: windows + 1 }, (_, i) => accessesAt(samples, i * WINDOW));
  const rates = done.slice(1).map((accesses, i) => (accesses - done[i]!) / WINDOW);
  const warm = rateOfHalf(rates);
  const first = rates.findIndex((rate) => rate >= 0.9 * warm);
  return { warm_up_s: first * WINDOW, warm_accesses_per_s: warm };
}

/** At which rate, or a higher one, half of all was done. */
function rateOfHalf(rates: readonly number[]): number {
  const sorted = rates.toSorted((a, b) => b - a);
  let left = sorted.reduce((sum, rate) => sum + rate, 0) / 2;
  return sorted.find((rate) => {
    left -= rate;
    return left <= 0;
  })!;
}

function accessesAt(samples: readonly PaceSample[], seconds: number): number {
  const next = samples.findIndex((sample) => sample.seconds >= seconds);
  const [before, after] = [samples[Math.max(0, next - 1)]!, samples[next]!];
  const span = after.seconds - before.seconds;
  const part = span === 0 ? 1 : (seconds - before.seconds) / span;
  return before.accesses + part * (after.accesses - before.accesses);
}
