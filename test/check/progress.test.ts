/** Stalled machines, faults that never end, and their reports. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import { EventKind, RING_EVENTS } from '../../shared/events.ts';
import { Dead } from '../../shared/lguest.ts';
import { checkLivelock, ProgressWatcher } from '../../src/check/progress.ts';
import { violation } from '../../src/check/violation.ts';
import { builtinPrograms } from '../../src/guest/programs.ts';
import { entryText, reportViolation, violationText } from '../../src/report/violation.ts';
import { Rig } from '../rig.ts';

const makeRig = (): Rig =>
  new Rig({ program: builtinPrograms['touch']!(), hostCpus: 2, vcpus: 2, defects: [] });

describe('a ring of events', () => {
  test('keeps the last events of each CPU, in order, with the vCPU it runs', () => {
    const rig = makeRig();
    const [a, b] = rig.cpus;
    a!.host.cpus[0]!.runningVcpu = 2;
    for (let i = 1; i <= 100; i++) a!.host.events.record(EventKind.Hypercall, i, i * 2, i * 3);
    b!.host.events.record(EventKind.Migration, 0);
    const events = rig.host.events.last(0);
    expect(events).toHaveLength(RING_EVENTS);
    expect(events[0]).toEqual({
      hostCpu: 0,
      sequence: 37,
      kind: EventKind.Hypercall,
      vcpu: 1,
      a: 37,
      b: 74,
      c: 111,
    });
    expect(rig.host.events.last(0, 2).map(({ sequence }) => sequence)).toEqual([99, 100]);
    expect(rig.host.events.last(1)).toMatchObject([{ kind: EventKind.Migration, vcpu: -1 }]);
  });

  test('of a run holds its entries, exits, faults and hypercalls', () => {
    const rig = makeRig();
    rig.runRoundRobin(500);
    const kinds = new Set(
      rig.host.cpus.flatMap(({ index }) => rig.host.events.last(index).map(({ kind }) => kind)),
    );
    for (const kind of [EventKind.Entry, EventKind.Exit, EventKind.Hypercall] as const) {
      expect(kinds).toContain(kind);
    }
    expect(checkLivelock(rig.host)).toEqual([]);
  });
});

describe('progress', () => {
  test('a machine without an operation for long is reported as stalled, with the place', () => {
    const rig = makeRig();
    let now = 0;
    const watcher = new ProgressWatcher(rig.host, { stallMs: 1000, now: () => now });
    rig.cpus[1]!.host.events.record(EventKind.ShootdownSent, 0);
    expect(watcher.look()).toEqual([]);
    now = 999;
    expect(watcher.look()).toEqual([]);
    now = 1000;
    expect(watcher.look()).toMatchObject([
      { invariant: 7, title: 'no progress', found: expect.stringContaining('ShootdownSent') },
    ]);
    rig.cpus[1]!.host.guests[0]!.counters.count(Counter.Operations);
    expect(watcher.look()).toEqual([]);
    now = 1999;
    watcher.excuse();
    now = 2998;
    expect(watcher.look()).toEqual([]);
    now = 2999;
    expect(watcher.look()).toHaveLength(1);
    rig.host.guests[0]!.die(Dead.PoweredOff, 'Power down');
    expect(watcher.look()).toEqual([]);
  });

  test('a fault that is repaired over and over is reported as endless (U7)', () => {
    const rig = makeRig();
    const { host } = rig.cpus[1]!;
    host.cpus[1]!.runningVcpu = 1;
    const fault = (address: number, operations: number): void => {
      host.events.record(EventKind.Entry, 0, 5);
      host.events.record(EventKind.FaultFixed, address, 7, operations);
    };
    for (let i = 0; i < 20; i++) fault(0x1000, 50 + i);
    for (let i = 0; i < 7; i++) fault(0x2000, 99);
    expect(checkLivelock(rig.host)).toEqual([]);
    fault(0x2000, 99);
    expect(checkLivelock(rig.host)).toMatchObject([
      { invariant: 7, title: 'a fault never ends', guest: 0, vcpu: 0, hostCpu: 1, vaddr: 0x2000 },
    ]);
    host.events.record(EventKind.FaultPassedOn, 0x2000, 7, 99);
    expect(checkLivelock(rig.host)).toEqual([]);
  });
});

test('the report of a violation has the invariant, the place, the events before it, and the command that repeats it', () => {
  const rig = makeRig();
  const { host } = rig.cpus[1]!;
  host.cpus[1]!.runningVcpu = 1;
  host.events.record(EventKind.Entry, 2, 77);
  host.events.record(EventKind.FaultFixed, 0x0804_8000, 6, 1234);
  host.events.record(EventKind.Hypercall, 14, 0x1000, 0x0804_8000);
  rig.cpus[0]!.host.events.record(EventKind.Migration, 1);
  const place = { guest: 0, vcpu: 0, pgdir: 2, vaddr: 0x0804_8000 };
  const entry = { low: 0x0004_d067, high: 0x8000_0000 };
  const broken = violation(4, 'a stale shadow entry', { ...place, entry }, 'nothing', 'frame 77');
  const events = rig.host.cpus.flatMap(({ index }) => rig.host.events.last(index));
  const report = reportViolation(rig.host, broken, events, 'umbra stress --seed 7');
  expect(violationText(report)).toBe(`\
Invariant 4, No stale translation, is broken: a stale shadow entry
  where     guest 0, vCPU 0, pgdir 2, 0x8048000
  entry     frame 77, PRESENT RW USER ACCESSED DIRTY NX
  expected  nothing
  found     frame 77
  after     guest 0 vCPU 0: hypercall SET_PTE 0x1000 0x8048000 on host CPU 1

Host CPU 1 did last:
         1  guest 0 vCPU 0: into the guest, pgdir 2, top level in frame 77
         2  guest 0 vCPU 0: page fault at 0x8048000 (write user) fixed, after 1234 operations
         3  guest 0 vCPU 0: hypercall SET_PTE 0x1000 0x8048000

Again: umbra stress --seed 7
`);
  const json = JSON.parse(JSON.stringify(report));
  expect(json).toMatchObject({ invariant: { number: 4 }, violation: { vaddr: 0x0804_8000 } });
  expect(json.events).toHaveLength(3);
  expect(entryText({ low: 0, high: 0 })).toBe('frame 0, no flags');
});
