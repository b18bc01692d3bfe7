/** Schedules under control: how many in a second, and what a place costs where the turn may pass on. */

import { toPtr } from '../shared/address.ts';
import type { Words } from '../shared/words.ts';
import { Beginning } from '../src/explore/engine/beginning.ts';
import type { Run } from '../src/explore/engine/run.ts';
import { LEAVE, Task } from '../src/explore/engine/task.ts';
import { Turn } from '../src/explore/engine/turn.ts';
import { TurnState } from '../src/explore/engine/turn-state.ts';
import { TurnWords } from '../src/explore/engine/turn-words.ts';
import { bootLitmus } from '../src/explore/litmus/boot.ts';
import { readLitmus } from '../src/explore/litmus/litmus.ts';
import { STRATEGIES } from '../src/explore/strategies/catalogue.ts';
import { Pct } from '../src/explore/strategies/pct.ts';
import { Subject } from '../src/explore/subject.ts';
import { keep, type Line, repeated, type Side, timed } from './pair.ts';

const TWO_CPUS = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const FOUR_CPUS = 'litmus/6-switcher/four-cpus.yaml';

const SETTING = { paging: 'nonpae', discipline: 'lock-free', defects: [] } as const;

const subjectOf = (path: string): Subject => new Subject(path, readLitmus(path), SETTING);

type Ran = (run: Run) => number;

const oneSchedule: Ran = () => 1;
/** Times the turn passed on. */
const turnsOf: Ran = ({ decisions }) => decisions.turns.length / 2;

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

function onThreads({ path, strategy, runs, count }: Batched): Side {
  const booted = subjectOf(path).onThreads();
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
  };
}

class StillTurn extends Turn {
  protected override pass(): never {
    throw LEAVE;
  }
}

/** Accesses between two ends of a piece of work, as an operation of a litmus test has. */
const PIECE = 32;
const LOADS = 1 << 14;

function point(): { readonly measured: Side; readonly baseline: Side } {
  const { shared, host } = bootLitmus(readLitmus(TWO_CPUS), SETTING);
  const words = new Uint32Array(TurnState.wordsFor(2, 1));
  const { touched } = new Beginning(host);
  const turn = new StillTurn(new TurnState(words, 2, 1), host, 'sc', touched);
  for (const { index } of host.cpus) {
    turn.tasks.push(new Task(turn, index, host));
  }
  const [task] = turn.tasks as [Task, Task];
  const controlled = new TurnWords(shared.memory, toPtr(48), task);
  const loads = (leaf: Words): number => {
    let sum = 0;
    for (let i = 0; i < LOADS; i++) {
      if (i % PIECE === 0) task.restart();
      sum ^= leaf.load(toPtr(host.layout.regions.machine.at));
    }
    keep(sum);
    return LOADS;
  };
  return {
    measured: repeated('under control', () => {
      turn.state.reset();
      turn.join(new Pct(1), 1, LOADS + 1);
      return loads(controlled);
    }),
    baseline: repeated('not under control', () => loads(host.words)),
  };
}

const SWITCHING: Batched = { path: TWO_CPUS, strategy: 'random', runs: 5, count: turnsOf };

export const scheduleLines: readonly Line[] = [
  ...(
    [
      [2, TWO_CPUS],
      [4, FOUR_CPUS],
    ] as const
  ).flatMap(([cpus, path]): Line[] => {
    const batched: Batched = { path, strategy: 'pct-3', runs: 50, count: oneSchedule };
    const what = `schedules of ${cpus} host CPUs`;
    return [
      {
        name: `${what}, PCT-3`,
        unit: 'schedules/s',
        make: () => ({ measured: inOneThread(batched, true), baseline: inOneThread(batched) }),
      },
      {
        name: `${what} on worker threads, PCT-3`,
        unit: 'schedules/s',
        make: () => ({ measured: onThreads(batched), baseline: inOneThread(batched) }),
      },
    ];
  }),
  {
    name: 'switches of 2 host CPUs on worker threads, random walk',
    unit: 'switches/s',
    make: () => ({ measured: onThreads(SWITCHING), baseline: inOneThread(SWITCHING) }),
  },
  { name: 'a load where the turn stays', unit: 'ns', make: point },
];
