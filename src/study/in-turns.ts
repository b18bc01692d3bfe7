/**
 * A machine in this very thread: its host CPUs take turns, a time slice each, under the policy
 * that it names. What comes of it is a function of the machine and its seed alone. Nobody is inside
 * a guest while another CPU has its turn, so nobody ever waits for another.
 */

import type { Host, SharedMachine } from '../../shared/host.ts';
import { Dead } from '../../shared/lguest.ts';
import { assemble } from '../assembly.ts';
import { checkAll } from '../check/invariants.ts';
import { checkNothingLeft } from '../check/references.ts';
import { checkReplayed } from '../check/replayed.ts';
import { assert, HostOops } from '../errors.ts';
import { loadProgram } from '../guest/load.ts';
import type { Program } from '../guest/program.ts';
import { softwareOf } from '../guest/software.ts';
import { close, launch } from '../host/launcher.ts';
import { cpusInThread } from '../host/one-thread.ts';
import { type MachineSpec, schedulingOf } from '../machine.ts';

/**
 * Runs a machine to its end, holds what it leaves to the invariants, and hands its host to `look`
 * before everything is given back; `beforeSlice` may change it each time that a CPU gets its turn.
 * A guest that does not end by itself, or an invariant that does not hold, is an error: a study
 * measures machines that work.
 */
export function runInTurns<T>(
  spec: MachineSpec,
  look: (host: Host) => T,
  beforeSlice?: (host: Host) => void,
): T {
  // Who turns single defects on knows what they break.
  const looked = lookInTurns(spec, look, { beforeSlice, isToBeSound: spec.defects === undefined });
  assert(looked.wrong === undefined, `a study's machine is not sound: ${looked.wrong}`);
  return looked.found!;
}

interface Turns {
  readonly beforeSlice?: ((host: Host) => void) | undefined;
  /** Whether it is held to the invariants. */
  readonly isToBeSound: boolean;
}

/**
 * What `look` found, or what is wrong with the machine, in words: by its own fault or its user's.
 */
export type Looked<T> =
  | { readonly found: T; readonly wrong?: undefined }
  | { readonly found?: undefined; readonly wrong: string };

/** The same, for machines that may not work. */
export function lookInTurns<T>(
  spec: MachineSpec,
  look: (host: Host) => T,
  { beforeSlice, isToBeSound }: Turns = { isToBeSound: true },
): Looked<T> {
  const { shared, host } = assemble(spec);
  host.machine.failAllocationsAfter(spec.failAllocationAfter ?? -1);
  for (const lg of host.guests) launch(lg);
  const programs = spec.guests.map(({ program }) => loadProgram(program));
  let died: string | undefined;
  try {
    died = takeTurns(spec, shared, host, programs, beforeSlice);
  } finally {
    for (const program of programs) program.close?.();
  }
  if (died !== undefined) return { wrong: died };
  const [left] = checkReplayed(
    host,
    programs.map(({ accesses }) => accesses),
  );
  if (left !== undefined) return { wrong: left.text };
  const killed = host.guests.find(({ dead }) => dead !== Dead.PoweredOff);
  if (killed !== undefined) {
    return { wrong: `guest ${spec.guests[killed.index]!.name} was killed: ${killed.reason}` };
  }
  const found = look(host);
  const broken = isToBeSound ? checkAll(host) : [];
  for (const lg of host.guests) close(host, lg);
  const [first] = [...broken, ...checkNothingLeft(host)];
  return first === undefined ? { found } : { wrong: first.text };
}

/** Until all guests are at their end. What the host died of, if it did. */
function takeTurns(
  spec: MachineSpec,
  shared: SharedMachine,
  host: Host,
  programs: readonly Program[],
  beforeSlice?: (host: Host) => void,
): string | undefined {
  const cpus = cpusInThread(shared, host, softwareOf(programs), schedulingOf(spec));
  while (host.guests.some(({ dead }) => dead === Dead.Alive)) {
    const busy = cpus.filter(({ scheduler, cpu }) => scheduler.hasWorkFor(cpu.index));
    if (busy.length === 0) return 'no vCPU can go on, and none is at its end';
    for (const { cpu, scheduler, step } of busy) {
      // Another may have taken it meanwhile.
      if (!scheduler.hasWorkFor(cpu.index)) continue;
      beforeSlice?.(host);
      try {
        do step();
        while (cpu.runningVcpu !== 0);
      } catch (error) {
        if (error instanceof HostOops) return `the host died: ${error.message}`;
        throw error;
      }
    }
  }
  return undefined;
}
