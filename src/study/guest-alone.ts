/**
 * One guest of one vCPU on one host CPU, run to its end in this thread: what happens in it is a
 * function of the program, the policies and the seed. The code is as written, with all its defects.
 */

import { toGpfn, toGva } from '../../shared/address.ts';
import { ALL_DEFECTS } from '../../shared/defects.ts';
import type { PagingName } from '../../shared/entry.ts';
import { Host, makeMachine } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { layOut } from '../../shared/layout.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import type { PagingPolicy } from '../../shared/paging-policy.ts';
import type { Virtualization } from '../../shared/virtualization.ts';
import type { Program } from '../guest/program.ts';
import { GuestSoftware, guestMachine } from '../guest/software.ts';
import { launch } from '../host/launcher.ts';
import { GuestRunner } from '../host/run-guest.ts';

export interface GuestShape {
  /** By default shadow; policies, pgdirs and defects are its alone. */
  readonly virtualization?: Virtualization;
  readonly policy?: Partial<PagingPolicy>;
  readonly seed: number;
  readonly paging?: PagingName;
  /** Guest memory in pages. */
  readonly pages?: number;
  readonly pgdirs?: number;
  /** Host memory in frames; by default more than enough. */
  readonly frames?: number;
  /** What the Launcher maps the guest's memory as; by default as lguest's did. */
  readonly vma?: Vma;
}

/** The guest, on a machine of its own, as its one host CPU sees it. */
export function guestAlone(shape: GuestShape): Lguest {
  const { seed, paging = 'nonpae', pages = 2048, pgdirs = 4, policy = {} } = shape;
  const { virtualization = 'shadow' } = shape;
  const { shared } = makeMachine(
    layOut({
      hostCpus: 1,
      switcherAddr: toGva(0xffc0_0000),
      frames: shape.frames ?? pages + pgdirs * 64 + 256,
      seed,
      guests: [
        {
          ...{ paging, nx: paging === 'pae', pages, vcpus: 1, virtualization },
          ...(virtualization === 'shadow'
            ? { pgdirs, defects: ALL_DEFECTS, policy }
            : { pgdirs: 1, defects: [], discipline: 'guest-lock' }),
        },
      ],
    }),
    shape.vma ?? Vma.CopyOnWrite,
  );
  return new Host(shared, 0).guests[0]!;
}

/** The guest's own clock decides who runs, and no time slice. */
const FOR_EVER = 1_000_000_000;

/** What is to be looked at now and then. */
export interface Look {
  /** Operations between two looks; each takes the guest off its CPU. */
  readonly every: number;
  readonly at: (lg: Lguest) => void;
}

/** Runs it to its end; false when the host killed it. */
export function runProgram(lg: Lguest, program: Program, look?: Look): boolean {
  launch(lg);
  const { host } = lg;
  const runner = new GuestRunner(
    host,
    host.cpus[0]!,
    (processor) => new GuestSoftware(processor, guestMachine(lg, program), lg.counters),
    () => {},
  );
  const cpu = lg.cpus[0]!;
  for (;;) {
    cpu.quantum = look?.every ?? FOR_EVER;
    if (runner.run(cpu) === 'dead') return lg.dead === Dead.PoweredOff;
    look?.at(lg);
  }
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
