/** The first schedule finds a lock that is not taken, and reports none that is. */

import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DisciplineName } from '../../shared/discipline.ts';
import type { Host } from '../../shared/host.ts';
import { Lock } from '../../shared/lock.ts';
import { ALL_DEFECTS } from '../../src/defects.ts';
import { ControlledWords } from '../../src/explore/engine/controlled-words.ts';
import { Lockdep } from '../../src/explore/engine/lockdep.ts';
import { fieldsOf, recordsOf } from '../../src/explore/engine/record-words.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { type Setting, settingsOf } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../src/explore/subject.ts';
import type { Ptr } from '../../src/hardware/address.ts';
import { LITMUS_FILES } from './litmus-rig.ts';

afterEach(() => void vi.restoreAllMocks());

const subjectOf = (path: string, setting: Setting): Subject =>
  new Subject(path, readLitmus(path), setting);

const messageOf = (subject: Subject, seed: number): string =>
  subject.run(STRATEGIES['random']!(), seed).message;

/** From here on this lock is neither taken nor released. */
function takeAway(pick: (host: Host) => Ptr, { board }: Subject): void {
  const away = pick(board.host);
  const { acquire, release } = Lock.prototype;
  vi.spyOn(Lock.prototype, 'acquire').mockImplementation(function (this: Lock, holder) {
    return this.at === away ? false : acquire.call(this, holder);
  });
  vi.spyOn(Lock.prototype, 'release').mockImplementation(function (this: Lock, holder) {
    if (this.at !== away) release.call(this, holder);
  });
}

const FLUSH = 'litmus/5-flush/R5-table-freed-before-unlinked.yaml';
const SWITCH = 'litmus/4-switch/R11-victim-in-use.yaml';

describe('each lock that is not taken is found, under any schedule', () => {
  test.each<[what: string, path: string, DisciplineName, (host: Host) => Ptr, RegExp]>([
    [
      'a pgdir’s',
      FLUSH,
      'pgdir-lock',
      ({ guests: [lg] }) => lg!.pgdirs[1]!.lock.at,
      /in (demand_page|guest_set_pgd)$/,
    ],
    [
      'a pgdir’s',
      FLUSH,
      'lock-free',
      ({ guests: [lg] }) => lg!.pgdirs[1]!.lock.at,
      /in guest_set_pgd$/,
    ],
    [
      'the guest’s',
      FLUSH,
      'guest-lock',
      ({ guests: [lg] }) => lg!.lock.at,
      /in (claimPgdir|demand_page)$/,
    ],
    [
      'the guest’s',
      SWITCH,
      'pgdir-lock',
      ({ guests: [lg] }) => lg!.lock.at,
      /in (claimPgdir|new_pgdir)$/,
    ],
    [
      'the frame pool’s',
      FLUSH,
      'pgdir-lock',
      ({ frames }) => frames.lock.at,
      /in get_zeroed_page$/,
    ],
    [
      'a run queue’s',
      FLUSH,
      'pgdir-lock',
      ({ layout }) => layout.regions.runQueues.at,
      /a look at run queue of CPU 0$/,
    ],
  ])('%s: %s, %s', (_, path, name, pick, expected) => {
    const subject = subjectOf(path, { paging: 'nonpae', discipline: name, defects: [] });
    takeAway(pick, subject);
    for (let seed = 1; seed <= 5; seed++) {
      const message = messageOf(subject, seed);
      expect(message).toMatch(/^lock not held in /);
      expect(message).toMatch(expected);
    }
  });
});

test('a fault without a lock that does not mark itself as one is found', () => {
  const setting = { paging: 'nonpae', discipline: 'lock-free', defects: [] } as const;
  const subject = subjectOf(FLUSH, setting);
  expect(messageOf(subject, 1)).toBe('');
  const counts = subject.board.host.cpus.map(({ inFault }) => inFault.count);
  const { add } = ControlledWords.prototype;
  vi.spyOn(ControlledWords.prototype, 'add').mockImplementation(function (
    this: ControlledWords,
    at,
    value,
  ) {
    return counts.includes(at) ? 0 : add.call(this, at, value);
  });
  expect(messageOf(subject, 1)).toMatch(/^lock not held in demand_page$/);
});

describe('no violation is found', () => {
  test.each(LITMUS_FILES.map((path, i) => [path, i] as const))('in %s', (path, i) => {
    const litmus = readLitmus(path);
    const { defect, paging } = litmus;
    const pick = <T>(from: readonly T[]): T => from[i % from.length]!;
    const settings: Setting[] = [
      pick(settingsOf(litmus, { defects: [] })),
      pick(settingsOf(litmus, { defects: defect === undefined ? [] : [defect], memory: 'tso' })),
      { paging: pick(paging), discipline: 'as-written', defects: ALL_DEFECTS },
    ];
    for (const setting of settings) {
      expect(messageOf(new Subject(path, litmus, setting), i)).not.toMatch(/^lock not held/);
    }
  });
});

describe('of a record', () => {
  const setting = { paging: 'pae', discipline: 'pgdir-lock', defects: [] } as const;
  const { host } = subjectOf(FLUSH, setting).board;
  const lockdep = new Lockdep(host);
  const at = (name: string): number =>
    recordsOf(host)
      .flatMap((record) => fieldsOf(record).map((field) => ({ ...field, whose: record.name })))
      .find(({ is, whose }) => is.replace('%', whose) === name)!.at;

  test('only the CPU that runs a vCPU may access what belongs to it', () => {
    host.cpus[0]!.runningVcpu = 1;
    host.cpus[1]!.runningVcpu = 2;
    for (const touch of ['look', 'change'] as const) {
      lockdep.of(0)[touch](at('cr3 of vCPU 0'));
      expect(() => lockdep.of(1)[touch](at('cr3 of vCPU 0'))).toThrow(
        /^lock not held in a (look at|change of) cr3 of vCPU 0$/,
      );
    }
  });

  test('a field that any CPU may read is changed only under its guard', () => {
    const stack = at('esp1 of vCPU 0');
    lockdep.of(1).look(stack);
    expect(() => lockdep.of(1).change(stack)).toThrow('a change of esp1 of vCPU 0');
    const top = at('top level that pgdir 0 shadows');
    lockdep.of(1).look(top);
    expect(() => lockdep.of(1).change(top)).toThrow('a change of top level that pgdir 0 shadows');
    expect(host.guests[0]!.lock.acquire(1)).toBe(false);
    lockdep.of(1).change(top);
    expect(() => lockdep.of(0).change(top)).toThrow('lock not held');
  });

  test('a change in a single step needs no lock', () => {
    for (const name of ['changes of pgdir 0', 'irqs_pending of vCPU 0']) {
      expect(() => lockdep.of(1).change(at(name))).not.toThrow();
    }
  });
});
