/**
 * Litmus tests run in one thread, whole steps of the host CPUs' loops in an order that a test
 * gives. Who waits for a CPU that is inside the guest has that one come out.
 */

import { globSync } from 'node:fs';
import type { Host } from '../../shared/host.ts';
import { Stop } from '../../shared/machine-record.ts';
import { joinMachine } from '../../src/assembly.ts';
import { bootLitmus, type LitmusSetting } from '../../src/explore/litmus/boot.ts';
import type { Litmus } from '../../src/explore/litmus/litmus.ts';
import { litmusSoftware } from '../../src/explore/litmus/software.ts';
import { HostCpuLoop } from '../../src/host/host-cpu-loop.ts';
import { GuestRunner } from '../../src/host/run-guest.ts';
import { Scheduler } from '../../src/host/scheduler.ts';

export const LITMUS_FILES = globSync('litmus/**/*.yaml').toSorted();

/** Which host CPU steps next, of the numbers 0 … `cpus` − 1. */
export type Order = (step: number, cpus: number) => number;

export const roundRobin: Order = (step, cpus) => step % cpus;

/** Drawn from a seed (a linear congruential generator). */
export function drawn(seed: number): Order {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return (_, cpus) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) % cpus;
  };
}

const MOST_STEPS = 20_000;

/** Nothing to do for a host CPU. */
const IDLE = Symbol('idle');

/** Run to the end; returns the main thread's view. */
export function runLitmus(litmus: Litmus, setting: LitmusSetting, order = roundRobin): Host {
  const { shared, host } = bootLitmus(litmus, setting);
  const most = 0x7fff_ffff;
  const scheduling = { policy: 'sticky', quantum: { least: most, most }, hotplug: [] } as const;
  const loops = host.cpus.map(({ index }) => {
    const view = joinMachine(shared, index);
    const scheduler = new Scheduler(view, scheduling);
    const unpark = scheduler.unparkSiblings.bind(scheduler);
    const cpu = view.cpus[index]!;
    const runner = new GuestRunner(view, cpu, litmusSoftware(litmus), unpark, 1);
    const loop = new HostCpuLoop(view, cpu, runner, scheduler);
    view.words.wait = (at) => {
      if (at === cpu.mailbox) throw IDLE;
      const other = host.cpus.find(({ inGuest }) => inGuest.count === at);
      if (other === undefined) throw new Error('waits for what nobody in this thread can do');
      loops[other.index]!.step();
    };
    return loop;
  });
  const scheduler = new Scheduler(host, scheduling);
  for (const cpu of host.vcpus) scheduler.enqueue(cpu);
  for (let step = 0; host.machine.stop === Stop.Running; step++) {
    if (step === MOST_STEPS) throw new Error(`no end after ${step} steps`);
    try {
      loops[order(step, loops.length)]!.step();
    } catch (error) {
      if (error !== IDLE) throw error;
    }
  }
  return host;
}
