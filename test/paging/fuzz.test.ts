/**
 * A guest that writes garbage into its page tables and hypercalls: repaired, it is killed or
 * continues, but the host never dies, no frame leaks, and no other memory is reached.
 */

import { describe, expect, test } from 'vitest';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { lgwriteWord } from '../../shared/guest-memory.ts';
import type { Host } from '../../shared/host.ts';
import { Hypercall } from '../../shared/hypercall.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { Dead } from '../../shared/lguest.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { seedRandom } from '../../shared/random.ts';
import { assemble, joinMachine } from '../../src/assembly.ts';
import { checkIsolation } from '../../src/check/isolation.ts';
import { checkNothingLeft, checkReferences } from '../../src/check/references.ts';
import { ALL_DEFECTS, type DefectId } from '../../src/defects.ts';
import { HostOops } from '../../src/errors.ts';
import { Right } from '../../src/hardware/access.ts';
import { toGpa, toGva, toPtr } from '../../src/hardware/address.ts';
import { type PagingName, pgdIndex, pmdIndex, pteIndex } from '../../src/hardware/entry.ts';
import { close, launch } from '../../src/host/launcher.ts';
import { enterGuest, leaveGuest } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { claimPgdir, letGoOfPgdir } from '../../src/paging/switch.ts';
import { hypercall } from './scripted.ts';

const PAGES = 64;
/** Hypercalls that do not kill by themselves. */
const NUMBERS = [
  ...[Hypercall.NewPgtable, Hypercall.SetPte, Hypercall.SetPgd, Hypercall.FlushTlb],
  ...[Hypercall.NewPgtable, Hypercall.SetPte, Hypercall.SetPgd, Hypercall.SetStack],
  ...[Hypercall.FlushAsync, Hypercall.LoadIdtEntry, Hypercall.Ts, Hypercall.Notify],
];
/** One in this many is sheer garbage, which mostly kills. */
const RARELY = 400;

class Garbage {
  readonly #host: Host;
  readonly #cpu: LgCpu;

