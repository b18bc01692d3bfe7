/**
 * The two accesses to blame: of one word, by two vCPUs (or CPUs), at least one of them a write, the
 * later one at or before the break.
 *
 * With a passing schedule for comparison, they are a pair that comes in another order there, or not
 * at all, preferably of the word of the breaking step, and preferably late. Without one it is a
 * heuristic: if the word of the breaking step was last written by another vCPU (or, when that step
 * writes, accessed by another), those two; else the last pair before the break in which the
 * breaking vCPU uses what another had changed, or another changes what it had read; entries of
 * tables first.
 */

import { frameOf } from '../../hardware/address.ts';
import { Access as Kind, onlyReads } from '../engine/access.ts';
import type { Place, PlaceKind } from './places.ts';
import type { RecordedStep } from './recording.ts';

export interface Access extends RecordedStep {
  readonly place: Place;
  /** The use of the frame that the place is in. */
  readonly frameName: string;
}

export interface Pair {
  readonly first: Access;
  readonly second: Access;
  /** The same two in the passing run, where the second came first, or one is missing. */
  readonly how: 'other order' | 'not there' | 'guess';
}

/** The accessing vCPU, wherever it runs, or a CPU without a running vCPU. */
export const actorOf = ({ vcpu, hostCpu }: RecordedStep): number =>
  vcpu >= 0 ? vcpu : -1 - hostCpu;

export const changes = ({ before, after }: RecordedStep): boolean =>
  before[0] !== after[0] || before[1] !== after[1];

const RANKS: Readonly<Partial<Record<PlaceKind, number>>> = {
  entry: 4,
  guestEntry: 4,
  upper: 4,
  guestUpper: 4,
  hostCpu: 3,
  truth: 3,
  gpa: 3,
  gva: 3,
  ptr: 3,
  map: 3,
  guestWord: 3,
  register: 2,
  frameCount: 2,
  count: 1,
};

/** Locks, queues and sections order accesses and are never to blame; counts rarely. */
const rankOf = ({ place }: Access): number => RANKS[place.kind] ?? 0;

/** `breaks`: the step, or the number of steps where there is none. */
export function pairToBlame(
  failing: readonly Access[],
  breaks: number,
  passing: readonly Access[] | undefined,
): Pair | undefined {
  const told = failing.slice(0, breaks + 1);
  const pairs = conflicts(told);
  return (passing && compared(pairs, failing, passing, breaks)) ?? guessed(pairs, told.at(-1));
}

interface Conflict {
  readonly first: Access;
  readonly second: Access;
}

/** Each access with earlier conflicting ones of the same word, nearest first. */
function conflicts(steps: readonly Access[]): Conflict[] {
  const byWord = new Map<number, Access[]>();
  const fills = new Map<number, Access>();
  const found: Conflict[] = [];
  for (const second of steps) {
    if (rankOf(second) === 0) continue;
    const earlier = byWord.get(second.at) ?? [];
    byWord.set(second.at, earlier);
    // Filling a frame writes each word of it.
    const fill = fills.get(frameOf(second.at));
    if (fill !== undefined && !earlier.includes(fill)) earlier.push(fill);
    if (second.kind === Kind.Fill) fills.set(frameOf(second.at), second);
    for (const first of earlier.toSorted((a, b) => b.number - a.number)) {
      if (actorOf(first) === actorOf(second)) {
        if (changes(first)) break;
        continue;
      }
      if (onlyReads(first.kind) && (onlyReads(second.kind) || !changes(second))) continue;
      if (!onlyReads(first.kind) && !changes(first) && !changes(second)) continue;
      found.push({ first, second });
      if (changes(first)) break;
    }
    earlier.push(second);
  }
  return found;
}

/** The pair whose order differs between the two runs, nearest to the break. */
function compared(
  pairs: readonly Conflict[],
  failing: readonly Access[],
  passing: readonly Access[],
  breaks: number,
): Pair | undefined {
  const [here, there] = [keysOf(failing), keysOf(passing)];
  const placeThere = new Map(there.map((key, i) => [key, i]));
  const breakWord = failing[breaks]?.at;
  let best: Pair | undefined;
  let bestScore: readonly number[] = [];
  for (const { first, second } of pairs) {
    const [a, b] = [first, second].map(({ number }) => placeThere.get(here[number]!));
    const how =
      a === undefined || b === undefined ? 'not there' : a > b ? 'other order' : undefined;
    if (how === undefined) continue;
    const score = [
      first.at === breakWord ? 1 : 0,
      rankOf(second) > 1 ? 1 : 0,
      how === 'other order' ? 1 : 0,
      rankOf(second),
      second.number,
    ];
    if (best !== undefined && compare(score, bestScore) <= 0) continue;
    best = { first, second, how };
    bestScore = score;
  }
  return best;
}

/** A key of each access: actor, place in the source, kind, word, and occurrence. */
export function keysOf(steps: readonly Access[]): string[] {
  const counts = new Map<string, number>();
  return steps.map((step) => {
    const { file, line, through } = step.where;
    const key = [actorOf(step), file, line, through, step.kind, step.place.name].join();
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return `${key},${count}`;
  });
}

function guessed(pairs: readonly Conflict[], breaks: Access | undefined): Pair | undefined {
  if (breaks === undefined) return undefined;
  const atBreak = pairs.findLast(({ second }) => second.number === breaks.number);
  if (atBreak !== undefined) return { ...nearest(pairs, atBreak), how: 'guess' };
  let best: Conflict | undefined;
  for (const pair of pairs) {
    if (!concerns(pair, actorOf(breaks))) continue;
    if (best === undefined || rankOf(pair.second) >= rankOf(best.second)) best = pair;
  }
  return best && { ...best, how: 'guess' };
}

/** It uses what another has changed, or another changes what it has read. */
function concerns({ first, second }: Conflict, actor: number): boolean {
  if (actorOf(second) === actor) return changes(first);
  return actorOf(first) === actor && onlyReads(first.kind) && changes(second);
}

/** Of pairs with the same second access, the one whose first is the nearest before it. */
const nearest = (pairs: readonly Conflict[], { second }: Conflict): Conflict =>
  pairs.find((pair) => pair.second === second)!;

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i < 0 ? 0 : a[i]! - (b[i] ?? Number.NEGATIVE_INFINITY);
}
