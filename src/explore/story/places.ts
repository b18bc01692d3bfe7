/**
 * Names of places: the meaning of each word of host memory that a run accesses. A frame is named by
 * its use, from one allocation to the next; a freed table keeps its name, and one that is not
 * linked yet has its later one. So names are known once the run is over: see `note`, and
 * `Noted.name`.
 */

import { FRAME_WORDS, FrameKind, POISON } from '../../../shared/frames.ts';
import type { Host } from '../../../shared/host.ts';
import { REGISTER_NAMES } from '../../../shared/host-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import type { FieldKind } from '../../../shared/record.ts';
import { REGS_WORD } from '../../../shared/switcher-page.ts';
import { shiftsOf } from '../../check/shadow.ts';
import {
  frameOf,
  frameStart,
  NO_FRAME,
  PAGE_SIZE,
  PAGE_WORDS,
  type Pfn,
  type Ptr,
  toGpfn,
  toPfn,
  toPtr,
} from '../../hardware/address.ts';
import type { PagingForm } from '../../hardware/entry.ts';
import { Access } from '../engine/access.ts';
import type { Step } from '../engine/controller.ts';
import { type RecordWord, recordWords } from '../engine/record-words.ts';
import type { Litmus } from '../litmus/litmus.ts';
import { GuestWords, hexAddress, hexPage, levelNames } from './guest-words.ts';

export type PlaceKind =
  | FieldKind
  /** The frame table, the Launcher's map, and the caches of frames. */
  | ('frameCount' | 'frameKind' | 'map')
  /** Entries of the shadow: of the last level, and those that lead to another table. */
  | ('entry' | 'upper')
  /** The same in the guest's own tables. */
  | ('guestEntry' | 'guestUpper')
  | ('guestWord' | 'kernelWord' | 'register' | 'frame' | 'unknown');

export interface Place {
  readonly name: string;
  readonly kind: PlaceKind;
}

/** The use of a frame. */
type Use =
  | { readonly kind: 'guestPage'; readonly page: number }
  | { readonly kind: 'shadow'; readonly of: string; readonly level: number; readonly base: number }
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'registers'; readonly vcpu: number };

/** From one allocation to the next. */
interface Life {
  readonly frame: Pfn;
  use: Use | undefined;
  /** Freed, and not allocated again. */
  free: boolean;
}

/** A place as it was at a step. */
export class Noted {
  readonly #places: Places;
  readonly #at: Ptr;
  readonly #life: Life | undefined;
  readonly #wasFree: boolean;
  /** The target of a shadow entry or a map word there, before and after. */
  readonly target: readonly [before: Life | undefined, after: Life | undefined];

  constructor(places: Places, at: Ptr, life: Life | undefined, target: Noted['target']) {
    this.#places = places;
    this.#at = at;
    this.#life = life;
    this.#wasFree = life?.free ?? false;
    this.target = target;
  }

  /** The frame that it lies in, by its use. */
  get frameName(): string {
    return this.#life === undefined ? 'the host' : this.#places.frameName(this.#life);
  }

  get place(): Place {
    const { name, kind } = this.#places.describe(this.#at, this.#life);
    return { name: this.#wasFree ? `${name}, in a freed frame` : name, kind };
  }
}

export class Places {
  readonly #host: Host;
  readonly #lg: Lguest;
  readonly #form: PagingForm;
  readonly #records: Map<Ptr, RecordWord>;
  readonly #guest: GuestWords;
  readonly #lives = new Map<number, Life>();
  /** Where each pgdir's top level is kept. */
  readonly #tops: ReadonlyMap<Ptr, number>;

  /** `host`: the machine at the beginning of the run. */
  constructor(host: Host, litmus: Litmus) {
    const lg = host.guests[0]!;
    this.#host = host;
    this.#lg = lg;
    this.#form = lg.form;
    this.#records = recordWords(host);
    this.#guest = new GuestWords(litmus, lg.form);
    this.#tops = new Map(lg.pgdirs.map(({ claimWords: [, tables] }, i) => [tables, i] as const));
    this.#nameBeginning();
  }

