/** A machine in one thread: its host CPUs take turns, so every step is where a test wants it. */

import { toGva } from '../shared/address.ts';
import { ALL_DEFECTS, type DefectId } from '../shared/defects.ts';
import type { DisciplineName } from '../shared/discipline.ts';
import type { PagingName } from '../shared/entry.ts';
import { Host, makeMachine } from '../shared/host.ts';
import { Vma } from '../shared/launcher-map.ts';
import { layOut } from '../shared/layout.ts';
import type { LgCpu } from '../shared/lg-cpu.ts';
import type { Dead } from '../shared/lguest.ts';
import type { PagingPolicy } from '../shared/paging-policy.ts';
import type { Virtualization } from '../shared/virtualization.ts';
import { digestMemory } from '../src/check/digest.ts';
import { checkNothingLeft, checkReferences } from '../src/check/references.ts';
import type { Program } from '../src/guest/program.ts';
import { GuestSoftware, guestMachine } from '../src/guest/software.ts';
import { close, launch } from '../src/host/launcher.ts';
import { GuestRunner, type SoftwareFor } from '../src/host/run-guest.ts';

export interface RigSpec {
  readonly program: Program;
  readonly paging?: PagingName;
  readonly hostCpus?: number;
  readonly vcpus?: number;
  readonly pages?: number;
  readonly frames?: number;
  readonly pgdirs?: number;
  readonly discipline?: DisciplineName;
  readonly defects?: readonly DefectId[];
  readonly virtualization?: Virtualization;
  readonly policy?: Partial<PagingPolicy>;
}

export class Rig {
  /** The main thread's view. */
  readonly host: Host;
  /** Each host CPU's own view and runner. */
  readonly cpus: readonly { readonly host: Host; readonly runner: GuestRunner }[];

  constructor(spec: RigSpec) {
    const { program, paging = 'nonpae', hostCpus = 1, vcpus = 1, pages = 1024 } = spec;
    const { virtualization = 'shadow' } = spec;
    const nx = paging === 'pae';
    const { shared, host } = makeMachine(
      layOut({
        hostCpus,
        switcherAddr: toGva(0xffc0_0000),
        frames: spec.frames ?? pages + 1024,
        seed: 1,
        guests: [
          {
            paging,
            nx,
            pages,
            vcpus,
            virtualization,
            ...(virtualization === 'shadow'
              ? {
                  pgdirs: spec.pgdirs ?? 4,
                  defects: spec.defects ?? ALL_DEFECTS,
                  discipline: spec.discipline ?? 'as-written',
                }
              : { pgdirs: vcpus, defects: [], discipline: 'guest-lock' }),
            policy: spec.policy ?? {},
          },
        ],
      }),
      Vma.CopyOnWrite,
    );
    this.host = host;
    launch(host.guests[0]!);
    this.cpus = Array.from({ length: hostCpus }, (_, i) => {
      const view = new Host(shared, i);
      const softwareFor: SoftwareFor = (processor, lg) =>
        new GuestSoftware(processor, guestMachine(lg, program), lg.counters);
      return { host: view, runner: new GuestRunner(view, view.cpus[i]!, softwareFor, () => {}) };
    });
  }

  /** vCPU `id` of the guest, as host CPU `cpu` sees it. */
  vcpu(id = 0, cpu = 0): LgCpu {
    return this.cpus[cpu]!.host.guests[0]!.cpus[id]!;
  }

  /** Run all vCPUs in turn, `quantum` operations each, every time on another host CPU. */
  runAll(quantum: number, most = 1_000_000): void {
    const vcpus = this.host.guests[0]!.cpus.length;
    for (let turn = 0; turn < most; turn++) {
      const cpu = (turn + Math.floor(turn / vcpus)) % this.cpus.length;
      const vcpu = this.vcpu(turn % vcpus, cpu);
      vcpu.quantum = quantum;
      if (this.cpus[cpu]!.runner.run(vcpu) === 'dead') return;
    }
    throw new Error('the guest is still alive');
  }

  /** Run vCPU 0 on one CPU after the other, `quantum` operations each, to its end. */
  runInTurns(quantum: number, most = 10_000_000): void {
    for (let turn = 0; turn * quantum < most; turn++) {
      const cpu = turn % this.cpus.length;
      const vcpu = this.vcpu(0, cpu);
      vcpu.quantum = quantum;
      if (this.cpus[cpu]!.runner.run(vcpu) === 'dead') return;
    }
    throw new Error(`the guest is still alive after ${most} operations`);
  }

  get dead(): Dead {
    return this.host.guests[0]!.dead;
  }

  get reason(): string {
    return this.host.guests[0]!.reason;
  }

  digest() {
    return digestMemory(this.host, this.host.guests[0]!);
  }

  /** What invariant 2 finds wrong, before and after all is freed. */
  violations(): string[] {
    const before = checkReferences(this.host);
    close(this.host, this.host.guests[0]!);
    return [...before, ...checkNothingLeft(this.host)].map(({ text }) => text);
  }
}
