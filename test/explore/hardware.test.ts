/** Acts of hardware, and stores that wait in buffers. */

import { describe, expect, test } from 'vitest';
import { digestMemory } from '../../src/check/digest.ts';
import { Access } from '../../src/explore/engine/access.ts';
import { actorOf, bufferOf, evictionOn, moveOf } from '../../src/explore/engine/actors.ts';
import { BUFFERED_STORES, ControlState } from '../../src/explore/engine/control-state.ts';
import type { Step } from '../../src/explore/engine/controller.ts';
import { StoreBuffer } from '../../src/explore/engine/store-buffer.ts';
import { Trace } from '../../src/explore/engine/trace.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Setting } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { FewestSwitches } from '../../src/explore/strategies/fewest-switches.ts';
import { Subject } from '../../src/explore/subject.ts';
import { toPtr } from '../../src/hardware/address.ts';
import { guestBoard } from './board.ts';

const SETTING: Setting = { paging: 'nonpae', discipline: 'lock-free', defects: [] };

const subjectOf = (path: string, setting = SETTING): Subject =>
  new Subject(`litmus/${path}.yaml`, readLitmus(`litmus/${path}.yaml`), setting);

/** Every step of this many runs of a strategy. */
function stepsOf(subject: Subject, name: string, runs: number): Step[] {
  const steps: Step[] = [];
  const strategy = STRATEGIES[name]!();
  subject.board.controller.watcher = (step) => steps.push(step);
  for (let seed = 1; seed <= runs; seed++) expect(subject.run(strategy, seed).ending).toBe('ok');
  subject.board.controller.watcher = undefined;
  return steps;
}

test('each number is one actor', () => {
  for (const cpus of [1, 2, 3, 4]) {
    const seen = new Set<string>();
    for (let i = 0; i < 3 * cpus + cpus * cpus; i++) seen.add(JSON.stringify(actorOf(i, cpus)));
    expect(seen.size).toBe(3 * cpus + cpus * cpus);
    expect(actorOf(bufferOf(cpus - 1, cpus), cpus)).toEqual({ kind: 'drain', cpu: cpus - 1 });
    expect(actorOf(evictionOn(0, cpus), cpus)).toEqual({ kind: 'eviction', cpu: 0 });
    const move = moveOf(cpus - 1, 0, cpus);
    expect(actorOf(move, cpus)).toEqual({ kind: 'move', cpu: cpus - 1, to: 0 });
    expect(move).toBeLessThan(32);
  }
});

describe.each(['random', 'pct-3', 'surw', 'pos', 'portfolio', 'fewest'])('%s', (name) => {
  test('has vCPUs moved and TLB entries dropped', () => {
    const subject = subjectOf('1-fault/locked-counting');
    const runs = name === 'fewest' ? 1000 : 100;
    const steps = stepsOf(subject, name, runs);
    const kinds = new Set(steps.map(({ kind }) => kind));
    expect(kinds).toContain(Access.Evict);
    const moves = steps.filter(({ kind }) => kind === Access.Move);
    expect(new Set(moves.map(({ value: to }) => to))).toEqual(new Set([0, 1]));
  });
});

test('an even seed has no acts of hardware', () => {
  const subject = subjectOf('1-fault/locked-counting');
  const kinds = new Set<Access>();
  subject.board.controller.watcher = ({ kind }) => kinds.add(kind);
  for (let seed = 0; seed < 40; seed += 2) subject.run(STRATEGIES['pct-3']!(), seed);
  expect(kinds).toContain(Access.Load);
  expect(kinds).not.toContain(Access.Move);
  expect(kinds).not.toContain(Access.Evict);
});

test('a moved vCPU continues on the other CPU with all its state', () => {
  const subject = subjectOf('1-fault/locked-counting');
  const { host } = subject.board;
  const wanted = moveOf(0, 1, 2);
  const strategy = new FewestSwitches(1);
  let moved = 0;
  for (let run = 0; run < 1200; run++) {
    const { ending, run: ended } = subject.run(strategy, 0);
    expect(ending).toBe('ok');
    if (!ended.decisions.turns.some((actor, i) => i % 2 === 1 && actor === wanted)) continue;
    moved++;
    expect(host.vcpus[0]!.lastHostCpu).toBe(1);
  }
  expect(moved).toBeGreaterThan(10);
});

describe('a store buffer', () => {
  const bufferOn = (cpu: number): StoreBuffer => {
    const state = new ControlState(
      new Uint32Array(ControlState.wordsFor(2, 10)),
      2,
      10,
      new Trace(new Int32Array(0), 0),
    );
    state.reset();
    return new StoreBuffer(state, cpu);
  };

  test('drains stores in their order, and its own CPU reads the newest', () => {
    const buffer = bufferOn(1);
    // Round the ring more than once.
    for (let i = 0; i < 3 * BUFFERED_STORES; i += 3) {
      for (let j = 0; j < 3; j++) buffer.push(toPtr(100 + (j % 2)), i + j);
      expect(buffer.find(toPtr(100))).toBe(i + 2);
      expect(buffer.find(toPtr(101))).toBe(i + 1);
      expect(buffer.find(toPtr(102))).toBe(-1);
      for (let j = 0; j < 3; j++) {
        expect([buffer.at, buffer.value]).toEqual([100 + (j % 2), i + j]);
        buffer.shift();
      }
      expect(buffer.length).toBe(0);
    }
  });

  test('is full at its size', () => {
    const buffer = bufferOn(0);
    for (let i = 0; i < BUFFERED_STORES; i++) {
      expect(buffer.isFull).toBe(false);
      buffer.push(toPtr(1), i);
    }
    expect(buffer.isFull).toBe(true);
  });
});

describe('with --memory tso', () => {
  const outcomes = (path: string, memory: 'sc' | 'tso', runs: number): Set<number | undefined> => {
    const subject = subjectOf(path, { ...SETTING, memory });
    const strategy = STRATEGIES['pct-3']!();
    const seen = new Set<number | undefined>();
    for (let seed = 0; seed < runs; seed++) {
      const { ending, outcome } = subject.run(strategy, seed);
      expect(ending).toBe('ok');
      seen.add(outcome);
    }
    return seen;
  };

  test("both may read before the other's store, and only there", () => {
    expect(outcomes('1-fault/store-buffering', 'tso', 1500)).toEqual(new Set([0, 1]));
    expect(outcomes('1-fault/store-buffering', 'sc', 1500)).toEqual(new Set([1]));
  });

  test('stores stay in order: a CPU that sees the flag sees the message', () => {
    expect(outcomes('1-fault/message-passing', 'tso', 500)).toEqual(new Set([2]));
  });

  test('every buffered store drains', () => {
    const steps = stepsOf(
      subjectOf('1-fault/message-passing', { ...SETTING, memory: 'tso' }),
      'pos',
      20,
    );
    const written = steps.filter(({ kind }) => kind === Access.Write);
    const drained = steps.filter(({ kind }) => kind === Access.Drain);
    expect(written.length).toBeGreaterThan(20);
    expect(drained.map(({ at, value }) => [at, value]).sort()).toEqual(
      written.map(({ at, value }) => [at, value]).sort(),
    );
  });

  test('an ordinary guest ends as without buffers', () => {
    const memoryAfter = (memory: 'sc' | 'tso') => {
      const board = guestBoard({ paging: 'pae', discipline: 'lock-free', memory });
      const run = board.run(STRATEGIES['pct-3']!(), 3);
      expect(run.verdict).toBe('ended');
      return digestMemory(board.host, board.host.guests[0]!).user;
    };
    expect(memoryAfter('tso')).toBe(memoryAfter('sc'));
  });
});
