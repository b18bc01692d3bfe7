/**
 * A file as trace-cmd writes it (trace-cmd.dat.v6(5)): for each CPU the pages of a ring buffer of
 * the kernel's, one behind the other. All numbers are little-endian.
 */

import { KERNEL_EVENT_KINDS } from './events.ts';
import type { Told, TracedVcpu } from './tell.ts';
import { PAGE_BYTES, PAGE_HEADER_BYTES, tracingData, u32, u64 } from './tracing-data.ts';

/**
 * In the word that says how much of a page is used: events before it are lost, and how many is
 * said.
 */
const LOST = 0xc000_0000;

/** In an event's first word: five bits for its kind or its length in words, above them the time. */
const EXTENDED_TIME = 30;
const TIME_BITS = 27;

/** trace-cmd reads times as nanoseconds if the clock that it is told is known to it. */
const CLOCK_OPTION = 4;
const CLOCK = '[mono]\0';

/**
 * Parts of the file, each with its place. `events` is gone through twice: to count pages, and to
 * write them, so that none need be kept.
 */
export function* traceDat(
  events: () => Iterable<Told>,
  hostCpus: number,
  vcpus: readonly TracedVcpu[],
): Generator<{ readonly at: number; readonly bytes: Uint8Array }> {
  const pages = Array.from({ length: hostCpus }, () => 0);
  for (const { hostCpu } of pagesOf(events(), hostCpus)) pages[hostCpu]!++;
  const front = Buffer.concat([
    tracingData('6', vcpus),
    u32(hostCpus),
    Buffer.from('options  \0'),
    ...[u16(CLOCK_OPTION), u32(CLOCK.length), Buffer.from(CLOCK), u16(0)],
    Buffer.from('flyrecord\0'),
  ]);
  let end = Math.ceil((front.length + 16 * hostCpus) / PAGE_BYTES) * PAGE_BYTES;
  const next = pages.map((count) => {
    const at = end;
    end += count * PAGE_BYTES;
    return at;
  });
  const places = pages.flatMap((count, cpu) => [u64(next[cpu]!), u64(count * PAGE_BYTES)]);
  yield { at: 0, bytes: Buffer.concat([front, ...places]) };
  for (const { hostCpu, bytes } of pagesOf(events(), hostCpus)) {
    yield { at: next[hostCpu]!, bytes };
    next[hostCpu]! += PAGE_BYTES;
  }
}

/** Full pages, and at the end those that are begun. */
function* pagesOf(
  events: Iterable<Told>,
  hostCpus: number,
): Generator<{ readonly hostCpu: number; readonly bytes: Uint8Array }> {
  const pages = Array.from({ length: hostCpus }, () => new Page());
  for (const event of events) {
    const { hostCpu } = event;
    const page = pages[hostCpu]!;
    const isLost = 'lost' in event;
    if (page.isBegun && (isLost || !page.holds(event))) yield { hostCpu, bytes: page.finish() };
    if (isLost) page.lose(event.at, event.lost);
    else page.add(event);
  }
  for (const [hostCpu, page] of pages.entries()) {
    if (page.isBegun || page.lacksEvents) yield { hostCpu, bytes: page.finish() };
  }
}

class Page {
  readonly #bytes = new Uint8Array(PAGE_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #used = PAGE_HEADER_BYTES;
  #time = 0;
  /** Events of this CPU before the first that is here. */
  #lost = 0;

  get isBegun(): boolean {
    return this.#used > PAGE_HEADER_BYTES;
  }

  get lacksEvents(): boolean {
    return this.#lost > 0;
  }

  /** Whether there is room, also for the time if that is long after, and for how many are lost. */
  holds({ name }: Exclude<Told, { lost: number }>): boolean {
    return this.#used + 8 + 4 + words(name) * 4 + 8 <= PAGE_BYTES;
  }

  add({ at, name, by, values }: Exclude<Told, { lost: number }>): void {
    if (!this.isBegun) this.#begin(at);
    let later = at - this.#time;
    if (later >= 2 ** TIME_BITS) {
      this.#head(EXTENDED_TIME, later % 2 ** TIME_BITS);
      this.#view.setUint32(this.#used, Math.floor(later / 2 ** TIME_BITS), true);
      this.#used += 4;
      later = 0;
    }
    this.#time = at;
    this.#head(words(name), later);
    KERNEL_EVENT_KINDS[name].encode(this.#view, this.#used, by.pid, values);
    this.#used += words(name) * 4;
  }

  /** Before it has any. */
  lose(at: number, many: number): void {
    this.#begin(at);
    this.#lost += many;
  }

  #begin(at: number): void {
    this.#view.setBigUint64(0, BigInt(at), true);
    this.#time = at;
  }

  #head(kind: number, later: number): void {
    this.#view.setUint32(this.#used, later * 32 + kind, true);
    this.#used += 4;
  }

  /** Its bytes; it is empty then. */
  finish(): Uint8Array {
    const used = this.#used - PAGE_HEADER_BYTES;
    this.#view.setBigUint64(8, BigInt(used + (this.lacksEvents ? LOST : 0)), true);
    if (this.lacksEvents) this.#view.setBigUint64(this.#used, BigInt(this.#lost), true);
    const bytes = this.#bytes.slice();
    this.#bytes.fill(0);
    this.#used = PAGE_HEADER_BYTES;
    this.#lost = 0;
    return bytes;
  }
}

const words = (name: keyof typeof KERNEL_EVENT_KINDS): number =>
  Math.ceil(KERNEL_EVENT_KINDS[name].size / 4);

function u16(n: number): Uint8Array {
  return u32(n).subarray(0, 2);
}
