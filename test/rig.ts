/** A machine in one thread: its host CPUs run alternately, so a test controls every step. */

import type { Host } from '../shared/host.ts';
import type { LgCpu } from '../shared/lg-cpu.ts';
import type { Dead } from '../shared/lguest.ts';
import { assemble, type GuestShape, joinMachine, type MachineShape } from '../src/assembly.ts';
import { digestMemory } from '../src/check/digest.ts';
import { checkNothingLeft, checkReferences } from '../src/check/references.ts';
import type { Program } from '../src/guest/program.ts';
import { softwareOf } from '../src/guest/software.ts';
import { close, launch } from '../src/host/launcher.ts';
import { GuestRunner } from '../src/host/run-guest.ts';
import type { PagingPolicy } from '../src/paging/policies/declared.ts';

export interface RigSpec
  extends Partial<GuestShape>,
    Partial<Pick<MachineShape, 'hostCpus' | 'frames' | 'discipline' | 'defects'>> {
  readonly program: Program;
  readonly policy?: Partial<PagingPolicy>;
  /** As for GuestRunner. */
  readonly stretch?: number;
}

export class Rig {
  /** The main thread's view. */
  readonly host: Host;
  /** Each host CPU's own view and runner. */
  readonly cpus: readonly { readonly host: Host; readonly runner: GuestRunner }[];

  constructor(spec: RigSpec) {
    const {
      program,
      paging = 'nonpae',
      hostCpus = 1,
      pages = 1024,
      policy,
      stretch,
      ...rest
    } = spec;
    const { frames = pages + 1024, discipline, defects, ...guest } = rest;
    const { shared, host } = assemble({
      hostCpus,
      seed: 1,
      frames,
      ...(discipline && { discipline }),
      ...(defects && { defects }),
      guests: [{ ...guest, paging, pages, ...(policy && { pagingPolicy: policy }) }],
    });
    this.host = host;
    launch(host.guests[0]!);
    this.cpus = Array.from({ length: hostCpus }, (_, i) => {
      const view = joinMachine(shared, i);
      const runner = new GuestRunner(view, view.cpus[i]!, softwareOf([program]), () => {}, stretch);
      return { host: view, runner };
    });
  }

  /** vCPU `id` of the guest, in host CPU `cpu`'s view. */
  vcpu(id = 0, cpu = 0): LgCpu {
    return this.cpus[cpu]!.host.guests[0]!.cpus[id]!;
  }

  /** Run all vCPUs in turn, `quantum` operations each, every time on another host CPU. */
  runAll(quantum: number, most?: number): void {
    if (this.runUntil(() => false, quantum, most)) throw new Error('the guest is still alive');
  }

  /** Like runAll, until a condition holds between two slices; false if the guest ends before. */
  runUntil(isSo: () => boolean, quantum: number, most = 1_000_000): boolean {
    const vcpus = this.host.guests[0]!.cpus.length;
    for (let turn = 0; turn < most && !isSo(); turn++) {
      const cpu = (turn + Math.floor(turn / vcpus)) % this.cpus.length;
      const vcpu = this.vcpu(turn % vcpus, cpu);
      vcpu.quantum = quantum;
      if (this.cpus[cpu]!.runner.run(vcpu) === 'dead') return false;
    }
    return true;
  }

  /** Run vCPU 0 on one CPU after the other, `quantum` operations each, to its end. */
  runRoundRobin(quantum: number, most = 10_000_000): void {
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

  /** Violations of invariant 2, before and after all is freed. */
  violations(): string[] {
    const before = checkReferences(this.host);
    close(this.host, this.host.guests[0]!);
    return [...before, ...checkNothingLeft(this.host)].map(({ text }) => text);
  }
}
