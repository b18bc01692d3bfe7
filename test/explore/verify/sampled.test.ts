/**
 * No sampled schedule behaves in a way that the search through all behaviours has not met: a few
 * litmus tests, and with UMBRA_SLOW all that have few enough behaviours, with a million schedules.
 */

import { expect, test } from 'vitest';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import { type Setting, settingsOf } from '../../../src/explore/setting.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { Exhaustive } from '../../../src/explore/verify/exhaustive.ts';
import { runOnce } from '../../../src/explore/verify/unit.ts';
import { SLOW } from '../../slow.ts';
import { LITMUS_FILES } from '../litmus-rig.ts';

const FEW = [
  'R4-both-allocate-the-table',
  'R15-two-faults-at-once',
  'R16-registers-of-a-sibling',
  // Sees which page another vCPU's stack is, which is no step.
  'D4-stack-moved-while-told',
];

/** Tests with more behaviours are passed over. */
const MOST = 20_000;

const SAMPLERS = ['random', 'pos', 'surw', 'guided', 'pct-2', 'pct-3', 'pct-4', 'pct-5'];

/** Schedules of each sampler for each set. */
const EACH = SLOW ? 1250 : 25;

interface Case {
  readonly path: string;
  readonly setting: Setting;
}

const CASES: readonly Case[] = (SLOW ? LITMUS_FILES : FEW).flatMap((path) =>
  settingsOf(readLitmus(path), SLOW ? {} : { paging: 'pae' }).map((setting) => ({
    path,
    setting: { ...setting, defects: [], abridged: true },
  })),
);

/** Of the whole test, if there are no more than MOST. */
function allTraces(subject: Subject): ReadonlySet<string> | undefined {
  const search = new Exhaustive(subject.board);
  const traces = new Set<string>();
  while (search.goOn()) {
    const result = runOnce(subject, search);
    if (result !== undefined) traces.add(result.run.trace);
    if (traces.size > MOST) return undefined;
  }
  return traces;
}

test('no sample lies outside of what was verified', { timeout: SLOW ? 7_200_000 : 120_000 }, () => {
  let sets = 0;
  let samples = 0;
  const outside: unknown[] = [];
  for (const { path, setting } of CASES) {
    const subject = new Subject(path, readLitmus(path), setting);
    const all = allTraces(subject);
    if (all === undefined) continue;
    sets++;
    for (const name of SAMPLERS) {
      const strategy = STRATEGIES[name]!();
      // As in abridged runs that are verified.
      strategy.draw = () => 0;
      for (let seed = 0; seed < EACH; seed++) {
        // Hardware acts by itself with an odd seed.
        const { trace } = subject.run(strategy, 2 * seed).run;
        if (!all.has(trace)) outside.push({ path, setting, name, seed: 2 * seed });
        samples++;
      }
    }
  }
  expect(outside).toEqual([]);
  if (SLOW) console.log(`${samples} samples of ${sets} sets`);
  expect(sets).toBeGreaterThan(SLOW ? 100 : 8);
  expect(samples).toBe(sets * SAMPLERS.length * EACH);
});
