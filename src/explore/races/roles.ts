/**
 * The role of each word of host memory in synchronization. It follows from the layout, and for
 * frames from their current use.
 *
 *  lock, section, mailbox, handOver, references: words for synchronization.
 *  entry, record: state that the paging code decides by: entries of the shadow's and of the
 *      guest's own tables; pgdirs, the Launcher's map, records of guests.
 *  data: all other frames: guest memory, registers, the Switcher's pages.
 *  aside: counts of changes by which the lock-free code validates, statistics, caches. They do not
 *      synchronize, and are not reported as races.
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

/** A word as a unit of races: an entry of two words is one. */
export interface Spot {
  readonly role: Role;
  /** Its first word. */
  readonly at: Ptr;
}

/** Of fields, in any record. The death of a guest is set only once. */
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
