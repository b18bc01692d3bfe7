/** Schedules under control: how many in a second, and what a scheduling point costs. */

import type { Lguest } from '../shared/lguest.ts';
import { Words } from '../shared/words.ts';
import { joinMachine } from '../src/assembly.ts';
import { bootThreads } from '../src/explore/boot-threads.ts';
import { Beginning } from '../src/explore/engine/beginning.ts';
import { ControlState } from '../src/explore/engine/control-state.ts';
import { ControlledWords } from '../src/explore/engine/controlled-words.ts';
import { Controller } from '../src/explore/engine/controller.ts';
import type { Run } from '../src/explore/engine/run.ts';
import { LEAVE, Task } from '../src/explore/engine/task.ts';
import { PAGE_BITS, Trace } from '../src/explore/engine/trace.ts';
import { bootLitmus } from '../src/explore/litmus/boot.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import { LITMUS_SCHEDULING } from '../src/explore/litmus/scheduling.ts';
import { litmusSoftware } from '../src/explore/litmus/software.ts';
import { STRATEGIES } from '../src/explore/strategies/catalogue.ts';
import { Pct } from '../src/explore/strategies/pct.ts';
import { Recorded } from '../src/explore/strategies/recorded.ts';
import { Subject } from '../src/explore/subject.ts';
import { Exhaustive } from '../src/explore/verify/exhaustive.ts';
import { toPtr } from '../src/hardware/address.ts';
import { HostCpuLoop } from '../src/host/host-cpu-loop.ts';
import { GuestRunner } from '../src/host/run-guest.ts';
import { Scheduler } from '../src/host/scheduler.ts';
import { keep, type Line, repeated, type Side, timed } from './pair.ts';

/** The shortest test whose CPUs take turns: two vCPUs get their guest killed. */
const SHORT = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
const TWO_CPUS = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const FOUR_CPUS = 'litmus/6-switcher/four-cpus.yaml';
const SHORT_FOUR_CPUS = 'bench/four-reasons-to-die.yaml';

const SETTING = { paging: 'nonpae', discipline: 'lock-free', defects: [] } as const;

function subjectOf(path: string): Subject {
  const litmus = readLitmus(path);
  return new Subject(path, litmus, { ...SETTING, paging: litmus.paging[0]! });
}

type Ran = (run: Run) => number;

const oneSchedule: Ran = () => 1;
/** Switches from one actor to another. */
const switchesOf: Ran = ({ decisions }) => decisions.turns.length / 2;

interface Batched {
  readonly path: string;
  readonly strategy: string;
  readonly runs: number;
  /** What a run counts for. */
  readonly count: Ran;
}

function inOneThread({ path, strategy: name, runs, count }: Batched, checks = false): Side {
  const subject = subjectOf(path);
  const strategy = STRATEGIES[name]!();
  let seed = 0;
  const once = (): Run =>
    checks ? subject.run(strategy, seed++).run : subject.board.run(strategy, seed++);
  return {
    name: checks ? 'in one thread, with all checks' : 'in one thread, without checks',
    batch: () =>
      timed(() => {
        let counted = 0;
        for (let i = 0; i < runs; i++) counted += count(once());
        return counted;
      }),
  };
}

/** All behaviours, over and over, with the replayed part of each run. */
function eachOnce(path: string, runs: number): Side {
  const subject = abridged(path);
  let search = new Exhaustive(subject.board);
  return {
    name: 'each behaviour once',
    batch: () =>
      timed(() => {
        for (let i = 0; i < runs; i++) {
          if (!search.goOn()) {
            search = new Exhaustive(subject.board);
            search.goOn();
          }
          subject.run(search, 0);
        }
        return runs;
      }),
  };
}

/** The same behaviours, each run from its beginning. */
function fromTheBeginning(path: string, runs: number): Side {
  const subject = abridged(path);
  const search = new Exhaustive(subject.board);
  const known: Recorded[] = [];
  while (known.length < 20 * runs && search.goOn()) {
    known.push(new Recorded(subject.run(search, 0).run.decisions));
  }
  const again = abridged(path);
  let next = 0;
  return {
    name: 'each run from its beginning',
    batch: () =>
      timed(() => {
        for (let i = 0; i < runs; i++) again.run(known[next++ % known.length]!, 0);
        return runs;
      }),
  };
}

