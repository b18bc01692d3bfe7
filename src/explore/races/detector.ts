/**
 * Races in one run: pairs of accesses of the same word by two host CPUs, at least one of them a
 * write, that are unordered, so that another schedule could make them in the other order.
 *
 * Nearly everything shared is accessed by atomic operations here. If each of them ordered what
 * is around it, as in the memory model of C, a check and the act upon it would never be seen
 * to race. So there are two orders:
 *
 *  by protocol: locks; sections, and waiting until one is left (quiesce); mailboxes; the
 *      hand-over of vCPUs by run queues, starting and interrupts; the last reference to a
 *      frame; the guest's own locked operations on its data. What this leaves unordered and
 *      conflicts is a race.
 *  by publication: the same, and each entry or record that is read comes after what was
 *      written there. It is used for the life of frames only: an entry that leads to a new table
 *      is read after the table was zeroed.
 *
 * Two kinds of races come of it:
 *
 *  data:  a plain access, as the guest's programs make them, or a whole frame that is cleared
 *      or poisoned while it is in use.
 *  order: of an entry or record, by operations that are atomic each. The processor's walk
 *      reads entries whole and updates them by locked operations, so it counts among these.
 *
 * Not reported: two additions, whose order does not matter, and two compare-and-exchanges, the
 * later of which sees the earlier one.
 *
 * See docs/decisions/races-by-protocol.md.
 */

import { frameOf, frameStart, PAGE_WORDS, toPtr } from '../../hardware/address.ts';
import { Access, onlyReads } from '../engine/access.ts';
import type { Step } from '../engine/controller.ts';
import { Clocks } from './clocks.ts';
import type { Spot } from './roles.ts';

export type RaceKind = 'data' | 'order';

/** One side of a race. */
export interface Sighting<Site> {
  readonly cpu: number;
  readonly access: Access;
  readonly site: Site;
  /** The number of its step in the run, from 0. */
  readonly step: number;
}

interface Seen<Site> extends Sighting<Site> {
  readonly writes: boolean;
  /** Moments by the two orders. */
  readonly protocol: number;
  readonly publication: number;
}

/** The accesses of a frame's words since all of it was last written. */
interface Life<Site> {
  readonly filled: Seen<Site> | undefined;
  /** The latest for each CPU, site and kind of access. */
  readonly words: Map<number, { readonly spot: Spot; seen: Seen<Site>[] }>;
}

/** A step as the detector sees it. */
export type Accessed = Pick<Step, 'cpu' | 'kind' | 'at' | 'value' | 'result' | 'before' | 'after'>;

/** `first` came first in this run. */
export type Found<Site> = (
  kind: RaceKind,
  spot: Spot,
  first: Sighting<Site>,
  second: Sighting<Site>,
) => void;

export interface Sources<Site> {
  readonly cpus: number;
  /** Words of an entry. */
  readonly entryWords: number;
  spot(at: Accessed['at']): Spot;
  /** Called within a step only, and not for every one. */
  site(step: Accessed): Site;
}

/** `Site`: the place of an access in the source; equal places are the same object or text. */
export class Detector<Site> {
  readonly #sources: Sources<Site>;
  readonly #found: Found<Site>;
  readonly #protocol: Clocks;
  readonly #publication: Clocks;
  readonly #lives = new Map<number, Life<Site>>();
  #step = -1;

  constructor(sources: Sources<Site>, found: Found<Site>) {
    this.#sources = sources;
    this.#found = found;
    this.#protocol = new Clocks(sources.cpus);
    this.#publication = new Clocks(sources.cpus);
  }

  /** Every step of the run, in order. */
  step(step: Accessed): void {
    this.#step++;
    const { cpu, kind } = step;
    // Hardware's own steps are not accesses: a store was one when it was made.
    if (cpu >= this.#sources.cpus) return;
    const spot = this.#sources.spot(step.at);
    switch (spot.role) {
      case 'aside':
        return;
      case 'lock':
      case 'section':
      case 'mailbox':
      case 'handOver':
      case 'references':
        return this.#synchronise(step, spot);
      default:
        if (kind === Access.Fill) return this.#fill(step, spot);
        if (kind === Access.Scan) return this.#scan(step);
        // A table is copied whole, from an unknown source, which may be any.
        if (kind === Access.Copy && spot.role === 'entry') this.#publication.acquireAll(step.cpu);
        return this.#access(step, spot);
    }
  }

  #synchronise(step: Accessed, { role }: Spot): void {
    const { kind, before, after, value } = step;
    switch (role) {
      case 'lock':
        // A load, or a failed attempt, acquires nothing.
        if (kind === Access.CompareExchange && before[0] === 0) this.#acquire(step);
        if (kind === Access.Exchange) this.#release(step);
        return;
      case 'section':
        // Checking and entering (Dekker): the later one sees the other.
        this.#acquire(step);
        this.#release(step);
        return;
      case 'references':
        // As refcount_t: each put happens before the one that finds the count zero.
        if (kind !== Access.Add || value >= 0) return;
        this.#release(step);
        if (after[0] === 0) this.#acquire(step);
        return;
      case 'mailbox':
        // Other CPUs set bits; all other accesses are the owner's.
        if (kind === Access.Or) this.#release(step);
        else this.#acquire(step);
        return;
      default:
        if (kind !== Access.Store) this.#acquire(step);
        if (!onlyReads(kind)) this.#release(step);
    }
  }

