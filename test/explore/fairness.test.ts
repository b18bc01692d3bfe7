/** An actor that polls in vain yields under every strategy; one without progress is reported. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Board } from '../../src/explore/engine/board.ts';
import { bootLitmus } from '../../src/explore/litmus/boot.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { LITMUS_SCHEDULING } from '../../src/explore/litmus/scheduling.ts';
import { settingsOf } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Lenient } from '../../src/explore/strategies/lenient.ts';
import type { Strategy } from '../../src/explore/strategies/strategy.ts';
import { Subject } from '../../src/explore/subject.ts';
import { Vector } from '../../src/guest/processor.ts';
import { frameStart, toGpfn } from '../../src/hardware/address.ts';
import type { SoftwareFor } from '../../src/host/run-guest.ts';
import { SLOW } from '../slow.ts';
import { ADVERSARIES } from './adversaries.ts';
import { type Program, type ProgramStep, play } from './program.ts';

/** Every strategy, and the adversaries; each fresh. */
const ALL: readonly (readonly [string, () => Strategy])[] = [
  ...Object.entries(STRATEGIES),
  ['a plan', () => new Lenient([{ who: 0, until: 1 }])],
  ...Object.entries(ADVERSARIES).map(([name, strategy]) => [name, () => strategy] as const),
];

const MOST_ATTEMPT = 5;

/** Threads whose waits can all end: in some order of all steps, each waits for earlier ones. */
const programs: fc.Arbitrary<Program> = fc
  .array(
    fc.record({
      thread: fc.nat(3),
      waits: fc.constantFrom('no', 'no', 'spins', 'sleeps'),
      on: fc.nat(3),
      attempt: fc.integer({ min: 1, max: MOST_ATTEMPT }),
      at: fc.nat(3),
    }),
    { minLength: 4, maxLength: 24 },
  )
  .map((order) => {
    const program: ProgramStep[][] = [[], [], [], []];
    for (const { thread, waits, on, attempt, at } of order) {
      const reached = [on, program[on]!.length] as const;
      program[thread]!.push({
        at,
        ...(waits === 'spins' && { spinsUntil: reached, attempt }),
        ...(waits === 'sleeps' && { sleepsUntil: reached }),
      });
    }
    return program;
  });

/** A waiting thread waits for two attempts and the rest of one, of each other thread. */
const boundOf = (program: Program): number =>
  program.flat().length * MOST_ATTEMPT * (1 + 3 * program.length);

test('a program whose waits can end does end, under every strategy and within a bound', () => {
  fc.assert(
    fc.property(programs, fc.nat(1000), (program, seed) => {
      for (const [, make] of ALL) {
        const { order } = play(program, make(), seed);
        expect(order.length).toBeLessThanOrEqual(boundOf(program));
      }
    }),
    { numRuns: 300 },
  );
});

describe('two threads wait for a third', () => {
  const waitsForLast: ProgramStep = { spinsUntil: [2, 3], attempt: 3 };
  const program: Program = [[waitsForLast], [waitsForLast], [{}, {}, {}]];

  test.each(ALL)('%s', (_, make) => {
    expect(play(program, make(), 1).order.length).toBeLessThanOrEqual(boundOf(program));
  });

  test('which an adversary would keep from running, if it could', () => {
    const unfair = {
      triedInVain: () => {},
      mayGoOn: (_: number, able: number) => able,
      chosen: () => {},
    };
    expect(() => play(program, ADVERSARIES['all but 2']!, 1, unfair)).toThrow('does not end');
    // Nor is it enough to let another thread run just once.
    const once = {
      ...unfair,
      mayGoOn: (current: number, able: number, inVain: boolean) =>
        inVain ? able & ~(1 << current) || able : able,
    };
    expect(() => play(program, ADVERSARIES['all but 2']!, 1, once)).toThrow('does not end');
  });
});

test.each(ALL)('%s: two that wait for one another are reported as endless', (_, make) => {
  const program: Program = [[{ spinsUntil: [1, 1] }], [{ spinsUntil: [0, 1] }], [{}, {}]];
  expect(() => play(program, make(), 1)).toThrow('does not end');
});

describe.each(['litmus/4-switch/one-slot.yaml', 'litmus/4-switch/three-tables-one-slot.yaml'])(
  '%s',
  (path) => {
    const litmus = readLitmus(path);
    const settings = (['sc', 'tso'] as const).flatMap((memory) => settingsOf(litmus, { memory }));
    /** An adversary draws nothing: it has one schedule. */
    const seeds = (name: string): number => (name in STRATEGIES ? (SLOW ? 20 : 4) : 1);

    test.each(ALL)('%s: every vCPU gets its shadow', (name, make) => {
      for (const setting of settings) {
        const subject = new Subject(path, litmus, setting);
        const strategy = make();
        for (let seed = 1; seed <= seeds(name); seed++) {
          const { ending, message } = subject.run(strategy, seed);
          expect([setting, seed, ending, message]).toEqual([setting, seed, 'ok', '']);
        }
      }
    });
  },
);

describe('polling for a shadow that is in use for long is no livelock', () => {
  const path = 'test/explore/busy-with-the-only-slot.yaml';
  const litmus = readLitmus(path);
  const settings = settingsOf(litmus, {}).filter(({ discipline }) => discipline !== 'guest-lock');

  /** A run of random polls some ten times as often as one of others. */
  const runs = (name: string): number => (SLOW ? 500 : name === 'random' ? 10 : 50);

  test.each(Object.entries(STRATEGIES))('%s', (name, make) => {
    for (const setting of settings) {
      const subject = new Subject(path, litmus, setting);
      const strategy = make();
      for (let seed = 1; seed <= runs(name); seed++) {
        const { ending, message } = subject.run(strategy, seed);
        expect([setting, seed, ending, message]).toEqual([setting, seed, 'ok', '']);
      }
    }
  });
});

describe('vCPU 0 polls until vCPU 1 has acted', () => {
  const litmus = readLitmus('litmus/1-fault/R1-two-faults-one-entry.yaml');
  const setting = { paging: 'nonpae', discipline: 'lock-free', defects: [] } as const;

  /** Software whose first vCPU polls a word; the second writes it, or kills the guest at once. */
  const board = (ends: boolean, looks = true): Board => {
    const { shared, host } = bootLitmus(litmus, setting);
    const word = frameStart(host.guests[0]!.map.frame(toGpfn(0x20)));
    const software: SoftwareFor = (processor) => ({
      run: () => {
        if (looks) processor.words.load(word);
        if (ends && processor.vcpu === 1) processor.trap(Vector.DoubleFault, 0);
        else processor.words.relax();
        return 0;
      },
    });
    return new Board(shared, host, software, LITMUS_SCHEDULING, { mostSteps: 5000 });
  };

  test.each(ALL)('%s: the wait ends', (_, make) => {
    expect(board(true).run(make(), 1).verdict).toBe('killed');
  });

  test.each(ALL)('%s: without the write it is a livelock', (_, make) => {
    expect(board(false).run(make(), 1).verdict).toBe('livelock');
  });

  test.each(ALL)('%s: so is waiting without an access, that is, without a step', (_, make) => {
    expect(board(false, false).run(make(), 1).verdict).toBe('livelock');
  });
});
