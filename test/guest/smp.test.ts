/** Guests with several vCPUs, under each of the disciplines. */

import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../shared/discipline.ts';
import { Reg } from '../../shared/host-cpu.ts';
import { builtinPrograms } from '../../src/guest/programs.ts';
import type { PagingName } from '../../src/hardware/entry.ts';
import { enterGuest, leaveGuest, readSaved, writeSaved } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { Rig } from '../rig.ts';

/** Programs whose outcome does not depend on timing. */
const KINDS = (['guest-lock', 'pgdir-lock', 'lock-free'] as const).flatMap((discipline) =>
  (['nonpae', 'pae'] as const).map((paging) => ({ discipline, paging })),
);

const DETERMINISTIC = ['touch', 'fork', 'churn', 'parallel'];

interface Sides {
  readonly discipline: DisciplineName;
  readonly paging: PagingName;
  readonly vcpus: number;
  readonly hostCpus: number;
  readonly quantum: number;
}

function run(name: string, { quantum, ...sides }: Sides): string {
  const rig = new Rig({ program: builtinPrograms[name]!(), ...sides, defects: [] });
  rig.runAll(quantum);
  expect(rig.reason).toBe('Power down');
  const { user } = rig.digest();
  expect(rig.violations()).toEqual([]);
  return user;
}

/** Their final memory on one vCPU, the same for every discipline and paging form. */
const alone = Object.fromEntries(
  DETERMINISTIC.map((name, i) => {
    const kind = KINDS[i % KINDS.length]!;
    return [name, run(name, { ...kind, vcpus: 1, hostCpus: 1, quantum: 1000 })];
  }),
);

describe.each(KINDS)('$discipline, $paging', ({ paging, discipline }) => {
  test.each(DETERMINISTIC)('%s ends on several vCPUs as on one', (name) => {
    const kind = { discipline, paging };
    expect(run(name, { ...kind, vcpus: 3, hostCpus: 2, quantum: 97 })).toBe(alone[name]);
    expect(run(name, { ...kind, vcpus: 8, hostCpus: 4, quantum: 1009 })).toBe(alone[name]);
  });

  test('more vCPUs than pgdirs: one that lost its shadow gets another', () => {
    const rig = new Rig({
      program: builtinPrograms['fork']!(),
      paging,
      vcpus: 8,
      hostCpus: 3,
      discipline,
      defects: [],
      pgdirs: 2,
    });
    rig.runAll(61);
    expect([rig.reason, rig.violations()]).toEqual(['Power down', []]);
  });
});

describe('each vCPU has its own mapping of the Switcher', () => {
  function sides() {
    const rig = new Rig({
      program: builtinPrograms['touch']!(),
      hostCpus: 2,
      vcpus: 2,
      discipline: 'guest-lock',
      defects: [],
    });
    // Both run on the same shadow.
    rig.vcpu(1).cpuPgd = rig.vcpu(0).cpuPgd;
    return rig.cpus.map(({ host }, i) => {
      const hostCpu = host.cpus[i]!;
      const mmu = new Mmu(host, hostCpu);
      const vcpu = (id: number) => host.guests[0]!.cpus[id]!;
      return {
        hostCpu,
        mmu,
        vcpu,
        enter: (id: number) => enterGuest(host, hostCpu, mmu, vcpu(id)),
        leave: (id: number) => leaveGuest(host, hostCpu, mmu, vcpu(id)),
      };
    });
  }

  test('on one host CPU in turn, each has its own registers (R9)', () => {
    const [cpu] = sides();
    writeSaved(cpu!.vcpu(0), Reg.ebx, 0xaaaa);
    writeSaved(cpu!.vcpu(1), Reg.ebx, 0xbbbb);
    cpu!.enter(0);
    cpu!.leave(0);
    cpu!.enter(1);
    expect(cpu!.hostCpu.register(Reg.ebx)).toBe(0xbbbb);
    cpu!.hostCpu.setRegister(Reg.ebx, 0xbeef);
    cpu!.leave(1);
    expect(readSaved(cpu!.vcpu(0), Reg.ebx)).toBe(0xaaaa);
    expect(readSaved(cpu!.vcpu(1), Reg.ebx)).toBe(0xbeef);
  });

  test('on two host CPUs at once, both exit (R10)', () => {
    const [a, b] = sides();
    a!.enter(0);
    b!.enter(1);
    a!.mmu.flush();
    b!.mmu.flush();
    expect(() => {
      a!.leave(0);
      b!.leave(1);
    }).not.toThrow();
  });
});