  #acquire({ cpu, at }: Accessed): void {
    this.#protocol.acquire(cpu, at);
    this.#publication.acquire(cpu, at);
  }

  #release({ cpu, at }: Accessed): void {
    this.#protocol.release(cpu, at);
    this.#publication.release(cpu, at);
  }

  #access(step: Accessed, spot: Spot): void {
    const { cpu, kind } = step;
    const isData = spot.role === 'data';
    const writes = !onlyReads(kind) && !hasFailed(step);
    const locked = isData && isLockedUpdate(kind);
    if (locked) this.#acquire({ ...step, at: spot.at });
    if (!isData) this.#publication.acquire(cpu, spot.at);
    this.#meet(spot, this.#seen(step, writes));
    if (locked) this.#release({ ...step, at: spot.at });
    if (!isData && writes) this.#publication.release(cpu, spot.at);
  }

  /** It has read all entries before the first that is present. */
  #scan(step: Accessed): void {
    const { entryWords } = this.#sources;
    const seen = this.#seen(step, false);
    const end = frameStart(frameOf(step.at)) + PAGE_WORDS;
    for (let i = 0; i < step.result; i++) {
      const at = toPtr(step.at + i * entryWords);
      if (at >= end) return;
      this.#meet(this.#sources.spot(at), seen);
    }
  }

  /** The frame is reused: all earlier accesses must happen before. */
  #fill(step: Accessed, spot: Spot): void {
    const frame = frameOf(step.at);
    const fill = this.#seen(step, true);
    const life = this.#lives.get(frame) ?? newLife<Site>();
    if (life.filled !== undefined) this.#compareLives(spot, life.filled, fill);
    for (const word of life.words.values()) {
      for (const seen of word.seen) this.#compareLives(word.spot, seen, fill);
    }
    this.#lives.set(frame, newLife(fill));
  }

  /** Check an access of a word against earlier ones. */
  #meet(spot: Spot, seen: Seen<Site>): void {
    const frame = frameOf(spot.at);
    const life = this.#lives.get(frame) ?? newLife<Site>();
    this.#lives.set(frame, life);
    if (life.filled !== undefined) this.#compareLives(spot, life.filled, seen);
    const word = life.words.get(spot.at) ?? { spot, seen: [] };
    life.words.set(spot.at, word);
    for (const other of word.seen) this.#compare(spot, other, seen);
    word.seen = word.seen.filter(
      ({ cpu, access, site }) => cpu !== seen.cpu || access !== seen.access || site !== seen.site,
    );
    word.seen.push(seen);
  }

  #compareLives(spot: Spot, first: Seen<Site>, second: Seen<Site>): void {
    if (first.cpu === second.cpu) return;
    if (this.#publication.isBefore(first.cpu, first.publication, second.cpu)) return;
    this.#found('data', spot, first, second);
  }

  #compare(spot: Spot, first: Seen<Site>, second: Seen<Site>): void {
    if (first.cpu === second.cpu || !(first.writes || second.writes)) return;
    if (this.#protocol.isBefore(first.cpu, first.protocol, second.cpu)) return;
    const isData = spot.role === 'data';
    if (commute(first.access, second.access, isData)) return;
    const isPlain = isData && (plain(first.access) || plain(second.access));
    this.#found(isPlain ? 'data' : 'order', spot, first, second);
  }

  #seen(step: Accessed, writes: boolean): Seen<Site> {
    const { cpu, kind } = step;
    return {
      cpu,
      writes,
      access: kind,
      site: this.#sources.site(step),
      step: this.#step,
      protocol: this.#protocol.now(cpu),
      publication: this.#publication.now(cpu),
    };
  }
}

const newLife = <Site>(filled?: Seen<Site>): Life<Site> => ({ filled, words: new Map() });

const plain = (access: Access): boolean =>
  access === Access.Read || access === Access.Write || access === Access.Copy;

const isLockedUpdate = (access: Access): boolean =>
  access >= Access.Exchange && access <= Access.Or;

/** A failed compare-and-exchange. */
const hasFailed = ({ kind, before, after }: Accessed): boolean =>
  kind === Access.CompareExchange && before[0] === after[0] && before[1] === after[1];

/** Both orders have the same effect, or the later access checks the earlier one's. */
function commute(a: Access, b: Access, isData: boolean): boolean {
  if (isData && isLockedUpdate(a) && isLockedUpdate(b)) return true;
  if (a !== b) return false;
  return a === Access.CompareExchange || a === Access.Add || a === Access.And || a === Access.Or;
}
