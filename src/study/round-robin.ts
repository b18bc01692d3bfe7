/**
 * A machine in this thread: its host CPUs run round robin, a time slice each, under the machine's
 * policy. The result is a function of the machine and its seed alone. No CPU is inside a guest
 * while another runs, so none ever waits for another.
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
 * Run a machine to its end, check the invariants, and pass its host to `look` before its memory is
 * freed; `beforeSlice` may change the machine before each time slice. A guest that does not end
 * by itself, or a violated invariant, is an error: a study measures machines that work.
 */
export function runRoundRobin<T>(
  spec: MachineSpec,
  look: (host: Host) => T,
  beforeSlice?: (host: Host) => void,
): T {
  // A study that turns single defects on expects violations.
  const looked = tryRoundRobin(spec, look, {
    beforeSlice,
    isToBeSound: spec.defects === undefined,
  });
  assert(looked.wrong === undefined, `a study's machine is not sound: ${looked.wrong}`);
  return looked.found!;
}

interface Turns {
  readonly beforeSlice?: ((host: Host) => void) | undefined;
  /** Check the invariants. */
  readonly isToBeSound: boolean;
}

/**
 * What `look` returned, or what is wrong with the machine, in words.
 */
export type Looked<T> =
  | { readonly found: T; readonly wrong?: undefined }
  | { readonly found?: undefined; readonly wrong: string };

/** The same, for machines that may not work. */
export function tryRoundRobin<T>(
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
    died = goRoundRobin(spec, shared, host, programs, beforeSlice);
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

/** Run until all guests have ended. What killed the host, if it died. */
function goRoundRobin(
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
      // Another CPU may have taken it meanwhile.
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
