/**
 * A line measured in this isolate: once the compiler is done with it, batches of all sides
 * in turns, and with each round the pace of the core.
 */

import type { LineResult, SamplesOfIsolate } from '../src/report/benchmark.ts';
import { paceNs } from './pace.ts';
import type { Batch, Line, Side, Unit } from './pair.ts';
import { LASTING_MS, type WarmUp, warmUp } from './warm-up.ts';

export type CpuLoad = LineResult['load'];

/** A side that says, after its batches, how much of the processor it had. */
export interface Watched extends Side {
  /** What was so far does not count. */
  forget(): unknown;
  load(): CpuLoad | Promise<CpuLoad>;
}

/** What one isolate has to say of a line. */
export interface Taken {
  readonly baseline_name: string;
  readonly samples: SamplesOfIsolate;
  readonly warm_up: WarmUp;
  readonly load: CpuLoad;
}

/** Time for the rounds that are kept, all sides together. */
const KEPT_MS = 300;
const LEAST_ROUNDS = 5;
const MOST_ROUNDS = 2_000;

/** `measured`, `baseline`: ready. */
export async function measure(line: Line, measured: Watched, baseline: Side): Promise<Taken> {
  const native = line.native?.();
  const sides: readonly Side[] = [measured, baseline, ...(native === undefined ? [] : [native])];
  /** Batches of all sides; the first side changes with every round. */
  const round = async (nth: number): Promise<Batch[]> => {
    const batches: Batch[] = [];
    for (let i = 0; i < sides.length; i++) {
      const turn = (nth + i) % sides.length;
      batches[turn] = await sides[turn]!.batch();
    }
    return batches;
  };
  const warm_up = await warmUp(round, limitFor(line));
  const samples: number[][] = sides.map(() => []);
  const pace: number[] = [];
  await measured.forget();
  const keptRound = async (nth: number): Promise<void> => {
    const batches = await round(nth);
    for (const [i, batch] of batches.entries()) samples[i]!.push(sampleOf(line.unit, batch));
    pace.push(paceNs());
  };
  if (line.rounds === undefined) {
    const end = performance.now() + KEPT_MS;
    for (let i = 0; i < LEAST_ROUNDS || (i < MOST_ROUNDS && performance.now() < end); i++) {
      await keptRound(i);
    }
  } else {
    for (let i = 0; i < line.rounds; i++) await keptRound(i);
  }
  const load = await measured.load();
  for (const one of [measured, baseline, native]) await one?.end?.();
  const [value, base, inC] = samples as [number[], number[], number[]?];
  return {
    baseline_name: baseline.name,
    samples: { value, baseline: base, ...(inC && { native: inC }), pace },
    warm_up,
    load,
  };
}

/** Machines with workers of their own for each batch are new every time. */
function limitFor({ rounds, lasting, threads }: Line) {
  if (rounds === undefined) return {};
  const ms = threads ? LASTING_MS.threads : LASTING_MS.oneThread;
  return lasting ? { least: ms, longest: ms } : { given: 1 };
}

function sampleOf(unit: Unit, { count, ns }: Batch): number {
  const sample =
    unit === 'ns' || unit === 'ms'
      ? ns / count / NS_IN[unit]
      : (count / ns) * (unit === 'times' ? 1 : 1e9);
  if (Number.isFinite(sample) && sample > 0) return sample;
  throw new Error(`a batch did ${count} in ${ns} ns, which is no measure`);
}

const NS_IN = { ns: 1, ms: 1e6 };

/** A side, and how much of the processor this process had while its batches ran. */
export class WatchedSide implements Watched {
  readonly name: string;
  readonly #side: Side;
  #wallMs = 0;
  #cpuMs = 0;
  #switches = 0;

  constructor(side: Side) {
    this.#side = side;
    this.name = side.name;
  }

  async batch(): Promise<Batch> {
    const before = process.resourceUsage();
    const start = performance.now();
    const batch = await this.#side.batch();
    this.#wallMs += performance.now() - start;
    const after = process.resourceUsage();
    const cpu = (of: typeof before): number => (of.userCPUTime + of.systemCPUTime) / 1000;
    this.#cpuMs += cpu(after) - cpu(before);
    this.#switches += after.involuntaryContextSwitches - before.involuntaryContextSwitches;
    return batch;
  }

  forget(): void {
    this.#wallMs = this.#cpuMs = this.#switches = 0;
  }

  async end(): Promise<void> {
    await this.#side.end?.();
  }

  load(): CpuLoad {
    return { cores: this.#cpuMs / this.#wallMs, involuntary_switches: this.#switches };
  }
}
