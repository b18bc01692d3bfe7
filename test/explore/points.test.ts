/** Each kind of access is a scheduling point, and is made once. */

import { afterEach, describe, expect, test } from 'vitest';
import { Words } from '../../shared/words.ts';
import { Access } from '../../src/explore/engine/access.ts';
import { ControlledWords } from '../../src/explore/engine/controlled-words.ts';
import { Controller } from '../../src/explore/engine/controller.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Setting } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { FewestSwitches } from '../../src/explore/strategies/fewest-switches.ts';
import { RandomWalk } from '../../src/explore/strategies/random-walk.ts';
import type { Strategy } from '../../src/explore/strategies/strategy.ts';
import { Subject } from '../../src/explore/subject.ts';

const SETTING: Setting = { paging: 'nonpae', discipline: 'lock-free', defects: [] };
const R2 = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const R5 = 'litmus/5-flush/R5-table-freed-before-unlinked.yaml';

const subjectOf = (path: string, setting = SETTING): Subject =>
  new Subject(path, readLitmus(path), setting);

describe('a broken engine', () => {
  const { point } = Controller.prototype;
  const { exchange } = ControlledWords.prototype;
  afterEach(() => {
    Controller.prototype.point = point;
    ControlledWords.prototype.exchange = exchange;
  });

  test('R5 shows by a switch at a store, and in no schedule with one switch if stores are no scheduling points', () => {
    /** Ends of all schedules with at most one preemption, up to the first failure. */
    const search = (): string => {
      const subject = subjectOf(R5, { ...SETTING, defects: ['R5'] });
      const strategy = new FewestSwitches(1);
      for (let run = 0; ; run++) {
        const { ending } = subject.run(strategy, 0);
        if (strategy.exhausted) return run > 100 ? 'nothing wrong' : 'too few runs to tell';
        if (ending !== 'ok') return ending;
      }
    };
    expect(search()).not.toBe('nothing wrong');
    Controller.prototype.point = function (task, kind, at) {
      if (kind === Access.Store || kind === Access.Write) task.granted = false;
      else point.call(this, task, kind, at);
    };
    expect(search()).toBe('nothing wrong');
  });

  test('an exchange that is repeated with its piece breaks the repaired code', () => {
    const endings = (): string[] => {
      const subject = subjectOf(R2);
      const strategy = new RandomWalk();
      return Array.from({ length: 3 }, (_, seed) => {
        try {
          return subject.run(strategy, seed).ending;
        } catch {
          return 'thrown';
        }
      });
    };
    expect(endings()).toEqual(['ok', 'ok', 'ok']);
    ControlledWords.prototype.exchange = Words.prototype.exchange;
    // Not in each: of two in their pieces, one may finish without repeating its own.
    expect(endings()).not.toEqual(['ok', 'ok', 'ok']);
  });
});

describe('a schedule run twice has the same runnable actors at each decision', () => {
  /** Records the runnable actors whenever a strategy decides. */
  function noted(strategy: Strategy): { readonly noting: Strategy; readonly sets: number[] } {
    const sets: number[] = [];
    const noting: Strategy = {
      begin: (seed, cpus) => strategy.begin(seed, cpus),
      next: (situation) => {
        sets.push(situation.step, situation.runnable);
        return strategy.next(situation);
      },
      ended: (steps, trace) => strategy.ended?.(steps, trace),
      draw: () => strategy.draw(),
    };
    return { noting, sets };
  }

  test.each(Object.keys(STRATEGIES))('%s', (name) => {
    const subject = subjectOf('litmus/6-switcher/R13-three-cpus.yaml');
    const runs = [subject, subject, subjectOf('litmus/6-switcher/R13-three-cpus.yaml')].map(
      (on) => {
        const { noting, sets } = noted(STRATEGIES[name]!());
        const digests = [1, 2, 3, 4].map((seed) => on.run(noting, seed).run.digest);
        return { digests, sets };
      },
    );
    expect(runs[0]!.sets.length).toBeGreaterThan(1000);
    // Some actor waits at some decision.
    expect(new Set(runs[0]!.sets.filter((_, i) => i % 2 === 1)).size).toBeGreaterThan(1);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });
});