function sampled(path: string, runs: number): Side {
  const subject = abridged(path);
  const strategy = STRATEGIES['pct-3']!();
  let seed = 0;
  return {
    name: 'abridged schedules by PCT-3',
    batch: () =>
      timed(() => {
        for (let i = 0; i < runs; i++) subject.run(strategy, 2 * seed++);
        return runs;
      }),
  };
}

const abridged = (path: string): Subject =>
  new Subject(path, readLitmus(path), { ...SETTING, discipline: 'guest-lock', abridged: true });

function onThreads({ path, strategy, runs, count }: Batched): Side {
  const booted = bootThreads(subjectOf(path));
  let seed = 0;
  return {
    name: 'on worker threads',
    batch: async () => {
      const board = await booted;
      const start = performance.now();
      let counted = 0;
      for (let i = 0; i < runs; i++) counted += count(await board.run(strategy, seed++));
      return { count: counted, ns: (performance.now() - start) * 1e6 };
    },
    end: async () => await (await booted).close(),
  };
}

/** Thrown by a CPU that has nothing to do until another has done something. */
const IDLE = Symbol('idle');

/** A controller with a single running CPU. */
class IdleWords extends Words {
  override wait(): void {
    throw IDLE;
  }
}

/** The same work without control: each CPU runs as far as it can, then the next. */
function withoutEngine(path: string, runs: number): Side {
  const litmus = readLitmus(path);
  const { shared, host } = bootLitmus(litmus, { ...SETTING, paging: litmus.paging[0]! });
  const queues = new Scheduler(host, LITMUS_SCHEDULING);
  for (const cpu of host.vcpus) queues.enqueue(cpu);
  const beginning = new Beginning(host);
  const loops = host.cpus.map(({ index }) => {
    const view = joinMachine(shared, index, (memory, at) => new IdleWords(memory, at));
    const scheduler = new Scheduler(view, LITMUS_SCHEDULING);
    const wake = (lg: Lguest): void => scheduler.unparkSiblings(lg);
    const cpu = view.cpus[index]!;
    const runner = new GuestRunner(view, cpu, litmusSoftware(litmus), wake, 1);
    return new HostCpuLoop(view, cpu, runner, scheduler);
  });
  const { plain } = host.words;
  const written = new Uint8Array(beginning.touched.length);
  const play = (): void => {
    const left = new Set(loops);
    while (left.size > 0) for (const loop of left) if (hasEnded(loop)) left.delete(loop);
  };
  const before = plain.slice();
  play();
  for (const [at, word] of plain.entries()) {
    if (word !== before[at]) written[at >>> PAGE_BITS] = 1;
  }
  return {
    name: 'the same work without the engine',
    batch: () =>
      timed(() => {
        for (let i = 0; i < runs; i++) {
          beginning.touched.set(written);
          beginning.putBack();
          play();
        }
        return runs;
      }),
  };
}

function hasEnded(loop: HostCpuLoop): boolean {
  try {
    while (loop.step());
    return true;
  } catch (error) {
    if (error !== IDLE) throw error;
    return false;
  }
}

class StillController extends Controller {
  protected override pass(): never {
    throw LEAVE;
  }
}

/** Accesses between two ends of a piece of work, as an operation of a litmus test has. */
const PIECE = 32;
const LOADS = 1 << 14;

