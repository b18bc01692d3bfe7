/** Traces: the conversion of events, losses, and the file as another program reads it. */

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EventKind } from '../../shared/events.ts';
import { type TracedEvent, TraceRecorder, tapFor } from '../../src/trace/recorder.ts';
import { selection } from '../../src/trace/select.ts';
import { CATEGORIES, type Item, Timeline } from '../../src/trace/timeline.ts';
import { umbra } from '../commands/umbra.ts';
import { scratch } from '../scratch.ts';
import { type DecodedEvent, decodeTrace } from './decoded.ts';

const folder = scratch('trace');

const VCPUS = [0, 1].map((id) => ({ name: `touch vCPU ${id}`, guest: 0, id }));

const event = (
  at: number,
  hostCpu: number,
  kind: EventKind,
  more: Partial<TracedEvent> = {},
): TracedEvent => ({ at, hostCpu, kind, vcpu: 0, a: 0, b: 0, c: 0, lost: 0, ...more });

function shown(events: readonly TracedEvent[], wants = (_: string) => true): Item[] {
  return [...new Timeline(2, VCPUS, wants).items(events)].toSorted((a, b) => a.at - b.at);
}

const onCpu = (items: readonly Item[], number: number): string[] =>
  items
    .filter(({ lane }) => lane.of === 'host CPU' && lane.number === number)
    .map(({ at, type, name = '' }) => `${at} ${type} ${name}`.trim());

describe('a timeline', () => {
  test('has a vCPU on two lanes while it is in its guest, and its fault from the exit to the repair', () => {
    const items = shown([
      event(10, 0, EventKind.Entry, { a: 2, b: 77 }),
      event(30, 0, EventKind.Exit, { a: 14, b: 0x1000 }),
      event(35, 0, EventKind.FaultFixed, { a: 0x2000, b: 6, c: 9 }),
      event(40, 0, EventKind.Entry),
      event(90, 0, EventKind.Hypercall, { a: 5 }),
    ]);
    expect(onCpu(items, 0)).toEqual([
      '10 begin touch vCPU 0',
      '30 end',
      '30 begin demand_page',
      '35 end',
      '40 begin touch vCPU 0',
      '90 instant FLUSH_TLB',
      '90 end',
    ]);
    const own = items.filter(({ lane }) => lane.of === 'vCPU');
    expect(own.map(({ at, type }) => [at, type])).toEqual([
      [10, 'begin'],
      [30, 'end'],
      [40, 'begin'],
      [90, 'end'],
    ]);
    const [fault] = items.filter(({ name }) => name === 'demand_page');
    expect(fault!.notes).toEqual({
      address: '0x2000',
      'error code': 6,
      operations: 9,
      vCPU: 'touch vCPU 0',
    });
  });

  test('has flows from where a vCPU leaves to where it continues, and from a shootdown to the exits it causes', () => {
    const items = shown([
      event(1, 0, EventKind.Entry),
      event(5, 0, EventKind.Exit),
      event(8, 1, EventKind.Migration, { a: 0 }),
      event(9, 1, EventKind.Entry),
      event(20, 0, EventKind.ShootdownSent, { vcpu: 1, a: 1 }),
      event(25, 1, EventKind.Exit),
      event(26, 0, EventKind.ShootdownDone, { vcpu: 1, a: 1 }),
    ]);
    const flows = items.flatMap(({ at, flow, ends }) =>
      flow === undefined && ends === undefined ? [] : [[at, flow, ends]],
    );
    expect(flows).toEqual([
      [5, 1, undefined],
      [8, undefined, 1],
      [20, 2, undefined],
      [25, undefined, 2],
    ]);
    expect(onCpu(items, 0).slice(-2)).toEqual(['20 begin shootdown of host CPU 1', '26 end']);
  });

  test('marks missing events, and leaves no slice open there', () => {
    const items = shown([
      event(1, 0, EventKind.Entry),
      event(50, 0, EventKind.FaultFixed, { lost: 7 }),
    ]);
    expect(onCpu(items, 0)).toEqual([
      '1 begin touch vCPU 0',
      '50 end',
      '50 instant 7 events lost',
      '50 begin demand_page',
      '50 end',
    ]);
  });

  test('shows the selected events', () => {
    const wants = selection(['fault', 'hypercall/SET_*', 'counter/faults']);
    expect(CATEGORIES.filter(wants)).toEqual([
      'fault/fixed',
      'fault/passed-on',
      'hypercall/SET_STACK',
      'hypercall/SET_CLOCKEVENT',
      'hypercall/SET_PMD',
      'hypercall/SET_PTE',
      'hypercall/SET_PGD',
      'counter/faults',
      'lost',
    ]);
    expect(() => selection(['falt'])).toThrow("'falt' matches no event; there are run, fault,");
  });
});

