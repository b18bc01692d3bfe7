/** Programs made from seeds: their ends do not depend on timing. */

import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../shared/discipline.ts';
import { UserError } from '../../src/errors.ts';
import { loadProgram, type ProgramSource } from '../../src/guest/load.ts';
import type { Program } from '../../src/guest/program.ts';
import { makeWorkload, workloads } from '../../src/guest/workloads/catalogue.ts';
import { Rig, type RigSpec } from '../rig.ts';
import { audit } from './at-rest.ts';

const names = Object.keys(workloads);

interface Sides {
  readonly vcpus: number;
  readonly hostCpus: number;
  readonly quantum: number;
  readonly paging: RigSpec['paging'] & string;
  readonly pgdirs?: number;
  readonly discipline?: DisciplineName;
}

function run(program: Program, { quantum, ...machine }: Sides) {
  const rig = new Rig({ program, discipline: 'guest-lock', ...machine, defects: [] });
  rig.runAll(quantum);
  const { user } = rig.digest();
  const wrong = audit(rig.host);
  return { reason: rig.reason, user, wrong: [...wrong, ...rig.violations()] };
}

const ALONE: Sides = { vcpus: 1, hostCpus: 1, quantum: 5000, paging: 'nonpae' };

describe.each(names)('%s', (name) => {
  test.each([
    [1, { vcpus: 3, hostCpus: 2, quantum: 97, paging: 'pae', pgdirs: 2, discipline: 'lock-free' }],
    [2, { vcpus: 8, hostCpus: 3, quantum: 1009, paging: 'nonpae', discipline: 'pgdir-lock' }],
  ] as const)('seed %i ends on several vCPUs as on one', (seed, sides) => {
    const program = makeWorkload({ name, seed });
    const alone = run(program, ALONE);
    expect(alone).toMatchObject({ reason: 'Power down', wrong: [] });
    expect(run(program, sides)).toEqual(alone);
  });

  test('can be as small as one thread, and as long as asked for', () => {
    const small = makeWorkload({ name, seed: 1, threads: 1, size: 1 });
    expect(run(small, ALONE)).toMatchObject({ reason: 'Power down', wrong: [] });
    const [short, long] = [1, 2].map((size) => operations(makeWorkload({ name, seed: 1, size })));
    expect(long).toBeGreaterThan(short!);
  });
});

const operations = ({ processes }: Program): number =>
  processes.flatMap(({ threads }) => threads).reduce((sum, { length }) => sum + length, 0);

const streams = ({ processes }: Program) =>
  processes.map(({ threads }) => threads.map((stream) => Array.from(stream.block(0).ops)));

test.each(names)('%s has room for its declared number of threads', (name) => {
  const threads = workloads[name]!.mostThreads;
  const end = run(makeWorkload({ name, seed: 1, threads, size: 1 }), { ...ALONE, vcpus: 2 });
  expect(end).toMatchObject({ reason: 'Power down', wrong: [] });
});

test('the same name and seed give the same program, and other seeds others', () => {
  const swarm = (seed: number) => streams(makeWorkload({ name: 'swarm', seed }));
  expect(swarm(7)).toEqual(swarm(7));
  expect(swarm(7)).not.toEqual(swarm(8));
});

test('a program source names it by name, seed, size and threads', () => {
  const source: ProgramSource = { kind: 'workload', name: 'swarm', seed: 7, size: 2, threads: 2 };
  expect(streams(loadProgram(source))).toEqual(
    streams(makeWorkload({ name: 'swarm', seed: 7, size: 2, threads: 2 })),
  );
});

test('refuses an unknown workload, or one that does not fit, as the user’s mistake', () => {
  const load = (more: object) => () =>
    loadProgram({ kind: 'workload', name: 'x', seed: 1, ...more });
  expect(load({})).toThrow(UserError);
  expect(load({})).toThrow(/there is no workload 'x'; there are fault-storm-shared, .*swarm/);
  const wrong = load({ name: 'fork-bomb', threads: 16 });
  expect(wrong).toThrow('the workload fork-bomb takes 1 to 15 for threads, and not 16');
  expect(load({ name: 'swarm', size: 0 })).toThrow(UserError);
});
