/**
 * Which steps are told. Of a run's some 700 steps most are irrelevant: uncontended locks, counts
 * and queues, and words that no other vCPU accesses in this run. Told are changes of words that
 * several vCPUs access, and reads of words that another changes: page table entries, guest memory,
 * records of pgdirs, a freed page, a contended lock.
 */

import { POISON } from '../../../shared/frames.ts';
import type { Flag } from '../../report/story.ts';
import { Access as Kind, onlyReads } from '../engine/access.ts';
import { type Access, actorOf, changes } from './blame.ts';
import type { PlaceKind } from './places.ts';

/** Roles that are told if other vCPUs are concerned. */
const TOLD: ReadonlySet<PlaceKind> = new Set([
  ...(['entry', 'upper', 'guestEntry', 'guestUpper', 'guestWord'] as const),
  ...(['hostCpu', 'truth', 'gpa', 'gva', 'ptr', 'map'] as const),
]);

interface Word {
  readonly actors: Set<number>;
  readonly changers: Set<number>;
}

/**
 * `flags`: flagged steps, which are always told. After step `until` only accesses of the words to
 * blame are.
 */
export function stepsToTell(
  steps: readonly Access[],
  flags: ReadonlyMap<number, readonly Flag[]>,
  until: number,
): Access[] {
  const isBlamed = ({ number }: Access): boolean =>
    flags.get(number)?.some((flag) => flag !== 'break') ?? false;
  const blamed = new Set(steps.filter(isBlamed).map(({ at }) => at));
  const idle = idleReads(steps);
  const inVain = writesInVain(steps);
  const words = new Map<number, Word>();
  for (const step of steps) {
    const word = words.get(step.at) ?? { actors: new Set(), changers: new Set() };
    words.set(step.at, word);
    word.actors.add(actorOf(step));
    if (changes(step)) word.changers.add(actorOf(step));
  }
  const isTold = (step: Access): boolean => {
    if (flags.has(step.number) || isHardware(step)) return true;
    if (step.number > until && !blamed.has(step.at)) return false;
    if (isWaiting(step) || frees(step)) return true;
    if (!TOLD.has(step.place.kind) && !blamed.has(step.at)) return false;
    const { actors, changers } = words.get(step.at)!;
    if (actors.size < 2) return false;
    if (changes(step) || isBuffered(step) || inVain.has(step)) return true;
    if (!onlyReads(step.kind) || idle.has(step)) return false;
    return [...changers].some((actor) => actor !== actorOf(step));
  };
  return withoutRepeats(steps.filter(isTold), flags);
}

/** Acts of hardware. */
const isHardware = ({ kind }: Access): boolean => kind === Kind.Evict || kind === Kind.Move;

/** A store that is in its CPU's buffer and not in memory yet. */
export const isBuffered = (step: Access): boolean =>
  step.kind === Kind.Write && step.value >>> 0 !== step.after[0];

/** Reads of a word that the reader repeats before another vCPU has changed it. */
function idleReads(steps: readonly Access[]): Set<Access> {
  const idle = new Set<Access>();
  const standing = new Map<number, Access[]>();
  for (const step of steps) {
    const reads = standing.get(step.at) ?? [];
    for (const read of reads) if (actorOf(read) === actorOf(step)) idle.add(read);
    const others = reads.filter((read) => actorOf(read) !== actorOf(step) && !changes(step));
    standing.set(step.at, onlyReads(step.kind) ? [...others, step] : others);
  }
  return idle;
}

/** Writes of the same value, to a word that another changed last. */
function writesInVain(steps: readonly Access[]): Set<Access> {
  const inVain = new Set<Access>();
  const changer = new Map<number, number>();
  for (const step of steps) {
    const last = changer.get(step.at) ?? actorOf(step);
    if (changes(step)) changer.set(step.at, actorOf(step));
    else if (!onlyReads(step.kind) && last !== actorOf(step)) inVain.add(step);
  }
  return inVain;
}

/** A lock that another holds. */
const isWaiting = (step: Access): boolean =>
  step.place.kind === 'lock' && step.kind === Kind.CompareExchange && step.before[0] !== 0;

/** A frame is poisoned when it is freed. */
export const frees = (step: Access): boolean =>
  step.kind === Kind.Fill && step.value >>> 0 === POISON;

/** Rereading an unchanged word is not told. */
function withoutRepeats(steps: readonly Access[], flags: ReadonlyMap<number, unknown>): Access[] {
  const seen = new Map<string, number>();
  return steps.filter((step) => {
    const key = `${actorOf(step)},${step.at}`;
    const repeats = seen.get(key) === step.after[0] && onlyReads(step.kind);
    seen.set(key, step.after[0]);
    return !repeats || flags.has(step.number);
  });
}
