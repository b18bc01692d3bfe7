/**
 * Runs litmus tests in one thread, by whole steps of the host CPUs' loops in a given order. A CPU
 * that waits for another inside the guest has it exit.
 */

import { globSync } from 'node:fs';
import type { DisciplineName } from '../../shared/discipline.ts';
import type { Host } from '../../shared/host.ts';
import { Stop } from '../../shared/machine-record.ts';
import { bootLitmus, type LitmusSetting } from '../../src/explore/litmus/boot.ts';
import type { Litmus } from '../../src/explore/litmus/litmus.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { litmusSoftware } from '../../src/explore/litmus/software.ts';
import { Subject } from '../../src/explore/subject.ts';
import { cpusInThread } from '../../src/host/one-thread.ts';

export const LITMUS_FILES = globSync('litmus/**/*.yaml').toSorted();

/** A test without defects, by two-level tables, to run all of its behaviours. */
export const abridgedSubject = (name: string, discipline: DisciplineName): Subject =>
  new Subject(name, readLitmus(name), {
    paging: 'nonpae',
    discipline,
    defects: [],
    abridged: true,
  });

/** The host CPU that steps next, of the numbers 0 … `cpus` − 1. */
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

/** Run to the end; returns the main thread's view. */
export function runLitmus(litmus: Litmus, setting: LitmusSetting, order = roundRobin): Host {
  const { shared, host } = bootLitmus(litmus, setting);
  const most = 0x7fff_ffff;
  const scheduling = { policy: 'sticky', quantum: { least: most, most }, hotplug: [] } as const;
  const cpus = cpusInThread(shared, host, litmusSoftware(litmus), scheduling, 1);
  for (let step = 0; host.machine.stop === Stop.Running; step++) {
    if (step === MOST_STEPS) throw new Error(`no end after ${step} steps`);
    cpus[order(step, cpus.length)]!.step();
  }
  return host;
}
