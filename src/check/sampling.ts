/**
 * Looking at a machine while it runs: stop all CPUs at safe points, look, let them go on.
 * The first violation ends the run, so that memory stays as it was found.
 */

import type { HostEvent } from '../../shared/events.ts';
import type { Host } from '../../shared/host.ts';
import { pause, resume } from '../host/safe-point.ts';
import { letGo } from '../platform.ts';
import { ProgressWatcher } from './progress.ts';
import type { Check, Violation } from './violation.ts';

/** The part of a machine that is needed. */
export interface Watched {
  readonly host: Host;
  /** Let the CPUs leave their loops. */
  interrupt(): void;
  /** End the run though they do not. */
  giveUp(message: string): void;
}

export interface Watching {
  /** Stop and look this often; never if undefined. */
  readonly sampleEveryMs?: number | undefined;
  /** See Patience. */
  readonly patienceMs: number;
}

export interface Sampling {
  /** How often all the checks found nothing. */
  readonly passed: number;
  /** Of the first time that they found something. */
  readonly violations: readonly Violation[];
  /** Each host CPU's last events, as they were then; empty without a violation. */
  readonly events: readonly HostEvent[];
}

const NOTHING = { violations: [], events: [] };

/** How often the watcher looks whether anything goes on, as a part of its patience. */
const LOOKS = 8;

/** Watch a run until it is over, or something is wrong. */
export async function watchRun(
  machine: Watched,
  run: Promise<unknown>,
  check: Check,
  { sampleEveryMs, patienceMs }: Watching,
): Promise<Sampling> {
  const { host } = machine;
  const watcher = new ProgressWatcher(host, { stallMs: patienceMs });
  let over = false;
  const ended = (): void => {
    over = true;
  };
  const end = run.then(ended, ended);
  let passed = 0;
  let stalled: readonly Violation[] = [];
  // A machine that hangs does not reach safe points either.
  const isOver = (): boolean => {
    stalled = over ? [] : watcher.look();
    return over || stalled.length > 0;
  };
  for (;;) {
    await Promise.race([sleep(sampleEveryMs ?? patienceMs / LOOKS), end]);
    if (isOver()) break;
    if (sampleEveryMs === undefined) continue;
    if (!(await pause(host, isOver))) break;
    const violations = check(host);
    if (violations.length > 0) {
      const events = lastEvents(host);
      machine.interrupt();
      resume(host);
      return { passed, violations, events };
    }
    passed++;
    resume(host);
    watcher.excuse();
  }
  if (stalled.length === 0) return { passed, ...NOTHING };
  machine.giveUp(stalled[0]!.text);
  return { passed, violations: stalled, events: lastEvents(host) };
}

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => letGo(setTimeout(resolve, ms)));

const lastEvents = (host: Host): HostEvent[] =>
  host.cpus.flatMap(({ index }) => host.events.last(index));
