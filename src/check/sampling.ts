/**
 * Looking at a machine while it runs: stop all CPUs at safe points, look, let them go on.
 * The first violation ends the run, so that memory stays as it was found.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { HostEvent } from '../../shared/events.ts';
import type { Host } from '../../shared/host.ts';
import { pause, resume } from '../host/safe-point.ts';
import { type Patience, ProgressWatcher } from './progress.ts';
import type { Check, Violation } from './violation.ts';

/** What of a machine is needed. */
export interface Sampled {
  readonly host: Host;
  /** Let the CPUs leave their loops. */
  interrupt(): void;
}

export interface SamplingOptions extends Patience {
  readonly everyMs: number;
  /** When the run is over. */
  readonly until: Promise<unknown>;
}

export interface Sampling {
  /** How often all the checks found nothing. */
  readonly passed: number;
  /** Of the first time that they found something. */
  readonly violations: readonly Violation[];
  /** Each host CPU's last events, as they were then; empty without a violation. */
  readonly events: readonly HostEvent[];
}

export async function samplePeriodically(
  machine: Sampled,
  checks: readonly Check[],
  { everyMs, until, ...patience }: SamplingOptions,
): Promise<Sampling> {
  const { host } = machine;
  const watcher = new ProgressWatcher(host, patience);
  let over = false;
  const ended = (): void => {
    over = true;
  };
  const end = until.then(ended, ended);
  let passed = 0;
  // A machine that stands still does not come to safe points either.
  let stalled: readonly Violation[] = [];
  const givesUp = (): boolean => {
    stalled = over ? [] : watcher.look();
    return over || stalled.length > 0;
  };
  for (;;) {
    await Promise.race([sleep(everyMs, undefined, { ref: false }), end]);
    if (givesUp() || !(await pause(host, givesUp))) break;
    const violations = checks.flatMap((check) => check(host));
    if (violations.length > 0) return stop(machine, passed, violations);
    passed++;
    resume(host);
    watcher.excuse();
  }
  return stalled.length > 0 ? stop(machine, passed, stalled) : { passed, ...NOTHING };
}

const NOTHING = { violations: [], events: [] };

/** The CPUs leave their loops from where they stand. */
function stop(machine: Sampled, passed: number, violations: readonly Violation[]): Sampling {
  const { host } = machine;
  const events = host.cpus.flatMap(({ index }) => host.events.last(index));
  machine.interrupt();
  resume(host);
  return { passed, violations, events };
}
