/**
 * A machine in this very thread: its host CPUs take turns, a time slice each, under the policy
 * that it names. What comes of it is a function of the machine and its seed alone. Nobody is inside
 * a guest while another CPU has its turn, so nobody ever waits for another.
 */

import { assert } from '../../shared/errors.ts';
import { Host } from '../../shared/host.ts';
import { Dead } from '../../shared/lguest.ts';
import { assemble } from '../assembly.ts';
import { checkAll } from '../check/invariants.ts';
import { checkNothingLeft } from '../check/references.ts';
import { checkReplayed } from '../check/replayed.ts';
import { loadProgram } from '../guest/load.ts';
import { softwareOf } from '../guest/software.ts';
import { HostCpuLoop } from '../host/host-cpu-loop.ts';
import { close, launch } from '../host/launcher.ts';
import { GuestRunner } from '../host/run-guest.ts';
import { Scheduler } from '../host/scheduler.ts';
import { type MachineSpec, schedulingOf } from '../machine.ts';

/**
 * Runs a machine to its end, holds what it leaves to the invariants, and hands its host to `look`
 * before everything is given back; `beforeSlice` may change it each time that a CPU gets its turn. A guest that does not end by itself, or an invariant that does
 * not hold, is an error: a study measures machines that work.
 */
export function runInTurns<T>(
  spec: MachineSpec,
  look: (host: Host) => T,
  beforeSlice?: (host: Host) => void,
): T {
  const { shared, host } = assemble(spec);
  for (const lg of host.guests) launch(lg);
  const programs = spec.guests.map(({ program }) => loadProgram(program));
  const scheduling = schedulingOf(spec);
  const queues = new Scheduler(host, scheduling);
  for (const cpu of host.vcpus) queues.enqueue(cpu);
  const cpus = host.cpus.map((_, index) => {
    const view = new Host(shared, index);
    const scheduler = new Scheduler(view, scheduling);
    const cpu = view.cpus[index]!;
    const runner = new GuestRunner(view, cpu, softwareOf(programs), (lg) =>
      scheduler.unparkSiblings(lg),
    );
    const loop = new HostCpuLoop(view, cpu, runner, scheduler);
    return { cpu, scheduler, loop };
  });
  while (host.guests.some(({ dead }) => dead === Dead.Alive)) {
    const busy = cpus.filter(({ scheduler, cpu }) => scheduler.hasWorkFor(cpu.index));
    assert(busy.length > 0, 'no vCPU can go on, and none is at its end');
    for (const { cpu, scheduler, loop } of busy) {
      // Another may have taken it meanwhile.
      if (!scheduler.hasWorkFor(cpu.index)) continue;
      beforeSlice?.(host);
      do loop.step();
      while (cpu.runningVcpu !== 0);
    }
  }
  const left = checkReplayed(
    host,
    programs.map(({ accesses }) => accesses),
  );
  assert(left.length === 0, `a guest of a study did not do all: ${left[0]?.text}`);
  return checked(host, look, spec.defects === undefined);
}

/** Who turns single defects on knows what they break. */
function checked<T>(host: Host, look: (host: Host) => T, isToBeSound: boolean): T {
  for (const { dead, reason } of host.guests) {
    assert(dead === Dead.PoweredOff, `a guest of a study was killed: ${reason}`);
  }
  const found = look(host);
  const broken = isToBeSound ? checkAll(host) : [];
  for (const lg of host.guests) close(host, lg);
  const [first] = [...broken, ...checkNothingLeft(host)];
  assert(first === undefined, `a study's machine is not sound: ${first?.text}`);
  return found;
}
