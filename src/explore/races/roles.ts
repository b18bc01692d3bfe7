/**
 * What part each word of host memory has in the order of things. It follows from the layout,
 * and for frames from what they are used for at the moment.
 *
 *  lock, section, mailbox, handOver, references: who synchronises does so by them.
 *  entry, record: what the paging code decides by: entries of the shadow's and of the
 *      guest's own tables; pgdirs, the Launcher's map, what is known of a guest.
 *  data: all that is in other frames: guest memory, registers, the Switcher's pages.
 *  aside: counts of changes by which the lock-free code looks again, statistics, caches.
 *      They neither order anything, nor is it a race who comes first.
 */

import { frameOf, gpfnOf, PAGE_WORDS, type Ptr, toPfn, toPtr } from '../../../shared/address.ts';
import { FRAME_WORDS, FrameKind } from '../../../shared/frames.ts';
import type { Host } from '../../../shared/host.ts';
import type { Region } from '../../../shared/layout.ts';
import { GuestTables } from '../litmus/guest.ts';
import type { Litmus } from '../litmus/litmus.ts';
import { recordWords, type WordKind } from '../story/record-words.ts';
import { locksOf } from '../story/recording.ts';

export type Role =
  | ('lock' | 'section' | 'mailbox' | 'handOver' | 'references')
  | ('entry' | 'record' | 'data' | 'aside');

/** A word as a race is about it: an entry of two words is one. */
export interface Spot {
  readonly role: Role;
  /** Its first word. */
  readonly at: Ptr;
}

/** Those that kinds of records have wherever they are. That a guest is dead is told but once. */
const ROLES: Readonly<Partial<Record<WordKind, Role>>> = {
  section: 'section',
  mail: 'mailbox',
  dead: 'handOver',
  count: 'aside',
  queue: 'aside',
  frameKind: 'aside',
};

export class Roles {
  readonly #host: Host;
  /** Of words in the host's records that say of themselves what they are. */
  readonly #named: ReadonlyMap<Ptr, Role>;
  /** Frames that the guest's own tables are in. */
  readonly #guestTables: ReadonlySet<number>;

  /** `host`: the machine at the beginning of a run. */
  constructor(host: Host, litmus: Litmus) {
    this.#host = host;
    this.#named = new Map([
      ...Array.from(recordWords(host)).flatMap(([at, { kind }]) => {
        const role = ROLES[kind];
        return role === undefined ? [] : [[at, role] as const];
      }),
      ...locksOf(host).map((at) => [at, 'lock'] as const),
    ]);
    const lg = host.guests[0]!;
    const { entries } = new GuestTables(litmus, lg.form);
    this.#guestTables = new Set(Array.from(entries.keys(), (gpa) => lg.map.frame(gpfnOf(gpa))));
  }

  spot(at: Ptr): Spot {
    if (frameOf(at) >= this.#host.layout.firstFrame) return this.#inFrame(at);
    return { role: this.#ofRecord(at), at };
  }

  #ofRecord(at: Ptr): Role {
    const named = this.#named.get(at);
    if (named !== undefined) return named;
    const { vcpus, guests, pgdirs, launcherMap, frameTable } = this.#host.layout.regions;
    const isIn = (region: Region): boolean =>
      at >= region.at && at < region.at + region.count * region.stride;
    if (isIn(vcpus)) return 'handOver';
    if (isIn(guests) || isIn(pgdirs) || isIn(launcherMap)) return 'record';
    return isIn(frameTable) && (at - frameTable.at) % FRAME_WORDS === 0 ? 'references' : 'aside';
  }

  #inFrame(at: Ptr): Spot {
    const frame = frameOf(at);
    const isTable =
      this.#guestTables.has(frame) || this.#host.frames.kind(toPfn(frame)) === FrameKind.PageTable;
    if (!isTable) return { role: 'data', at };
    const { entryWords } = this.#host.guests[0]!.form;
    const offset = (at % PAGE_WORDS) % entryWords;
    return { role: 'entry', at: toPtr(at - offset) };
  }
}
