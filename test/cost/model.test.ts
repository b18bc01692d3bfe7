/** The cost of a run: totals computed by hand, sums, and costs other than the preset's. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import type { DisciplineName } from '../../shared/discipline.ts';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { billOf, costTable, cyclesOf, occurrences, sumOf } from '../../src/cost/model.ts';
import { PRESET_NAMES, PRESETS } from '../../src/cost/presets.ts';
import { byEvent, EVENT_IDS } from '../../src/cost/table.ts';
import { builtinPrograms } from '../../src/guest/programs.ts';
import type { PagingName } from '../../src/hardware/entry.ts';
import { costReport } from '../../src/report/costs.ts';
import { Rig } from '../rig.ts';

const counted = (values: Readonly<Record<number, number>>) => ({
  get: (counter: number) => values[counter] ?? 0,
});

/** A machine whose two host CPUs run two vCPUs alternately. */
function run(discipline: DisciplineName = 'guest-lock', paging: PagingName = 'nonpae'): Rig {
  const program = builtinPrograms['touch']!();
  const rig = new Rig({ program, discipline, paging, defects: [], hostCpus: 2, vcpus: 2 });
  rig.runAll(100);
  expect(rig.reason).toBe('Power down');
  return rig;
}

describe('events', () => {
  test('cost the sum of counters times cycles', () => {
    const happened = occurrences(
      counted({
        [Counter.Loads]: 10,
        [Counter.Stores]: 5,
        [Counter.KernelAccesses]: 3,
        [Counter.Walks]: 7,
        [Counter.Entries]: 4,
        [Counter.FaultsFixed]: 2,
        [Counter.FaultsPassedOn]: 1,
        [Counter.Hypercalls + 14]: 6,
      }),
      false,
    );
    const { cycles, by_event } = billOf(happened, costTable('core2'));
    expect(by_event.walk_reference).toMatchObject({ count: 14, cycles: 14 * 14 });
    expect(by_event.cr3_load.count).toBe(8);
    const accesses = 18;
    const switches = 4 * (1_400 + 2 * 250 + 448);
    const faults = 3 * 250 + 440;
    expect(cycles).toBe(accesses + 14 * 14 + switches + faults + 6 * 200);
  });

  test('with PAE an entry reads the top level, and a walk still has two references', () => {
    const counters = counted({ [Counter.Walks]: 7, [Counter.Entries]: 4 });
    expect(occurrences(counters, true).walk_reference).toBe(2 * 7 + 4);
  });

  test('without events the cost is 0, and no share is NaN', () => {
    const { cycles, by_event } = billOf(occurrences(counted({}), false), costTable());
    expect(cycles).toBe(0);
    expect(EVENT_IDS.map((id) => by_event[id].share)).toEqual(EVENT_IDS.map(() => 0));
  });
});

describe('on a machine whose CPUs alternate', () => {
  test.each(['nonpae', 'pae'] as const)(
    'sums over CPUs and over events are equal, %s',
    (paging) => {
      const { host } = run('guest-lock', paging);
      const { total, host_cpus } = costReport(host, costTable('haswell'));
      expect(host_cpus).toHaveLength(2);
      expect(host_cpus.reduce((n, bill) => n + bill.cycles, 0)).toBe(total.cycles);
      for (const bill of [total, ...host_cpus]) {
        const parts = EVENT_IDS.map((id) => bill.by_event[id]);
        expect(parts.reduce((n, { cycles }) => n + cycles, 0)).toBe(bill.cycles);
        expect(parts.reduce((n, { share }) => n + share, 0)).toBeCloseTo(1, 12);
      }
      for (const id of EVENT_IDS) {
        expect(host_cpus.reduce((n, bill) => n + bill.by_event[id].count, 0)).toBe(
          total.by_event[id].count,
        );
      }
    },
  );

  test('two runs have equal costs', () => {
    const cost = () => costReport(run().host, costTable());
    expect(cost()).toEqual(cost());
  });

  test('zeroed pages are those in the shadows and those no longer shared', () => {
    const { host } = run();
    const { by_event } = costReport(host, costTable()).total;
    const lg = host.guests[0]!;
    const own = Array.from({ length: lg.pfnLimit }, (_, page) => page as typeof lg.pfnLimit);
    const copied = own.filter((page) => lg.map.state(page) === Vma.ReadWrite).length;
    const frames = Array.from({ length: host.layout.totalFrames }, (_, pfn) => pfn);
    const tables = frames.filter(
      (pfn) => host.frames.kind(pfn as typeof host.zeroPage) === FrameKind.PageTable,
    ).length;
    expect(copied).toBeGreaterThan(0);
    expect(by_event.copy_on_write.count).toBe(copied);
    expect(by_event.page_zero.count).toBeGreaterThanOrEqual(copied + tables);
  });

  test('locks are taken where the discipline has them, without waiting when CPUs alternate', () => {
    const locks = (discipline: DisciplineName): number => {
      const { by_event } = costReport(run(discipline).host, costTable()).total;
      expect(by_event.lock_handover.count).toBe(0);
      return by_event.lock.count;
    };
    expect(locks('guest-lock')).toBeGreaterThan(locks('lock-free'));
    expect(locks('lock-free')).toBeGreaterThan(0);
  });
});

describe('costs', () => {
  test('given in a file replace the preset’s, and are named', () => {
    const table = costTable('pentium4', { cr3_load: 7, lock: 0 });
    expect(table.overridden).toEqual(['cr3_load', 'lock']);
    expect(table.cycles.cr3_load).toBe(7);
    expect(table.cycles.lock).toBe(0);
    expect(table.cycles.world_switch).toBe(PRESETS.pentium4.entries.world_switch.cycles);
    const once = byEvent(() => 1);
    const before = cyclesOf(once, costTable('pentium4').cycles);
    expect(cyclesOf(once, table.cycles)).toBe(before - 500 + 7 - 100);
    expect(cyclesOf(sumOf([once, once]), table.cycles)).toBe(2 * cyclesOf(once, table.cycles));
  });

  test.each(PRESET_NAMES)('of %s lie in their ranges and have a source', (name) => {
    const { entries } = PRESETS[name];
    expect(Object.keys(entries)).toEqual(EVENT_IDS);
    for (const id of EVENT_IDS) {
      const { cycles, low, high, source } = entries[id];
      expect(Number.isInteger(cycles) && low <= cycles && cycles <= high, id).toBe(true);
      expect(low < high, id).toBe(true);
      expect(source.length, id).toBeGreaterThan(5);
    }
  });
});
