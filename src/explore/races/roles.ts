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

import { FRAME_WORDS, FrameKind } from '../../../shared/frames.ts';
import type { Host } from '../../../shared/host.ts';
import type { FieldKind } from '../../../shared/record.ts';
import { frameOf, gpfnOf, PAGE_WORDS, type Ptr, toPfn, toPtr } from '../../hardware/address.ts';
import { recordWords } from '../engine/record-words.ts';
import { GuestTables } from '../litmus/guest.ts';
import type { Litmus } from '../litmus/litmus.ts';

export type Role =
  | ('lock' | 'section' | 'mailbox' | 'handOver' | 'references')
  | ('entry' | 'record' | 'data' | 'aside');

/** A word as a race is about it: an entry of two words is one. */
export interface Spot {
  readonly role: Role;
  /** Its first word. */
  readonly at: Ptr;
}

/** Of fields, whatever record they are in. That a guest is dead is told but once. */
const ROLES: Readonly<Partial<Record<FieldKind, Role>>> = {
  lock: 'lock',
  section: 'section',
  mail: 'mailbox',
  dead: 'handOver',
  count: 'aside',
};

export class Roles {
  readonly #host: Host;
  /** Of words in the host's records. */
  readonly #named: ReadonlyMap<Ptr, Role>;
  /** Frames that the guest's own tables are in. */
  readonly #guestTables: ReadonlySet<number>;

  /** `host`: the machine at the beginning of a run. */
  constructor(host: Host, litmus: Litmus) {
    this.#host = host;
    this.#named = new Map(
      Array.from(recordWords(host), ([at, { kind, role }]) => [at, ROLES[kind] ?? role] as const),
    );
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
    const { launcherMap, frameTable } = this.#host.layout.regions;
    if (at >= launcherMap.at && at < launcherMap.at + launcherMap.count) return 'record';
    const isCount = (at - frameTable.at) % FRAME_WORDS === 0;
    return at >= frameTable.at && isCount ? 'references' : 'aside';
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
