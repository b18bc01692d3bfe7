/**
 * Which operations of different vCPUs overlapped in a run: one took a step between two steps of the
 * other. The host's work for an operation is part of it: an operation that leaves the guest lasts
 * until its column's next one begins.
 */

import type { Decisions } from '../engine/controller.ts';
import type { Litmus } from './litmus.ts';

/** Two operations, each by its column and its place there; the lower column first. */
export interface Pair {
  readonly a: Operation;
  readonly b: Operation;
}

export interface Operation {
  readonly vcpu: number;
  readonly place: number;
}

/** All pairs of operations of different vCPUs. */
export function pairsOf({ vcpus }: Litmus): Pair[] {
  const all = vcpus.flatMap(({ ops }, vcpu) => ops.map((_, place) => ({ vcpu, place })));
  return all.flatMap((a) => all.filter((b) => b.vcpu > a.vcpu).map((b) => ({ a, b })));
}

/** Before which step of the run something happened, and on which host CPU. */
interface When {
  readonly step: number;
  readonly current: number;
}

/** From the first to the last step. */
type Span = readonly [from: number, to: number];

/** When the operations of a run began and ended. The first report counts: replays repeat it. */
export class Timeline {
  /** For each column; after its operations, its end. */
  #began: When[][] = [];
  #ended: When[][] = [];

  /** A run begins. */
  reset(): void {
    this.#began = [];
    this.#ended = [];
  }

  begins(vcpu: number, place: number, now: When): void {
    note(this.#began, vcpu, place, now);
  }

  ends(vcpu: number, place: number, now: When): void {
    note(this.#ended, vcpu, place, now);
  }

  /** For each column the spans of its operations that took steps. */
  spans(switches: Decisions['turns'], steps: number, cpus: number): (Span | undefined)[][] {
    const stretches = stretchesOf(switches, steps, cpus);
    return this.#began.map((places, vcpu) =>
      places.map((from, place) => {
        const end = this.#ended[vcpu]?.[place] ?? places[place + 1];
        const until = end ?? { step: steps, current: from.current };
        const first = stretches[from.current]!.find(([, to]) => to >= from.step);
        const last = stretches[until.current]!.findLast(([begins]) => begins < until.step);
        if (first === undefined || last === undefined) return undefined;
        const span = [Math.max(first[0], from.step), Math.min(last[1], until.step - 1)] as const;
        return span[0] <= span[1] ? span : undefined;
      }),
    );
  }
}

function note(all: When[][], vcpu: number, place: number, { step, current }: When): void {
  all[vcpu] ??= [];
  all[vcpu][place] ??= { step, current };
}

/** For each CPU, its stretches of steps without a switch. */
function stretchesOf(switches: Decisions['turns'], steps: number, cpus: number): Span[][] {
  const stretches: Span[][] = Array.from({ length: cpus }, () => []);
  let [current, from] = [0, 0];
  const until = (step: number): void => {
    if (step > from) stretches[current]!.push([from, step - 1]);
  };
  for (let i = 0; i < switches.length; i += 2) {
    const [step, actor] = [switches[i]!, switches[i + 1]!];
    until(step);
    from = step;
    // A step of hardware ends no stretch: the CPU goes on.
    if (actor < cpus) current = actor;
    else from++;
  }
  until(steps);
  return stretches;
}

/** Whether the two of a pair overlapped. */
export function overlapped(
  spans: readonly (readonly (Span | undefined)[])[],
  { a, b }: Pair,
): boolean {
  const [one, other] = [spans[a.vcpu]?.[a.place], spans[b.vcpu]?.[b.place]];
  return one !== undefined && other !== undefined && one[0] <= other[1] && other[0] <= one[1];
}
