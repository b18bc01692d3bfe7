/** Pages that a guest returns to the host: the frames behind them, and their next owner. */

import { describe, expect, test } from 'vitest';
import { Vma } from '../../shared/launcher-map.ts';
import { assemble, joinMachine } from '../../src/assembly.ts';
import { BALLOON, MEM_MAP } from '../../src/guest/kernel/layout.ts';
import { type Program, Prot, Sys } from '../../src/guest/program.ts';
import { softwareOf } from '../../src/guest/software.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { toGpa, toGpfn } from '../../src/hardware/address.ts';
import { launch, notified } from '../../src/host/launcher.ts';
import { GuestRunner } from '../../src/host/run-guest.ts';
import { Rig } from '../rig.ts';
import { audit, framesOf, readGuest } from './at-rest.ts';

const REPAIRED = { discipline: 'guest-lock', defects: [] } as const;
const AREA = 0x4000_0000;
const PAGES = 60;

const program = (main: StreamBuilder): Program => ({
  name: 'balloon',
  processes: [{ command: 'balloon', regions: [], threads: [main.build()] }],
});

/** Use pages and free them: they are free in the guest, and the host keeps their frames. */
const useAndFree = (pages = PAGES): StreamBuilder => {
  const main = new StreamBuilder();
  main.syscall(Sys.mmap2, AREA, pages * 4096, Prot.Read | Prot.Write);
  for (let page = 0; page < pages; page++) main.store(AREA + page * 4096);
  return main.syscall(Sys.munmap, AREA, pages * 4096);
};

const runOf = (main: StreamBuilder, pages = 1024) => {
  const rig = new Rig({ program: program(main), pages, ...REPAIRED });
  rig.runAll(1000);
  return rig;
};

describe.each(['as-written', 'guest-lock'] as const)('%s', (discipline) => {
  test('a page in the balloon has no frame, and reads as zero afterwards', () => {
    const frames = (main: StreamBuilder) => {
      const rig = new Rig({ program: program(main), discipline });
      rig.runAll(1000);
      return { rig, frames: framesOf(rig.host) };
    };
    const before = frames(useAndFree());
    const after = frames(useAndFree().syscall(Sys.inflate, 40));
    expect(after.frames).toBe(before.frames - 40);
    const { host, reason } = after.rig;
    expect(reason).toBe('Power down');
    const { map } = host.guests[0]!;
    let pages = 0;
    for (let page = readGuest(host, BALLOON); page !== 0; pages++) {
      expect(map.state(toGpfn(page))).toBe(Vma.CopyOnWrite);
      expect(readGuest(host, page * 4096)).toBe(0);
      page = readGuest(host, MEM_MAP + page * 4);
    }
    expect(pages).toBe(40);
    expect([audit(host), after.rig.violations()]).toEqual([[], []]);
  });
});

test('pages taken back get new frames', () => {
  const used = framesOf(runOf(useAndFree()).host);
  const rig = runOf(useAndFree().syscall(Sys.inflate, PAGES).syscall(Sys.deflate, PAGES));
  expect([framesOf(rig.host), readGuest(rig.host, BALLOON)]).toEqual([used, 0]);
  expect([rig.reason, audit(rig.host)]).toEqual(['Power down', []]);
});

test('a guest that runs out of memory takes pages out of the balloon', () => {
  const all = useAndFree(100).syscall(Sys.inflate, 64).syscall(Sys.inflate, 64);
  all.syscall(Sys.mmap2, AREA, 130 * 4096, Prot.Read | Prot.Write);
  for (let page = 0; page < 130; page++) all.modify(AREA + page * 4096);
  const rig = runOf(all, 200);
  expect([rig.reason, audit(rig.host)]).toEqual(['Power down', []]);
});

test('a page that is not the guest’s cannot be discarded', () => {
  const rig = new Rig({ program: program(new StreamBuilder()), ...REPAIRED });
  notified(rig.vcpu(), toGpa(1024 * 4096 + 1));
  expect(rig.reason).toBe('bad page to discard 0x400001');
});

test('an aligned address is a notification, and discards no page', () => {
  const rig = new Rig({ program: program(new StreamBuilder()), ...REPAIRED });
  const { map } = rig.host.guests[0]!;
  map.set(toGpfn(5), Vma.ReadWrite);
  notified(rig.vcpu(), toGpa(5 * 4096));
  expect(map.state(toGpfn(5))).toBe(Vma.ReadWrite);
  notified(rig.vcpu(), toGpa(5 * 4096 + 1));
  expect(map.state(toGpfn(5))).toBe(Vma.CopyOnWrite);
  expect(rig.host.guests[0]!.notifications).toBe(2);
});

describe('two guests on a host with memory for one and a half', () => {
  /** The first runs until it has used its pages, then the second to its end. */
  function secondEnds(gives: number): string {
    const first = useAndFree().syscall(Sys.inflate, gives).syscall(Sys.inflate, 0);
    for (let i = 0; i < 1000; i++) first.syscall(20);
    const programs = [program(first), program(useAndFree())];
    const guest = { paging: 'nonpae', pages: 256 } as const;
    const shape = { hostCpus: 1, frames: 175, seed: 1, ...REPAIRED };
    const { shared, host } = assemble({ ...shape, guests: [guest, guest] });
    for (const lg of host.guests) launch(lg);
    const view = joinMachine(shared, 0);
    const runner = new GuestRunner(view, view.cpus[0]!, softwareOf(programs), () => {});
    const [one, two] = view.guests.map(({ cpus }) => cpus[0]!);
    one!.quantum = 15_000;
    expect(runner.run(one!)).toBe('preempted');
    expect(host.guests[0]!.notifications).toBe(gives);
    two!.quantum = 1_000_000;
    runner.run(two!);
    return host.guests[1]!.reason;
  }

  test('the second lacks frames while the first keeps all', () => {
    expect(secondEnds(0)).toMatch(/failed to get page|memory/);
  });

  test('the second gets those that the first returns', () => {
    expect(secondEnds(PAGES)).toBe('Power down');
  });
});