  /** Note the place of the step just taken. */
  note({ at, kind, value, before, after }: Step): Noted {
    const frame = frameOf(at);
    const inFrames = frame >= this.#host.layout.firstFrame;
    if (inFrames && kind === Access.Fill && value === 0 && this.#isFree(frame)) {
      this.#lives.set(frame, { frame, use: undefined, free: false });
    }
    const life = this.#lifeAt(at);
    this.#follow(at, life, after[0]);
    const noted = new Noted(this, at, life, [
      this.#leadsTo(at, life, before[0]),
      this.#leadsTo(at, life, after[0]),
    ]);
    if (inFrames && kind === Access.Fill && value === POISON) life!.free = true;
    return noted;
  }

  /** By default as it is now. */
  describe(at: Ptr, life = this.#lifeAt(at)): Place {
    const { regions } = this.#host.layout;
    const { frameTable, launcherMap, frameCaches } = regions;
    const record = this.#records.get(at);
    if (record !== undefined) return record;
    const within = (region: typeof frameTable) =>
      at >= region.at && at < region.at + region.count * region.stride;
    if (within(frameTable)) {
      const field = (at - frameTable.at) % FRAME_WORDS;
      const whose = this.frameName(life!);
      if (field === 0) return { name: `reference count of ${whose}`, kind: 'frameCount' };
      return { name: `kind of ${whose}`, kind: 'frameKind' };
    }
    if (within(launcherMap)) {
      const page = at - launcherMap.at;
      return { name: `Launcher's map of page ${hexPage(page)}`, kind: 'map' };
    }
    if (within(frameCaches)) return { name: 'cached frames', kind: 'queue' };
    if (life !== undefined) return this.#inFrame(at, life);
    return { name: `unknown word at ${hexAddress(at)}`, kind: 'unknown' };
  }

  /** A frame by its use. */
  frameName({ frame, use }: Life): string {
    if (use === undefined) return `frame ${frame}`;
    if (use.kind === 'guestPage') return `page ${hexPage(use.page)}`;
    if (use.kind === 'registers') return `regs page of vCPU ${use.vcpu}`;
    if (use.kind === 'named') return use.name;
    return `${this.#tableName(use)}, frame ${frame}`;
  }

  #tableName({ of, level, base }: Extract<Use, { kind: 'shadow' }>): string {
    if (level === 0) return `top level of ${of}`;
    const upper = levelNames(this.#form)[level - 1]!;
    return `table below the ${upper} of ${hexAddress(base)} (${of})`;
  }