  constructor(host: Host, seed: number) {
    this.#host = host;
    this.#cpu = host.vcpus[0]!;
    seedRandom(host.words, this.#cpu.random, seed, 7);
  }

  below(n: number): number {
    return this.#host.prandomU32(this.#cpu) % n;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  word(): number {
    return this.#host.prandomU32(this.#cpu);
  }

  /** A page table entry: mostly of the guest's own pages, with any flags. */
  entry(): number {
    const own = this.below(PAGES);
    const page = this.below(RARELY) === 0 ? this.below(1 << 20) : own;
    const sound = [0x67, 0x67, 0x67, 0x63, 0x27, 0x25, 0x07, 0x05, 0x41, 0x20, 0, 0x43];
    const flags = this.below(RARELY) === 0 ? this.below(4096) : this.pick(sound);
    return ((page << 12) | flags) >>> 0;
  }

  /** An address: in user space, the kernel's, next to the Switcher, in it, or anywhere. */
  address(): number {
    const bases = [0, 0x0804_8000, 0xbfff_f000, 0xc000_0000, 0xff9e_0000, 0xff80_0000];
    return this.below(RARELY) === 0
      ? this.word()
      : (this.pick(bases) + this.below(16) * 4096 + this.below(4096)) >>> 0;
  }

  /**
   * A write to a page table: pages 0 and 1 are top levels, 2 and 3 middle ones with PAE, 4 and 5
   * last ones; each entry mostly leads to the level below it.
   */
  tableWrite({ lg: { form } }: LgCpu): [gpa: number, low: number] {
    const va = toGva(this.address());
    const level = this.pick(form.pae ? [0, 1, 2] : [0, 2]);
    const index = [pgdIndex(form, va), pmdIndex(form, va), pteIndex(form, va)][level]!;
    const gpa = (level * 2 + this.below(2)) * 4096 + index * form.entryWords * 4;
    if (level === 2 || this.below(RARELY) === 0) return [gpa, this.entry()];
    const below = (level === 0 && form.pae ? 2 : 4) + this.below(2);
    const flags = level === 0 ? form.checkGpgdMask : 0x67;
    return [
      gpa,
      (below << 12) | (this.below(20) === 0 ? 0 : flags & this.pick([0xfff, ~2, ~4, ~0x20])),
    ];
  }

  /** A page of the guest, or a page number outside it. */
  page(): number {
    return (this.below(RARELY) === 0 ? this.word() : this.below(2) * 4096) >>> 0;
  }
}

/** A host CPU's own view, with its MMU. */
interface View {
  readonly host: Host;
  readonly mmu: Mmu;
}

/** One operation of a guest on a vCPU; returns its name for the message. */
function step({ host, mmu }: View, id: number, garbage: Garbage): string {
  const cpu = host.vcpus[id]!;
  const what = garbage.below(10);
  if (what < 4) {
    const [gpa, value] = garbage.tableWrite(cpu);
    lgwriteWord(cpu, toGpa(gpa), value);
    return `write ${gpa.toString(16)} ${value.toString(16)}`;
  }
  if (what < 7) {
    const va = garbage.address();
    const code = garbage.pick([0, 2, 4, 6, 7, 16]);
    demandPage(cpu, toGva(va), code);
    return `fault ${va.toString(16)} ${code}`;
  }
  if (what < 8) {
    const hostCpu = host.cpus[host.thisCpu]!;
    enterGuest(host, hostCpu, mmu, cpu);
    const va = garbage.address();
    const right = garbage.pick([Right.UserRead, Right.UserWrite, Right.SupervisorWrite]);
    const at = mmu.translate(toGva(va), right);
    // A writable mapping's page must be the guest's own.
    if (at >= 0 && va < host.switcherAddr && right !== Right.UserRead)
      host.words.store(toPtr(at), 1);
    leaveGuest(host, hostCpu, mmu, cpu);
    return `access ${va.toString(16)} ${right} on ${hostCpu.index}`;
  }
  const number = garbage.below(RARELY) === 0 ? garbage.below(24) : garbage.pick(NUMBERS);
  const values = argumentsFor(number, garbage);
  hypercall(cpu, number, ...values);
  cpu.pendingNotify = toGpa(0);
  return `hypercall ${number} ${values.map((v) => v.toString(16)).join(' ')}`;
}

function argumentsFor(number: number, garbage: Garbage): number[] {
  switch (number) {
    case Hypercall.NewPgtable:
      return [garbage.page(), 0, 0, 0];
    case Hypercall.SetPte:
      return [
        garbage.page(),
        garbage.address(),
        garbage.entry(),
        garbage.pick([0, 0, 0x8000_0000, 1]),
      ];
    case Hypercall.SetPgd:
    case Hypercall.SetPmd:
      return [
        garbage.page(),
        garbage.below(RARELY) === 0 ? garbage.below(2000) : garbage.pick([0, 1, 2, 3]),
        0,
        0,
      ];
    case Hypercall.SetStack:
      return [0x69, garbage.address(), garbage.below(RARELY) === 0 ? garbage.below(8) : 0, 0];
    case Hypercall.FlushTlb:
      return [garbage.below(2), 0, 0, 0];
    default:
      return [garbage.page(), garbage.word(), garbage.word(), 0];
  }
}

/** For guests that are not killed: long lives are cheaper than many machines. */
const STEPS = 2500;
const HOST_CPUS = 3;

/** Runs a guest on garbage; returns the violations, and how long it lived. */
function live(
  paging: PagingName,
  switcherAddr: number,
  seed: number,
  defects: readonly DefectId[],
): { readonly broken: readonly string[]; readonly steps: number } {
  const vcpus = defects.length > 0 ? 1 : 1 + (seed % 3);
  const discipline = DISCIPLINES[seed % DISCIPLINES.length]!;
  const pgdirs = 2 + (seed % 3);
  const { host, shared } = assemble({
    hostCpus: HOST_CPUS,
    switcherAddr,
    frames: 500,
    seed,
    defects,
    discipline,
    guests: [{ paging, pages: PAGES, vcpus, pgdirs }],
  });
  const views = Array.from({ length: HOST_CPUS }, (_, i) => {
    const view = joinMachine(shared, i);
    return { host: view, mmu: new Mmu(view, view.cpus[i]!) };
  });
  const lg = host.guests[0]!;
  launch(lg);
  boot(lg.cpus);
  const garbage = new Garbage(host, seed);
  // Some run out of memory on the way.
  if (seed % 5 === 0) host.machine.failAllocationsAfter(garbage.below(40));
  const story: string[] = [];
  const broken: string[] = [];
  try {
    while (story.length < STEPS && lg.dead === Dead.Alive) {
      const view = garbage.pick(views);
      const id = garbage.below(vcpus);
      const cpu = view.host.vcpus[id]!;
      const mayRun = claimPgdir(cpu);
      story.push(mayRun ? `${id}: ${step(view, id, garbage)}` : `${id}: no pgdir`);
      // Most continue for a while, so that pgdirs are in use.
      if (garbage.below(3) === 0 || vcpus > pgdirs) letGoOfPgdir(cpu);
    }
    for (const { text } of [...checkIsolation(host), ...checkReferences(host)]) broken.push(text);
    close(host, lg);
    for (const { text } of checkNothingLeft(host)) broken.push(text);
  } catch (error) {
    if (!(error instanceof HostOops)) throw error;
    broken.push(error.message);
  }
  const last = broken.length > 0 ? [`seed ${seed}, after ${story.slice(-5).join('; ')}`] : [];
  return { broken: [...last, ...broken], steps: story.length };
}

/** All vCPUs register their data page, start, and run on the page table at 0. */
function boot(cpus: readonly LgCpu[]): void {
  const data = (id: number) => toGpa(0x6000 + id * 0x800);
  for (const { id } of cpus) {
    lgwriteWord(cpus[0]!, LguestData.kernelAddress(data(id)), 0xc000_0000);
  }
  hypercall(cpus[0]!, Hypercall.LguestInit, data(0));
  hypercall(cpus[0]!, Hypercall.NewPgtable, 0);
  for (const cpu of cpus.slice(1)) {
    hypercall(cpus[0]!, Hypercall.StartCpu, cpu.id);
    hypercall(cpu, Hypercall.LguestInit, data(cpu.id));
  }
}

describe.each(['nonpae', 'pae'] as const)('%s', (paging) => {
  test.each([
    ['in the table of the guest’s kernel', 0xff9f_0000],
    ['alone in its top-level entry', 0xffc0_0000],
  ])('repaired, with the Switcher %s', (_, switcherAddr) => {
    let steps = 0;
    // Four times this is a million.
    for (let seed = 1; steps < 250_000; seed++) {
      const life = live(paging, switcherAddr, seed, []);
      expect(life.broken).toEqual([]);
      steps += life.steps;
      // Not all are killed at once.
      expect(seed).toBeLessThan(1000);
    }
  });

  test('as written, the same garbage breaks invariants', () => {
    const seeds = Array.from({ length: 100 }, (_, i) => i + 1);
    const broken = seeds.filter(
      (seed) => live(paging, 0xff9f_0000, seed, ALL_DEFECTS).broken.length > 0,
    );
    expect(broken.length).toBeGreaterThan(10);
  });
});
