/**
 * Vector clocks: which of two moments on different CPUs came before the other, whatever the
 * schedule (Lamport, CACM 1978; Fidge, ACSC 1988; Mattern, 1989). A CPU that lets go of
 * something releases it, and who takes it up acquires it: all that the first did before the
 * release then came before all that the second does after the acquire.
 *
 * A moment is one number beside its CPU, an epoch, since that is enough to compare it with a
 * later one (Flanagan, Freund: FastTrack, PLDI 2009).
 */

export class Clocks {
  /** What each CPU knows of the time of each. */
  readonly #cpus: number[][];
  /** What was known by who released a thing, by the thing's number. */
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

  /** Whether the moment `time` on CPU `earlier` came before what CPU `later` does now. */
  isBefore(earlier: number, time: number, later: number): boolean {
    return time <= this.#cpus[later]![earlier]!;
  }

  acquire(cpu: number, thing: number): void {
    const released = this.#things.get(thing);
    if (released !== undefined) join(this.#cpus[cpu]!, released);
  }

  /** Acquire whatever was released by anybody. */
  acquireAll(cpu: number): void {
    for (const released of this.#things.values()) join(this.#cpus[cpu]!, released);
  }

  /** Adds to what others released before: what several have let go of comes after them all. */
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
