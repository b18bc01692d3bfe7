/** Names of frames in the vectors: by use, not by number. */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { NO_FRAME, type Pfn, toGpfn, toPfn } from '../hardware/address.ts';
import { Watched } from './watched.ts';

export class FrameNames {
  readonly #host: Host;
  readonly #map: Watched;
  readonly #table: Watched;
  /** The frame behind each guest page now. */
  readonly #frameOf: Int32Array;
  /** Which guest page a frame is, or was last. */
  readonly #pageOf = new Map<Pfn, number>();
  #version = 0;

  constructor(host: Host, memory: Buffer) {
    const { launcherMap, frameTable } = host.layout.regions;
    this.#host = host;
    this.#map = new Watched(memory, launcherMap.count * launcherMap.stride * 4);
    this.#table = new Watched(memory, frameTable.count * frameTable.stride * 4);
    this.#frameOf = new Int32Array(host.guests[0]!.pfnLimit);
  }

  /** Counts up whenever a frame may have got another name or another count. */
  get version(): number {
    return this.#version;
  }

  /** Look at map and frame table as they are now; before anything else is asked for. */
  follow(): void {
    const { regions } = this.#host.layout;
    const moved = this.#map.hasChanged(regions.launcherMap.at);
    if (moved) this.#followTheLauncher();
    if (this.#table.hasChanged(regions.frameTable.at) || moved) this.#version++;
  }

  #followTheLauncher(): void {
    const { map } = this.#host.guests[0]!;
    for (const page of this.#frameOf.keys()) {
      const frame = map.frame(toGpfn(page));
      this.#frameOf[page] = frame;
      this.#pageOf.set(frame, page);
    }
  }

  /** The frame behind a guest page, or NO_FRAME. */
  behind(page: number): Pfn {
    return toPfn(this.#frameOf[page] ?? NO_FRAME);
  }

  /** `?` for a frame that the vectors have no name for. */
  of(pfn: number): string {
    const { frames, switcherPages, guests } = this.#host;
    if (!frames.exists(pfn)) return '?';
    const frame = toPfn(pfn);
    switch (frames.kind(frame)) {
      case FrameKind.Zero:
        return 'zero';
      case FrameKind.Switcher:
        return `s${switcherPages.indexOf(frame)}`;
      case FrameKind.Regs:
        return `r${guests[0]!.cpus.findIndex((cpu) => cpu.regsPage === frame)}`;
      case FrameKind.GuestPage:
      // One that was given back too often is free, and yet an entry may name it.
      case FrameKind.Free:
        return this.#guestPage(frame);
      default:
        return '?';
    }
  }

  #guestPage(frame: Pfn): string {
    const page = this.#pageOf.get(frame);
    if (page === undefined) return '?';
    return `g${page.toString(16)}${this.#frameOf[page] === frame ? '' : '-old'}`;
  }
}
