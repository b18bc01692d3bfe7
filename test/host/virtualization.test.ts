/** One guest, virtualized in three ways: the same result, by different means. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import { enter, leave } from '../../shared/discipline.ts';
import { VIRTUALIZATIONS, type Virtualization } from '../../shared/virtualization.ts';
import { runChecked } from '../../src/check/checked-run.ts';
import { checkAll } from '../../src/check/invariants.ts';
import { UserError } from '../../src/errors.ts';
import { loadProgram, type ProgramSource } from '../../src/guest/load.ts';
import { toGpfn } from '../../src/hardware/address.ts';
import { Machine } from '../../src/machine.ts';
import { dropNestedPage } from '../../src/nested/table.ts';
import { counted } from '../guest/at-rest.ts';
import { Rig, type RigSpec } from '../rig.ts';

const PROGRAMS: readonly ProgramSource[] = [
  ...['fork', 'churn'].map((name) => ({ kind: 'builtin', name }) as const),
  ...['kernel-churn', 'fork-bomb', 'swarm'].map(
    (name) => ({ kind: 'workload', name, seed: 3 }) as const,
  ),
];

function run(source: ProgramSource, virtualization: Virtualization, spec: Partial<RigSpec> = {}) {
  const program = loadProgram(source);
  const rig = new Rig({ program, virtualization, hostCpus: 2, defects: [], ...spec });
  if (spec.vcpus === undefined) rig.runRoundRobin(700);
  else rig.runAll(700);
  expect(rig.reason).toBe('Power down');
  return rig;
}

describe.each(['nonpae', 'pae'] as const)('with %s page tables', (paging) => {
  test.each(PROGRAMS)('$name leaves the same memory under each', (source) => {
    const ends = VIRTUALIZATIONS.map((virtualization) => {
      const rig = run(source, virtualization, { paging });
      const { user } = rig.digest();
      const broken = checkAll(rig.host).map(({ text }) => text);
      expect([virtualization, ...broken, ...rig.violations()]).toEqual([virtualization]);
      return user;
    });
    expect(new Set(ends).size).toBe(1);
  });

  test('several vCPUs of nested paging end as one does', () => {
    const source = { kind: 'workload', name: 'mmap-churn', seed: 5 } as const;
    const ends = [1, 3].map((vcpus) => {
      const rig = run(source, 'nested', { paging, vcpus });
      const { user } = rig.digest();
      expect([...checkAll(rig.host), ...rig.violations()]).toEqual([]);
      return user;
    });
    expect(ends[1]).toBe(ends[0]);
  });
});

describe('a page fault', () => {
  const source = { kind: 'builtin', name: 'churn' } as const;

  test('is handled by the host under shadow and direct paging, by the kernel alone under nested paging', () => {
    const [shadow, direct, nested] = VIRTUALIZATIONS.map((one) => run(source, one));
    const passedOn = counted(shadow!, Counter.FaultsPassedOn);
    expect(passedOn).toBeGreaterThan(800);
    expect(counted(direct!, Counter.FaultsPassedOn)).toBe(passedOn);
    expect(counted(nested!, Counter.FaultsPassedOn)).toBe(0);
    expect(counted(nested!, Counter.DirectFaults)).toBe(passedOn);
  });

  test('is repaired by direct paging only before the guest has tables', () => {
    const [little, much] = (['touch', 'churn'] as const).map((name) =>
      counted(run({ kind: 'builtin', name }, 'direct'), Counter.FaultsFixed),
    );
    expect(much).toBe(little);
  });

  test('a guest of nested paging makes no hypercalls about its page tables', () => {
    const rig = run(source, 'nested');
    for (const call of [4, 5, 13, 14, 15, 22, 23, 24]) {
      expect([call, counted(rig, Counter.Hypercalls + call)]).toEqual([call, 0]);
    }
  });
});

describe('on worker threads', () => {
  const guest = (virtualization: Virtualization, vcpus = 1) => ({
    name: virtualization,
    program: { kind: 'builtin', name: 'parallel' } as const,
    pages: 1024,
    paging: 'pae' as const,
    vcpus,
    virtualization,
  });
  const machine = (guests: readonly ReturnType<typeof guest>[]) =>
    Machine.boot({
      hostCpus: 2,
      policy: 'random',
      seed: 4,
      guests,
      discipline: 'guest-lock',
      quantum: { least: 50, most: 900 },
    });

  test('guests of all three share a machine', async () => {
    const guests = [guest('shadow'), guest('direct'), guest('nested', 2)];
    const result = await runChecked(await machine(guests), { sampleEveryMs: 100 });
    expect([result.ending.kind, ...result.violations]).toEqual(['done']);
    expect(new Set(result.guests.map(({ memory }) => memory.user)).size).toBe(1);
  });

  test('a guest of direct paging has one vCPU', async () => {
    await expect(machine([guest('direct', 2)])).rejects.toThrow(UserError);
  });
});

test('discarding a page waits for other CPUs even if the nested table never had it', () => {
  const rig = new Rig({
    program: loadProgram({ kind: 'builtin', name: 'touch' }),
    virtualization: 'nested',
    vcpus: 2,
    hostCpus: 2,
    discipline: 'guest-lock',
    defects: [],
  });
  const [a, b] = rig.cpus;
  const { inGuest } = b!.host.cpus[1]!;
  enter(b!.host.guests[0]!, inGuest, 0);
  let waited = false;
  a!.host.words.wait = () => {
    waited = true;
    leave(b!.host, b!.host.cpus[1]!, inGuest);
  };
  dropNestedPage(a!.host.guests[0]!, toGpfn(900));
  expect(waited).toBe(true);
});
