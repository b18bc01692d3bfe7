/** Logs of real programs with threads, imported and replayed on several vCPUs. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { orderOf } from '../../src/guest/traces/order.ts';
import { openProgram, type TraceProgram } from '../../src/guest/traces/reader.ts';
import { samplePath } from '../../src/guest/traces/samples.ts';
import { userAccesses } from '../guest/traces/helpers.ts';
import { Rig, type RigSpec } from '../rig.ts';
import { imported } from './lackey.ts';

const LOGS = {
  threads: ['threads'],
  forks: ['forks', 'forks.child-1', 'forks.child-2'],
  xz: ['xz'],
} as const;

const place = (name: string): string => fileURLToPath(new URL(`logs/${name}`, import.meta.url));

const importOf = <T>(name: keyof typeof LOGS, look: (program: TraceProgram) => T): Promise<T> =>
  imported(
    Object.fromEntries(LOGS[name].map((log) => [log, readFileSync(place(`${log}.lackey.gz`))])),
    look,
  );

/** The end of a run, and the accesses that were not made. */
function replay(program: TraceProgram, sides: Partial<RigSpec>, quantum: number) {
  const rig = new Rig({ program, pages: 8192, ...sides });
  rig.runAll(quantum);
  const end = { reason: rig.reason, missing: program.accesses! - userAccesses(rig) };
  return { ...end, violations: rig.violations() };
}

const COMPLETE = { reason: 'Power down', missing: 0, violations: [] };

function replayOnAll(program: TraceProgram): void {
  expect(replay(program, {}, 20_000)).toEqual(COMPLETE);
  const shapes = [
    { vcpus: 1, hostCpus: 3, discipline: 'guest-lock', paging: 'pae' },
    { vcpus: 2, hostCpus: 1, discipline: 'guest-lock', paging: 'nonpae' },
    { vcpus: 2, hostCpus: 2, discipline: 'pgdir-lock', paging: 'pae' },
    { vcpus: 4, hostCpus: 3, discipline: 'lock-free', paging: 'pae' },
    { vcpus: 4, hostCpus: 4, discipline: 'guest-lock', paging: 'pae' },
    { vcpus: 8, hostCpus: 2, discipline: 'pgdir-lock', paging: 'nonpae' },
    { vcpus: 8, hostCpus: 4, discipline: 'lock-free', paging: 'nonpae' },
  ] as const;
  for (const [i, shape] of shapes.entries()) {
    const quantum = [317, 20_011, 1009][i % 3]!;
    expect(replay(program, { ...shape, defects: [] }, quantum), JSON.stringify(shape)).toEqual(
      COMPLETE,
    );
  }
}

describe.each(Object.keys(LOGS) as (keyof typeof LOGS)[])('%s', (name) => {
  test('has its threads in the file in the order of their calls', async () => {
    await importOf(name, (program) => {
      const [index] = program.index.processes;
      expect(index!.order).toEqual(orderOf(program.processes[0]!.threads));
      expect(index!.order!.flat().length).toBeGreaterThan(10);
    });
  });

  test('replays completely on any number of vCPUs', async () => {
    await importOf(name, replayOnAll);
  });
});

test.each([
  ['a file without the order of threads', place('threads-without-order.umbra')],
  ['pigz', samplePath('pigz')],
])('%s replays completely on any number of vCPUs', (_, path) => {
  const program = openProgram(path);
  replayOnAll(program);
  program.close();
});
