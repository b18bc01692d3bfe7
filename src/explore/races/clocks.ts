/**
 * Vector clocks: which of two moments on different CPUs happens before the other (Lamport, CACM
 * 1978; Fidge, ACSC 1988; Mattern, 1989). All that a CPU did before a release happens before all
 * that another CPU does after the matching acquire.
 *
 * A moment is one number beside its CPU, an epoch, since that is enough to compare it with a
 * later one (Flanagan, Freund: FastTrack, PLDI 2009).
 */

export class Clocks {
  /** Each CPU's clock: its knowledge of each CPU's time. */
  readonly #cpus: number[][];
  /** The clock at the release of an object, by its number. */
  readonly #things = new Map<number, number[]>();

  constructor(cpus: number) {
    this.#cpus = Array.from({ length: cpus }, (_, cpu) =>
      Array.from({ length: cpus }, (_, other) => (cpu === other ? 1 : 0)),
    );
  }

  /** This moment on a CPU. */
  now(cpu: number): number {
    return this.#cpus[cpu]![cpu]!;
  }

  /** Whether the moment `time` on CPU `earlier` happens before the present of CPU `later`. */
  isBefore(earlier: number, time: number, later: number): boolean {
    return time <= this.#cpus[later]![earlier]!;
  }

  acquire(cpu: number, thing: number): void {
    const released = this.#things.get(thing);
    if (released !== undefined) join(this.#cpus[cpu]!, released);
  }

  /** Acquire everything that was released by any CPU. */
  acquireAll(cpu: number): void {
    for (const released of this.#things.values()) join(this.#cpus[cpu]!, released);
  }

  /** Release in addition to earlier releases: an acquire comes after all of them. */
  release(cpu: number, thing: number): void {
    const mine = this.#cpus[cpu]!;
    const released = this.#things.get(thing);
    if (released === undefined) this.#things.set(thing, [...mine]);
    else join(released, mine);
    mine[cpu]!++;
  }
}

function join(into: number[], from: readonly number[]): void {
  for (const [i, time] of from.entries()) if (time > into[i]!) into[i] = time;
}