test('counts events that were overwritten before they were read, and has all others', () => {
  const recorder = new TraceRecorder(2);
  const taps = recorder.ports.map(tapFor);
  const many = 40_000;
  for (let i = 0; i < many; i++) taps[1]!(EventKind.Hypercall, 1, i, 0, 0xffff_ffff);
  taps[0]!(EventKind.Entry, 2, 1, 2, 3);
  recorder.stop();
  const ring = 1 << 15;
  expect(recorder.lost).toEqual([0, many - ring]);
  expect(recorder.count).toBe(ring + 1);
  const events = [...recorder.events()];
  const [first] = events;
  expect(first).toMatchObject({ hostCpu: 1, a: many - ring, c: 0xffff_ffff, lost: many - ring });
  expect(events.slice(0, ring).map(({ a }) => a)).toEqual(
    Array.from({ length: ring }, (_, i) => many - ring + i),
  );
  expect(events.at(-1)).toMatchObject({ hostCpu: 0, kind: EventKind.Entry, vcpu: 1, lost: 0 });
});

describe('a trace file', async () => {
  const path = join(folder, 'run.pftrace');
  const command = [
    'start',
    'scenarios/traces/ls.umbra',
    'scenarios/traces/wc.umbra',
    '--cpus',
    '3',
  ];
  const ran = await umbra(
    ...command,
    '--vcpus',
    '2',
    '--discipline',
    'lock-free',
    '--trace',
    path,
    '--json',
    '-',
  );
  const report = JSON.parse(ran.stdout) as {
    total: Record<'entries' | 'faults_fixed' | 'faults_passed_on' | 'migrations', number>;
    trace: { file: string; events: number; lost: number };
  };
  const { tracks, events } = decodeTrace(path);
  const named = (name: RegExp): DecodedEvent[] => events.filter((one) => name.test(one.name ?? ''));

  test('has a lane for each host CPU and vCPU', () => {
    expect(ran.code).toBe(0);
    expect(report.trace).toMatchObject({ file: path, lost: 0 });
    expect(tracks).toEqual([
      ...['host', 'host: host CPU 0', 'host: host CPU 1', 'host: host CPU 2'],
      ...['faults', 'hypercalls', 'migrations', 'shootdowns'],
      ...['guest ls', 'guest wc'],
      ...['guest ls: vCPU 0', 'guest ls: vCPU 1', 'guest wc: vCPU 0', 'guest wc: vCPU 1'],
    ]);
  });

  test("has the run's counts", () => {
    const { entries, faults_fixed, faults_passed_on, migrations } = report.total;
    const begun = events.filter(
      ({ type, track, category }) =>
        type === 'TYPE_SLICE_BEGIN' && category === 'run' && track.startsWith('host'),
    );
    expect(begun).toHaveLength(entries);
    expect(named(/^demand_page$/)).toHaveLength(faults_fixed + faults_passed_on);
    expect(named(/ arrives$/)).toHaveLength(migrations);
    const last = events.findLast(
      ({ type, track }) => type === 'TYPE_COUNTER' && track === 'faults',
    );
    expect(last!.value).toBe(faults_fixed + faults_passed_on);
  });

  test('has slices that nest, and flows with two ends in this order', () => {
    const open = new Map<string, number>();
    for (const { type, track } of events) {
      const depth = open.get(track) ?? 0;
      if (type === 'TYPE_SLICE_BEGIN') open.set(track, depth + 1);
      if (type === 'TYPE_SLICE_END') open.set(track, depth - 1);
      expect(open.get(track) ?? 0).toBeGreaterThanOrEqual(0);
    }
    expect([...open.values()].every((depth) => depth === 0)).toBe(true);
    const begun = new Set<number>();
    for (const { flows, ends } of events) {
      for (const flow of flows) begun.add(flow);
      for (const flow of ends) expect(begun).toContain(flow);
    }
    expect(begun.size).toBeGreaterThan(0);
  });

  test('that cannot be written, or would have no events, is refused before anything runs', async () => {
    const [ls] = ['scenarios/traces/ls.umbra'];
    const said = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await umbra('start', ls!, ...args);
      expect(code).toBe(2);
      return stderr.replaceAll(/\n\s*/g, ' ');
    };
    expect(await said('--trace', join(folder, 'no', 'such'))).toContain(
      'the trace cannot be written there',
    );
    expect(await said('--trace', path, '--trace-events', 'migr')).toContain(
      "'migr' matches no event",
    );
    expect(await said('--trace-events', 'run')).toContain('add --trace FILE');
  });
});
