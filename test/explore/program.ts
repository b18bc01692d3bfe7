/** Programs that are only steps, to try strategies without a machine. */

import { Access } from '../../src/explore/engine/access.ts';
import type { Decisions } from '../../src/explore/engine/controller.ts';
import { Fairness, fairnessWords } from '../../src/explore/engine/fairness.ts';
import {
  isRunnable,
  type Situation,
  type Strategy,
} from '../../src/explore/strategies/strategy.ts';
import { type Ptr, toPtr } from '../../src/hardware/address.ts';

/** A thread, and the number of steps it must have taken. */
export type Reached = readonly [thread: number, steps: number];

export interface ProgramStep {
  readonly kind?: Access;
  readonly at?: number;
  /** It sleeps until then. */
  readonly sleepsUntil?: Reached;
  /** It polls until then; each attempt is a step too, */
  readonly spinsUntil?: Reached;
  /** or this many steps. */
  readonly attempt?: number;
}

export type Program = readonly (readonly ProgramStep[])[];

/** Threads of these numbers of steps, at words of their own. */
export const plainProgram = (...lengths: readonly number[]): Program =>
  lengths.map((length, i) => Array.from({ length }, () => ({ at: i + 1 })));

export interface Played {
  /** The thread of each step. */
  readonly order: readonly number[];
  readonly decisions: Decisions;
  /** Steps at which a runnable thread was preempted. */
  readonly preemptions: number;
}

/** More than any program here takes. */
const MOST_STEPS = 10_000;

/** A number is drawn after every so many steps. */
const DRAWN_EVERY = 5;

/** One run of a program: the strategy decides where Controller would ask, by default as fairly. */
export function play(
  program: Program,
  strategy: Strategy,
  seed: number,
  fairness: Pick<Fairness, 'triedInVain' | 'mayGoOn' | 'chosen'> = fairnessOf(program),
): Played {
  const cpus = program.length;
  const order: number[] = [];
  const switches: number[] = [];
  const drawn: number[] = [];
  const taken = program.map(() => 0);
  /** Steps of the thread's current attempt. */
  const tried = program.map(() => 0);
  const pending = (cpu: number): ProgramStep | undefined => program[cpu]![taken[cpu]!];
  const holds = (reached: Reached | undefined): boolean =>
    reached === undefined || taken[reached[0]]! >= reached[1];
  let current = 0;
  let preemptions = 0;
  let relaxes = false;
  strategy.begin(seed, cpus);
  for (;;) {
    let able = 0;
    for (let cpu = 0; cpu < cpus; cpu++) {
      const step = pending(cpu);
      if (step !== undefined && holds(step.sleepsUntil)) able |= 1 << cpu;
    }
    if (able === 0) break;
    if (order.length === MOST_STEPS) throw new Error('the program does not end');
    if (relaxes) fairness.triedInVain(current, able);
    const runnable = fairness.mayGoOn(current, able, relaxes);
    const situation: Situation = {
      step: order.length,
      current,
      cpus,
      actors: cpus,
      events: 0,
      relaxes,
      runnable,
      begins: false,
      operation: 0,
      guardOf: () => undefined,
      pendingKind: (cpu) => (pending(cpu) ? (pending(cpu)!.kind ?? Access.Write) : 0),
      pendingAt: (cpu): Ptr => toPtr(pending(cpu)?.at ?? 0),
    };
    const next = strategy.next(situation);
    if (!isRunnable(runnable, next)) throw new Error(`thread ${next} cannot go on`);
    fairness.chosen(next);
    if (next !== current) {
      switches.push(order.length, next);
      if (isRunnable(runnable, current)) preemptions++;
    }
    current = next;
    const { spinsUntil, attempt = 1 } = pending(next)!;
    const isMade = spinsUntil === undefined || ++tried[next]! === attempt;
    if (isMade) tried[next] = 0;
    relaxes = isMade && !holds(spinsUntil);
    if (isMade && !relaxes) taken[next]!++;
    order.push(next);
    if (order.length % DRAWN_EVERY === 0) drawn.push(strategy.draw());
  }
  strategy.ended?.(order.length, '');
  return { order, decisions: { turns: switches, drawn }, preemptions };
}

const fairnessOf = ({ length }: Program): Fairness =>
  new Fairness(new Uint32Array(fairnessWords(length)));

/** Whether these steps, each a thread and its number from 0, were taken one after the other. */
export function inThisOrder(order: readonly number[], steps: readonly Reached[]): boolean {
  const places = steps.map(([thread, step]) => {
    let seen = 0;
    return order.findIndex((cpu) => cpu === thread && seen++ === step);
  });
  return places.every((place, i) => i === 0 || place > places[i - 1]!);
}
