/**
 * The effects of a migration: a vCPU's rates just before it moved and just after, from a run's
 * events.
 */

import { EventKind, PutDownFor } from '../../../shared/events.ts';
import type { CostTable } from '../../cost/model.ts';
import type { TracedEvent } from '../../trace/recorder.ts';
import { type Estimate, estimate } from '../statistics.ts';

/** Why a vCPU was put down before it went on elsewhere. */
export const CAUSES = [
  'its slice was over',
  'no tables were free',
  'it waited for an interrupt',
  'not known',
] as const;

const REASONS: Readonly<Record<number, Cause>> = {
  [PutDownFor.Preemption]: 'its slice was over',
  [PutDownFor.Tables]: 'no tables were free',
  [PutDownFor.Interrupt]: 'it waited for an interrupt',
};

export type Cause = (typeof CAUSES)[number];

/** At least so many operations of a vCPU on either side of a move are compared. */
export const WINDOW = 1000;

/** Counts of a vCPU there; `cycles` without its own accesses. */
export interface Side {
  readonly entries: number;
  readonly walks: number;
  readonly faults: number;
  readonly remaps: number;
  readonly cycles: number;
}

export const SIDES = ['entries', 'walks', 'faults', 'remaps', 'cycles'] as const;

export interface Move {
  readonly vcpu: number;
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly cause: Cause;
  /**
   * In the stays of WINDOW operations or more after it, and in as many operations before. Undefined
   * where there were fewer, or nothing was counted.
   */
  readonly before: Side | undefined;
  readonly after: Side | undefined;
}

/** From going in until coming out, on one host CPU. */
interface Stay {
  operations: number;
  walks: number;
  remaps: number;
  faults: number;
  /** It began with a move. */
  readonly moved: boolean;
}

/** A guest's counts on a host CPU so far. */
interface Counts {
  readonly operations: number;
  readonly walks: number;
  readonly remaps: number;
}

const NOTHING: Counts = { operations: 0, walks: 0, remaps: 0 };

/** `guestOf`: of each vCPU, by its machine-wide number. `events`: from the machine's boot on. */
export function movesOf(
  events: readonly TracedEvent[],
  hostCpus: number,
  guestOf: readonly number[],
  costs: Pick<CostTable, 'cycles'>,
): Move[] {
  const stays = new Map<number, Stay[]>();
  const begun: Begun[] = [];
  const counted = Array.from({ length: hostCpus }, () => new Map<number, Counts>());
  const causes = new Map<number, Cause>();
  const moving = new Set<number>();
  for (const { hostCpu, at, kind, vcpu, a, b, c, lost } of events) {
    // Between two known counts there may have been more than one stay.
    if (lost > 0) for (const guest of counted[hostCpu]!.keys()) counted[hostCpu]!.delete(guest);
    const own = stays.get(vcpu) ?? [];
    stays.set(vcpu, own);
    switch (kind) {
      case EventKind.Migration: {
        const cause = causes.get(vcpu) ?? 'not known';
        begun.push({ vcpu, at, from: a, to: hostCpu, cause, index: own.length });
        moving.add(vcpu);
        break;
      }
      case EventKind.Entry:
        own.push({ ...NOTHING, faults: 0, moved: moving.delete(vcpu) });
        break;
      case EventKind.Counted: {
        const guest = guestOf[vcpu]!;
        const now = { operations: a, walks: b, remaps: c };
        const stay = own.at(-1);
        if (stay !== undefined) add(stay, now, counted[hostCpu]!.get(guest) ?? NOTHING);
        counted[hostCpu]!.set(guest, now);
        break;
      }
      case EventKind.FaultFixed:
      case EventKind.FaultPassedOn: {
        const stay = own.at(-1);
        if (stay !== undefined) stay.faults++;
        break;
      }
      case EventKind.PutDown:
        causes.set(vcpu, REASONS[a] ?? 'not known');
    }
  }
  return begun.map(({ index, ...move }) => {
    const own = stays.get(move.vcpu)!;
    const before = sideOf(own, index - 1, -1, costs);
    const after = sideOf(own, index, 1, costs);
    return { ...move, before: before && after && inAsMany(before, after.operations), after };
  });
}

function add(stay: Stay, now: Counts, before: Counts): void {
  stay.operations = (now.operations - before.operations) >>> 0;
  stay.walks = (now.walks - before.walks) >>> 0;
  stay.remaps = (now.remaps - before.remaps) >>> 0;
}

interface Begun extends Omit<Move, 'before' | 'after'> {
  /** Of the first stay behind it. */
  readonly index: number;
}

interface Stretch extends Side {
  readonly operations: number;
}

/** In so many operations at the same rates: what is counted is known of whole stays only. */
function inAsMany(stretch: Stretch, operations: number): Side {
  const times = operations / stretch.operations;
  return Object.fromEntries(SIDES.map((side) => [side, stretch[side] * times])) as unknown as Side;
}

/** Whole stays from one on, until there are WINDOW operations, and not beyond another move. */
function sideOf(
  own: readonly Stay[],
  from: number,
  step: 1 | -1,
  { cycles }: Pick<CostTable, 'cycles'>,
): Stretch | undefined {
  const sum = { operations: 0, entries: 0, walks: 0, faults: 0, remaps: 0, moves: 0 };
  for (let i = from; i >= 0 && i < own.length && sum.operations < WINDOW; i += step) {
    const stay = own[i]!;
    if (step === 1 && i > from && stay.moved) break;
    sum.operations += stay.operations;
    sum.entries++;
    sum.walks += stay.walks;
    sum.faults += stay.faults;
    sum.remaps += stay.remaps;
    if (stay.moved) sum.moves++;
    if (step === -1 && stay.moved) break;
  }
  if (sum.operations < WINDOW || sum.walks === 0) return undefined;
  const spent =
    sum.entries * (cycles.world_switch + 2 * cycles.cr3_load + cycles.host_refill) +
    sum.walks * 2 * cycles.walk_reference +
    sum.faults * cycles.demand_page +
    sum.remaps * cycles.switcher_remap +
    (step === 1 ? sum.moves * cycles.migration : 0);
  return { ...sum, cycles: spent };
}

export type Difference = Readonly<Record<(typeof SIDES)[number], Estimate>>;

/**
 * How much more there is after a move than before, move by move; undefined where it cannot be
 * told.
 */
export function differenceOf(moves: readonly Move[]): Difference | undefined {
  const whole = moves.flatMap(({ before, after }) => (before && after ? [{ before, after }] : []));
  if (whole.length === 0) return undefined;
  return Object.fromEntries(
    SIDES.map((side) => [
      side,
      estimate(whole.map(({ before, after }) => after[side] - before[side])),
    ]),
  ) as Difference;
}