  #inFrame(at: Ptr, { frame, use }: Life): Place {
    const index = at - frameStart(frame);
    if (use === undefined) return { name: `word ${index} of frame ${frame}`, kind: 'frame' };
    switch (use.kind) {
      case 'guestPage':
        return this.#guest.at(use.page, index);
      case 'registers': {
        const register = REGISTER_NAMES[index - REGS_WORD] ?? `word ${index}`;
        return { name: `regs page of vCPU ${use.vcpu}: ${register}`, kind: 'register' };
      }
      case 'named':
        return { name: `word ${index} of ${use.name}`, kind: 'frame' };
      case 'shadow': {
        const shifts = shiftsOf(this.#form);
        const high = this.#form.pae && index % 2 === 1 ? 'high half of ' : '';
        const entry = Math.floor(index / this.#form.entryWords);
        const address = hexAddress(use.base + entry * 2 ** shifts[use.level]!);
        const what = levelNames(this.#form)[use.level]!;
        const kind = use.level === shifts.length - 1 ? 'entry' : 'upper';
        const shows = kind === 'entry' ? this.#switcherPage(use.base + entry * PAGE_SIZE) : '';
        return {
          name: `${high}${what} of ${address}${shows} (${use.of})`,
          kind: high ? 'number' : kind,
        };
      }
    }
  }

  /** Two pages of each CPU come after the text. */
  #switcherPage(address: number): string {
    const page = (address - this.#host.switcherAddr) / PAGE_SIZE;
    if (page <= 0 || page >= this.#host.switcherPages.length) return '';
    return `, CPU ${(page - 1) >> 1}'s ${page % 2 ? 'registers' : 'state'}`;
  }

  #lifeOf(frame: number): Life {
    const known = this.#lives.get(frame);
    if (known !== undefined) return known;
    const life: Life = { frame: toPfn(frame), use: undefined, free: this.#isFree(frame) };
    this.#lives.set(frame, life);
    return life;
  }

  /** The frame that a word lies in, or that a word of the frame table describes. */
  #lifeAt(at: Ptr): Life | undefined {
    const { regions, firstFrame } = this.#host.layout;
    const { frameTable } = regions;
    if (at >= frameStart(toPfn(firstFrame))) return this.#lifeOf(frameOf(at));
    if (at < frameTable.at) return undefined;
    return this.#lifeOf(Math.floor((at - frameTable.at) / FRAME_WORDS));
  }

  #isFree(frame: number): boolean {
    return this.#host.frames.kind(toPfn(frame)) === FrameKind.Free;
  }

  /** The frame that an entry, a pgdir's record or the Launcher's map leads to. */
  #leadsTo(at: Ptr, life: Life | undefined, word: number): Life | undefined {
    const { launcherMap } = this.#host.layout.regions;
    let frame = 0;
    if (at >= launcherMap.at && at < launcherMap.at + launcherMap.count) frame = word >>> 2;
    else if (this.#tops.has(at)) frame = frameOf(toPtr(word));
    else if (life?.use?.kind === 'shadow' && (word & 1) === 1) frame = word >>> 12;
    const { firstFrame, totalFrames } = this.#host.layout;
    return frame >= firstFrame && frame < totalFrames ? this.#lifeOf(frame) : undefined;
  }

  /** Name the frames that are linked now. */
  #follow(at: Ptr, life: Life | undefined, word: number): void {
    const target = this.#leadsTo(at, life, word);
    if (target === undefined || target.use !== undefined) return;
    const pgdir = this.#tops.get(at);
    if (pgdir !== undefined) {
      target.use = { kind: 'shadow', of: `pgdir ${pgdir}`, level: 0, base: 0 };
      return;
    }
    const { launcherMap } = this.#host.layout.regions;
    if (at < this.#host.layout.firstFrame * PAGE_WORDS) {
      target.use = { kind: 'guestPage', page: at - launcherMap.at };
      return;
    }
    if (life?.use?.kind !== 'shadow') return;
    const { of, level, base } = life.use;
    const shifts = shiftsOf(this.#form);
    if (level === shifts.length - 1) return;
    const index = (at - frameStart(life.frame)) / this.#form.entryWords;
    target.use = {
      kind: 'shadow',
      of,
      level: level + 1,
      base: base + Math.floor(index) * 2 ** shifts[level]!,
    };
  }

  #nameBeginning(): void {
    const { zeroPage, switcherPages, words, vcpus, layout } = this.#host;
    const use = (frame: number, what: Use): void => {
      if (frame !== NO_FRAME) this.#lifeOf(frame).use ??= what;
    };
    use(zeroPage, { kind: 'named', name: 'the page of zeroes' });
    for (const [i, frame] of switcherPages.entries()) {
      const of = `CPU ${(i - 1) >> 1}`;
      const name = i === 0 ? "the Switcher's text" : `${i % 2 ? 'regs' : 'state'} page of ${of}`;
      use(frame, { kind: 'named', name });
    }
    for (let page = 0; page < this.#lg.pfnLimit; page++) {
      use(this.#lg.map.frame(toGpfn(page)), { kind: 'guestPage', page });
    }
    const last = shiftsOf(this.#form).length - 1;
    const span = this.#form.ptrsPerPte * 4096;
    for (const { number, regsPage, root, rootPmd, switcherTable } of vcpus) {
      const base = (this.#host.switcherAddr & -span) >>> 0;
      use(regsPage, { kind: 'registers', vcpu: number });
      use(root, { kind: 'shadow', of: `vCPU ${number}'s own`, level: 0, base: 0 });
      use(rootPmd, {
        kind: 'shadow',
        of: `vCPU ${number}'s own`,
        level: 1,
        base: Math.floor(base / 2 ** 30) * 2 ** 30,
      });
      use(switcherTable, { kind: 'shadow', of: `vCPU ${number}'s own`, level: last, base });
    }
    for (const at of this.#tops.keys()) this.#follow(at, undefined, words.peek(at));
    // Level by level: a loop for each, since uses are added on the way.
    for (let level = 0; level < last; level++) {
      for (const life of [...this.#lives.values()]) {
        if (life.use?.kind !== 'shadow' || life.use.level !== level) continue;
        for (let i = 0; i < PAGE_WORDS; i += this.#form.entryWords) {
          const at = toPtr(frameStart(life.frame) + i);
          if (at < layout.words) this.#follow(at, life, words.peek(at));
        }
      }
    }
  }
}
