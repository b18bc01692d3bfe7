/** Each word of the machine has a name, and it is the right one. */

import { describe, expect, test } from 'vitest';
import { DISCIPLINES } from '../../../shared/discipline.ts';
import { FRAME_WORDS } from '../../../shared/frames.ts';
import { Reg } from '../../../shared/host-cpu.ts';
import { MACHINE } from '../../../shared/machine-record.ts';
import { REGS_WORD } from '../../../shared/switcher-page.ts';
import { recordWords } from '../../../src/explore/engine/record-words.ts';
import { GuestTables } from '../../../src/explore/litmus/guest.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import { settingsOf } from '../../../src/explore/setting.ts';
import { type Noted, Places } from '../../../src/explore/story/places.ts';
import { recordRun } from '../../../src/explore/story/recording.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { RandomWalk } from '../../../src/explore/strategies/random-walk.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { frameStart, toGpfn, toGva, toPtr } from '../../../src/hardware/address.ts';
import { LITMUS_FILES } from '../litmus-rig.ts';
import { R2 } from './found.ts';

/** The words a run accesses, by name. */
function namesIn(path: string, pick: number): string[] {
  const litmus = readLitmus(path);
  const settings = settingsOf(litmus, { defects: litmus.defect ? [litmus.defect] : [] });
  const subject = new Subject(path, litmus, settings[pick % settings.length]!);
  const { run } = subject.run(STRATEGIES.random!(), pick);
  const notes: Noted[] = [];
  let places: Places | undefined;
  recordRun(subject, run.decisions, (step, host) => {
    places ??= new Places(host, litmus);
    notes.push(places.note(step));
  });
  return notes.map(({ place }) => place.name);
}

test.each(LITMUS_FILES.map((path, i) => [path, i] as const))(
  '%s: every word that a run accesses has a name',
  (path, i) => {
    const names = namesIn(path, i);
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => /unknown|undefined|NaN/.test(name))).toEqual([]);
  },
);

describe('of the host’s own records', () => {
  const litmus = readLitmus(R2);
  const [nonpae] = settingsOf(litmus, { paging: 'nonpae', discipline: DISCIPLINES[1] });
  const { host } = new Subject(R2, litmus, nonpae!).board;
  const words = recordWords(host);
  const places = new Places(host, litmus);
  const { regions } = host.layout;

  test('each word has one name, and no name occurs twice but for adjacent words', () => {
    const single = [...words.values()].filter(({ kind }) => kind !== 'queue' && kind !== 'words');
    expect(single.length).toBeGreaterThan(100);
    expect(new Set(single.map(({ name }) => name)).size).toBe(single.length);
    expect(words.has(toPtr(0))).toBe(false);
  });

  test('every region that CPUs share has words with names', () => {
    const named = Object.values(regions).filter(({ at, count, stride }) =>
      Array.from({ length: count * stride }, (_, i) => toPtr(at + i)).some(
        (word) => places.describe(word).kind !== 'unknown',
      ),
    );
    // The others belong to one CPU, which does not access them through the leaf.
    expect(named.map(({ name }) => name)).toEqual([
      ...['machine', 'hostCpus', 'frameCaches', 'guests', 'pgdirs', 'vcpus', 'runQueues'],
      ...['launcherMap', 'safePoints', 'frameTable'],
    ]);
  });

  test('the count of references dropped too often has a name', () => {
    const [at, , , , , length] = MACHINE.overPuts;
    const last = toPtr(regions.machine.at + at + length - 1);
    expect(places.describe(last).name).toBe('list of references given back too often');
  });

  test('a name is that of the written word', () => {
    const lg = host.guests[0]!;
    const changedBy = (write: () => void): string => {
      const before = host.words.plain.slice();
      write();
      const at = before.findIndex((word, i) => word !== host.words.plain[i]);
      host.words.plain.set(before);
      return places.describe(toPtr(at)).name;
    };
    const pgdir = lg.pgdirs[2]!;
    expect(changedBy(() => pgdir.lock.acquire(1))).toBe('lock of pgdir 2');
    expect(changedBy(() => (pgdir.lastHostCpu = 7))).toBe('last_host_cpu of pgdir 2');
    expect(changedBy(() => (pgdir.switcherMapped = true))).toBe('switcher_mapped of pgdir 2');
    expect(changedBy(() => pgdir.countChange())).toBe('changes of pgdir 2');
    expect(changedBy(() => lg.lock.acquire(0))).toBe('lock of the guest');
    expect(changedBy(() => (lg.cpus[1]!.halted = true))).toBe('halted of vCPU 1');
    expect(changedBy(() => lg.cpus[1]!.raiseIrq(3))).toBe('irqs_pending of vCPU 1');
    expect(changedBy(() => host.machine.retireVcpu())).toBe('count of vCPUs alive');
    const { inGuest, inFault, mailbox } = host.cpus[1]!;
    expect(changedBy(() => host.words.add(inGuest.count, 1))).toBe('in-guest count of CPU 1');
    expect(changedBy(() => host.words.add(inFault.count, 1))).toBe('in-fault count of CPU 1');
    expect(changedBy(() => host.words.store(mailbox, 2))).toBe("CPU 1's mailbox");
    expect(changedBy(() => host.frames.get(lg.map.frame(toGpfn(0x21))))).toBe(
      'reference count of page 0x21',
    );
  });
});

describe.each(['nonpae', 'pae'] as const)('of frames, %s', (paging) => {
  const litmus = readLitmus(R2);
  const [setting] = settingsOf(litmus, { paging, discipline: 'guest-lock' });
  const subject = new Subject(R2, litmus, setting!);
  const { host } = subject.board;
  const { run } = subject.run(new RandomWalk(), 2);
  let places: Places | undefined;
  const named = new Map<number, string>();
  const notes: (readonly [at: number, noted: Noted])[] = [];
  recordRun(subject, run.decisions, (step) => {
    places ??= new Places(host, litmus);
    notes.push([step.at, places.note(step)]);
  });
  for (const [at, noted] of notes) named.set(at, noted.place.name);
  const lg = host.guests[0]!;
  const guestWord = (gpa: number): number =>
    frameStart(lg.map.frame(toGpfn(gpa >>> 12))) + ((gpa & 4095) >>> 2);

  test('the guest’s own entry of a page, and the page itself', () => {
    const gpte = new GuestTables(litmus, lg.form).pte('A', toGva(0x40_0000));
    expect(named.get(guestWord(gpte))).toBe('guest pte of 0x00400000 in A');
    const names = new Set(named.values());
    expect(names).toContain(`guest ${paging === 'pae' ? 'pdpte' : 'pde'} of 0xc0000000 in A`);
  });

  test('the shadow’s entry at every level, also before its table is linked', () => {
    const names = new Set(named.values());
    const expected = ['pte of 0x00400000 (pgdir 1)', 'pde of 0x00400000 (pgdir 1)'];
    if (paging === 'pae') expected.push('pdpte of 0x00000000 (pgdir 1)');
    for (const name of expected) expect(names).toContain(name);
    expect([...names].filter((name) => /^word \d+ of frame/.test(name))).toEqual([]);
  });

  test('a vCPU’s registers, and the reference count of a frame', () => {
    const eip = frameStart(host.vcpus[1]!.regsPage) + REGS_WORD + Reg.eip;
    expect(named.get(eip)).toBe('regs page of vCPU 1: eip');
    const { frameTable } = host.layout.regions;
    const page = lg.map.frame(toGpfn(0x20));
    expect(named.get(frameTable.at + page * FRAME_WORDS)).toBe('reference count of page 0x20');
  });
});