/** The same word again and again, by a leaf under control or by one that is not. */
function loads(isControlled: boolean): Side {
  const { shared, host } = bootLitmus(readLitmus(TWO_CPUS), SETTING);
  const words = new Uint32Array(ControlState.wordsFor(2, 1));
  const { touched } = new Beginning(host);
  const { length } = host.words.plain;
  const trace = new Trace(new Int32Array(Trace.memoryFor(length)), length);
  const controller = new StillController(new ControlState(words, 2, 1, trace), host, {}, touched);
  for (const { index } of host.cpus) {
    controller.tasks.push(new Task(controller, index, host));
  }
  const [task] = controller.tasks as [Task, Task];
  const leaf = isControlled ? new ControlledWords(shared.memory, toPtr(48), task) : host.words;
  const at = toPtr(host.layout.regions.machine.at);
  return repeated(isControlled ? 'under control' : 'not under control', () => {
    controller.state.reset();
    controller.join(new Pct(1), 1, LOADS + 1);
    let sum = 0;
    for (let i = 0; i < LOADS; i++) {
      if (i % PIECE === 0) task.restart();
      sum ^= leaf.load(at);
    }
    keep(sum);
    return LOADS;
  });
}

/** Boards and their workers are made once, and take some seconds until the compiler is done. */
const LASTING = { rounds: 100, lasting: true } as const;
/** On worker threads, where one of them takes longer. */
const THREADS = { ...LASTING, rounds: 20, threads: true } as const;

const SWITCHING: Batched = { path: TWO_CPUS, strategy: 'random', runs: 5, count: switchesOf };

interface Test {
  readonly cpus: number;
  readonly steps: string;
  readonly path: string;
  /** Schedules of a batch: some milliseconds. */
  readonly runs: number;
  /** Schedules a second that are wanted, in one isolate and on worker threads. */
  readonly inIsolate?: number;
  readonly onThreads?: number;
}

const TESTS: readonly Test[] = [
  {
    cpus: 2,
    steps: 'some 240 steps',
    path: SHORT,
    runs: 200,
    inIsolate: 50_000,
    onThreads: 20_000,
  },
  { cpus: 2, steps: 'some 680 steps', path: TWO_CPUS, runs: 50 },
  {
    cpus: 4,
    steps: 'some 340 steps',
    path: SHORT_FOUR_CPUS,
    runs: 100,
    onThreads: 3000,
  },
  { cpus: 4, steps: 'some 1,850 steps', path: FOUR_CPUS, runs: 20 },
];

const atLeast = (least: number | undefined) =>
  least === undefined ? {} : { goal: { of: 'value', least } as const };

export const scheduleLines: readonly Line[] = [
  ...TESTS.flatMap(({ cpus, steps, path, runs, inIsolate, onThreads: ofThreads }): Line[] => {
    const batched: Batched = { path, strategy: 'pct-3', runs, count: oneSchedule };
    const what = `schedules of ${cpus} host CPUs, ${steps}`;
    return [
      {
        name: `${what}, PCT-3`,
        unit: 'schedules/s',
        ...LASTING,
        ...atLeast(inIsolate),
        measured: () => inOneThread(batched),
        baseline: () => withoutEngine(path, runs),
      },
      {
        name: `${what}, PCT-3, with all checks`,
        unit: 'schedules/s',
        ...LASTING,
        measured: () => inOneThread(batched, true),
        baseline: () => inOneThread(batched),
      },
      {
        name: `${what} on worker threads, PCT-3`,
        unit: 'schedules/s',
        ...THREADS,
        ...atLeast(ofThreads),
        measured: () => onThreads(batched),
        baseline: () => inOneThread(batched),
      },
    ];
  }),
  {
    name: 'behaviours of 2 host CPUs, each once, some 600 steps, with all checks',
    unit: 'schedules/s',
    ...LASTING,
    measured: () => eachOnce(TWO_CPUS, 50),
    baseline: () => sampled(TWO_CPUS, 50),
  },
  {
    name: 'behaviours of 2 host CPUs, each once, by undoing the end of the one before',
    unit: 'schedules/s',
    ...LASTING,
    measured: () => eachOnce(TWO_CPUS, 50),
    baseline: () => fromTheBeginning(TWO_CPUS, 50),
  },
  {
    name: 'switches of 2 host CPUs on worker threads, random walk',
    unit: 'switches/s',
    ...THREADS,
    measured: () => onThreads(SWITCHING),
    baseline: () => inOneThread(SWITCHING),
  },
  {
    name: 'a load at a scheduling point without a switch',
    unit: 'ns',
    goal: { of: 'value', most: 5 },
    measured: () => loads(true),
    baseline: () => loads(false),
  },
];
