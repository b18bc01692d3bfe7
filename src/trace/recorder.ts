/** The main thread's side of a trace: empties the rings of all host CPUs while they run. */

import type { EventKind, Events } from '../../shared/events.ts';
import { letGo, monotonicMs } from '../platform.ts';
import type { WasmMemory } from '../wasm.ts';
import { clockSince } from './clock.ts';
import { EVENT_WORDS, Field, makeRing, TraceRing } from './ring.ts';

/** The parameters of a host CPU's worker to write its events; travels by postMessage. */
export interface TracePort {
  readonly ring: WasmMemory;
  /** When time began, by the monotonic clock. */
  readonly origin: number;
}

/** The listener for a host CPU's events, in its worker. */
export function tapFor({ ring, origin }: TracePort): NonNullable<Events['tap']> {
  const trace = new TraceRing(ring);
  const now = clockSince(origin);
  return (kind, vcpu, a, b, c) => trace.write(now(), kind, vcpu, a, b, c);
}

const DRAIN_MS = 5;

/** Of all host CPUs together: 128 MiB. What comes after is counted as lost. */
const MOST_EVENTS = 1 << 22;

/** One event as it was recorded; see shared/events.ts for a, b and c. */
export interface TracedEvent {
  readonly hostCpu: number;
  /** Nanoseconds since boot. */
  readonly at: number;
  readonly kind: EventKind;
  /** Machine-wide number of the running vCPU; −1 for none. */
  readonly vcpu: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** How many of this CPU were lost just before it. */
  readonly lost: number;
}

export class TraceRecorder {
  readonly ports: readonly TracePort[];
  readonly #rings: readonly TraceRing[];
  readonly #logs: readonly Log[];
  readonly #timer: ReturnType<typeof setInterval>;

  /** From now on the rings are emptied; `stop` ends that. */
  constructor(hostCpus: number) {
    const origin = monotonicMs();
    this.ports = Array.from({ length: hostCpus }, () => ({ ring: makeRing(), origin }));
    this.#rings = this.ports.map(({ ring }) => new TraceRing(ring));
    this.#logs = this.ports.map(() => new Log());
    this.#timer = setInterval(() => this.#drain(), DRAIN_MS);
    letGo(this.#timer);
  }

  /** After the machine has stopped. */
  stop(): void {
    clearInterval(this.#timer);
    this.#drain();
  }

  get count(): number {
    return this.#logs.reduce((n, log) => n + log.count, 0);
  }

  /** Of each host CPU. */
  get lost(): readonly number[] {
    return this.#logs.map(({ lost }) => lost);
  }

  /** All of them, in the order of their times. */
  *events(): Generator<TracedEvent> {
    const next = this.#logs.map((log, hostCpu) => log.event(0, hostCpu));
    const read = this.#logs.map(() => 0);
    for (;;) {
      let first: TracedEvent | undefined;
      for (const event of next) {
        if (event !== undefined && (first === undefined || event.at < first.at)) first = event;
      }
      if (first === undefined) return;
      yield first;
      const { hostCpu } = first;
      next[hostCpu] = this.#logs[hostCpu]!.event(++read[hostCpu]!, hostCpu);
    }
  }

  #drain(): void {
    const room = MOST_EVENTS - this.count;
    for (const [i, ring] of this.#rings.entries()) this.#logs[i]!.drain(ring, room);
  }
}

/**
 * What one host CPU's ring held, one after the other: in the sequence's place how many were lost.
 */
class Log {
  count = 0;
  lost = 0;
  #words = new Uint32Array(1 << 12);
  /** Since the last that was kept. */
  #lostSince = 0;

  drain(ring: TraceRing, room: number): void {
    const most = this.count + room;
    this.#lostSince += ring.drain((words, at, lost) => {
      this.#lostSince += lost;
      if (this.count >= most) {
        this.#lostSince++;
        return;
      }
      const to = this.count++ * EVENT_WORDS;
      if (to === this.#words.length) this.#grow();
      this.#words.set(words.subarray(at, at + EVENT_WORDS), to);
      this.#words[to + Field.Sequence] = this.#lostSince;
      this.lost += this.#lostSince;
      this.#lostSince = 0;
    });
  }

  /** Event `n`, counted from 0; undefined behind the last. */
  event(n: number, hostCpu: number): TracedEvent | undefined {
    if (n >= this.count) return undefined;
    const at = n * EVENT_WORDS;
    const word = (field: number): number => this.#words[at + field]!;
    return {
      hostCpu,
      at: word(Field.Time) + word(Field.Time + 1) * 2 ** 32,
      kind: word(Field.Kind) as EventKind,
      vcpu: word(Field.Vcpu) - 1,
      a: word(Field.A),
      b: word(Field.B),
      c: word(Field.C),
      lost: word(Field.Sequence),
    };
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
  }
}
