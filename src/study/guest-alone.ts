/**
 * One guest of one vCPU on one host CPU, run to its end in this thread: what happens in it is a
 * function of the program, the policies and the seed. The code is as written, with all its defects.
 */

import { Vma } from '../../shared/launcher-map.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import { assemble, type GuestShape, joinMachine } from '../assembly.ts';
import { assert } from '../errors.ts';
import type { Program } from '../guest/program.ts';
import { softwareOf } from '../guest/software.ts';
import { toGpfn } from '../hardware/address.ts';
import { launch } from '../host/launcher.ts';
import { GuestRunner } from '../host/run-guest.ts';

export interface AloneShape extends Partial<GuestShape> {
  readonly seed: number;
  /** Host memory in frames; by default more than enough. */
  readonly frames?: number;
  /** How the Launcher maps the guest's memory; by default as lguest's did. */
  readonly vma?: Vma;
}

/** The guest, on a machine of its own, as its one host CPU sees it. */
export function guestAlone({ seed, frames, vma, ...guest }: AloneShape): Lguest {
  const { paging = 'nonpae', pages = 2048, pgdirs = 4 } = guest;
  const { shared } = assemble(
    {
      hostCpus: 1,
      seed,
      frames: frames ?? pages + pgdirs * 64 + 256,
      guests: [{ ...guest, paging, pages }],
    },
    vma,
  );
  return joinMachine(shared, 0).guests[0]!;
}

/** Processes are switched by the guest's own clock, not by a time slice. */
const FOR_EVER = 1_000_000_000;

/** A periodic check. */
export interface Look {
  /** Operations between two looks; each takes the guest off its CPU. */
  readonly every: number;
  readonly at: (lg: Lguest) => void;
}

/** Runs it to its end; false when the host killed it. */
export function runProgram(lg: Lguest, program: Program, look?: Look): boolean {
  launch(lg);
  const { host } = lg;
  const runner = new GuestRunner(host, host.cpus[0]!, softwareOf([program]), () => {});
  const cpu = lg.cpus[0]!;
  for (;;) {
    cpu.quantum = look?.every ?? FOR_EVER;
    if (runner.run(cpu) === 'dead') return lg.dead === Dead.PoweredOff;
    look?.at(lg);
  }
}

/** Runs it to its end, or the study is at fault. */
export function ran(shape: AloneShape, program: Program, look?: Look): Lguest {
  const lg = guestAlone(shape);
  const ended = runProgram(lg, program, look);
  assert(ended, `a guest of the study was killed: ${lg.reason}`);
  return lg;
}

/** Pages of the guest that have a frame of their own, and those of them that a shadow holds. */
export function heldPages(lg: Lguest): { readonly backed: number; readonly held: number } {
  const { frames } = lg.host;
  let [backed, held] = [0, 0];
  for (let page = 0; page < lg.pfnLimit; page++) {
    if (lg.map.state(toGpfn(page)) !== Vma.ReadWrite) continue;
    backed++;
    if (frames.references(lg.map.frame(toGpfn(page))) > 0) held++;
  }
  return { backed, held };
}
