/** vCPUs that run where a placement says, and nowhere else. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventKind } from '../../shared/events.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { runChecked } from '../../src/check/checked-run.ts';
import { migrationsIn, parsePlacement } from '../../src/host/placement.ts';
import { replayed, replayOf } from '../../src/host/policy.ts';
import { importSchedule, placementText } from '../../src/import/schedule/import.ts';
import { Machine, type MachineSpec, schedulingOf } from '../../src/machine.ts';
import { makeReport, succeeded } from '../../src/report/run-report.ts';
import { TraceRecorder } from '../../src/trace/recorder.ts';
import { complaintOf } from '../complaint.ts';
import { scratch } from '../scratch.ts';

const folder = scratch('replay');

type Places = readonly (readonly (readonly [hostCpu: number, ns: number])[])[];

let files = 0;

function placementOf(places: Places): string {
  const file = join(folder, `${files++}.csv`);
  const rows = places.flatMap((all, vcpu) => all.map(([cpu, ns]) => `${vcpu},${cpu},${ns}`));
  writeFileSync(file, `vcpu,host_cpu,ns\n${rows.join('\n')}\n`);
  return file;
}

const guest = (vcpus = 1) => ({
  name: 'storm',
  program: { kind: 'workload', name: 'false-sharing', seed: 1, size: 60 } as const,
  pages: 1024,
  paging: 'nonpae' as const,
  vcpus,
});

/** The host CPUs each vCPU moved between, as those recorded it. */
async function moves(spec: MachineSpec) {
  const recorder = new TraceRecorder(spec.hostCpus);
  const machine = await Machine.boot(spec, { trace: recorder });
  const result = await runChecked(machine);
  recorder.stop();
  const report = makeReport(machine, result);
  const found = machine.host.vcpus.map((): [from: number, to: number][] => []);
  const taken = machine.host.vcpus.map((): number[] => []);
  for (const { kind, vcpu, hostCpu, a } of recorder.events()) {
    if (kind === EventKind.Migration) found[vcpu]!.push([a, hostCpu]);
    if (kind === EventKind.TakenUp) taken[vcpu]!.push(hostCpu);
  }
  return { found, taken, report };
}

const expectedMoves = (places: Places) =>
  places.map((all) =>
    all.slice(1).flatMap(([cpu], i) => (cpu === all[i]![0] ? [] : [[all[i]![0], cpu] as const])),
  );

test('any placement is run stretch by stretch, with its moves and no others', async () => {
  const stretch = fc.tuple(fc.nat(3), fc.nat(1000));
  const places = fc.array(fc.array(stretch, { minLength: 1, maxLength: 30 }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(places, async (all) => {
      const { found, taken, report } = await moves({
        hostCpus: 4,
        guests: all.map(() => guest()),
        policy: replayOf(placementOf(all)),
        quantum: { least: 50, most: 150 },
        seed: 1,
      });
      expect(succeeded(report)).toBe(true);
      expect(found).toEqual(expectedMoves(all));
      expect(report.placement).toEqual(
        all.map((one, i) => ({
          name: '',
          stretches: one.length,
          stretches_run: one.length,
          migrations: expectedMoves(all)[i]!.length,
          migrations_run: expectedMoves(all)[i]!.length,
        })),
      );
      // Each begins its stretches in their order; then it stays.
      for (const [i, cpus] of taken.entries()) {
        const told = all[i]!.map(([cpu]) => cpu);
        expect(cpus.slice(0, told.length)).toEqual(told);
        expect(new Set(cpus.slice(told.length - 1)).size).toBe(1);
      }
    }),
    { numRuns: 6 },
  );
});

describe('a recording', async () => {
  const recording = new URL('../import/schedules/perf-script.txt.gz', import.meta.url).pathname;
  const schedule = await importSchedule(recording, {});
  const file = join(folder, 'host.csv');
  writeFileSync(file, placementText(schedule));
  const recorded = schedule.vcpus.map(({ stretches }) =>
    stretches
      .map(({ cpu }) => schedule.cpus.indexOf(cpu))
      .flatMap((cpu, i, all) => (i === 0 || cpu === all[i - 1] ? [] : [[all[i - 1], cpu]])),
  );
  const spec = { hostCpus: 2, policy: replayOf(file), seed: 1 };

  test('gives a run whose migrations per vCPU are exactly the file’s', async () => {
    const guests = recorded.map(() => guest());
    const { found, report } = await moves({ ...spec, guests, quantum: { least: 150, most: 150 } });
    expect(recorded.flat()).toHaveLength(5);
    expect(found).toEqual(recorded);
    expect(report.total.migrations).toBe(5);
    expect(succeeded(report)).toBe(true);
  });

  test('is followed to the end of the guest, with several vCPUs too', async () => {
    const guests = [guest(4)];
    const quantum = { least: 50, most: 50 };
    const { found, report } = await moves({ ...spec, guests, quantum, discipline: 'lock-free' });
    for (const [i, all] of found.entries()) {
      expect(all).toEqual(recorded[i]!.slice(0, all.length));
      expect(report.placement![i]!.migrations_run).toBe(all.length);
    }
    expect(succeeded(report)).toBe(true);
  });
});

describe('a time slice', () => {
  const placement = parsePlacement('vcpu,host_cpu,ns\n0,1,100\n0,2,300\n1,0,200\n0,1,0\n', 'p');

  /** A vCPU that uses up its slices, or this much of each. */
  function slices(number: number, used = (slice: number) => slice) {
    const { slice, place } = replayed(placement, 1000);
    const cpu = { number, quantum: 0, stretches: 0 };
    return (): [cpu: number, slice: number | undefined] => {
      const operations = slice!(cpu as LgCpu);
      cpu.quantum = operations === undefined ? 0 : operations - used(operations);
      return [place(cpu as LgCpu, 3), operations];
    };
  }

  test('is in proportion to its stretch, and drawn after the last one', () => {
    const next = slices(0);
    expect([next(), next(), next(), next(), next()]).toEqual([
      [1, 667],
      [2, 2000],
      [1, 1],
      [1, undefined],
      [1, undefined],
    ]);
    expect(slices(1)()).toEqual([0, 1333]);
  });

  test('continues in place if the vCPU slept in it', () => {
    const next = slices(0, (slice) => Math.min(slice, 500));
    expect([next(), next(), next(), next()]).toEqual([
      [1, 667],
      [1, 167],
      [2, 2000],
      [2, 1500],
    ]);
  });

  test('is reported with its migrations', () => {
    expect(placement.vcpus.map((vcpu) => migrationsIn(vcpu))).toEqual([2, 0]);
    expect(migrationsIn(placement.vcpus[0]!, 2)).toBe(1);
  });
});

describe('an invalid placement is refused with its place', () => {
  test.each([
    ['', 'p:1:1: found the end of the file, expected the end of the line'],
    [
      'a,b\n',
      'p:1:1: found the columns a, b, expected a placement, which has the columns vcpu, host_cpu, ns',
    ],
    [
      'vcpu,host_cpu,ns\n',
      'p:1:1: found no stretch of any vCPU, expected at least one of each vCPU',
    ],
    [
      'vcpu,host_cpu,ns\n1,0,5\n',
      'p:2:1: found no stretch of vCPU 0, expected at least one of each vCPU',
    ],
    [
      'vcpu,host_cpu,ns\n0,x,5\n',
      'p:2:3: found "x", expected host_cpu, a whole number from 0 to 509',
    ],
    [
      'vcpu,host_cpu,ns\n0,0,-5\n',
      'p:2:5: found "-5", expected ns, a whole number from 0 to 9007199254740991',
    ],
    [
      'comm,vcpu,host_cpu,ns\n"a,""b",0,0,5\nx,0,510,5\n',
      'p:3:5: found "510", expected host_cpu, a whole number from 0 to 509',
    ],
    ['vcpu,host_cpu,ns\n0,0\n', 'p:2:3: found 2 fields, expected 3, as in line 1'],
    ['vcpu,host_cpu,ns\n0,0,5', 'p:2:1: found the end of the file, expected the end of the line'],
  ])('%j', (text, words) => {
    expect(complaintOf(() => parsePlacement(text, 'p'))).toBe(words);
  });
});

test('a placement of another machine is refused', () => {
  const file = placementOf([[[2, 5]], [[0, 5]]]);
  const spec = {
    hostCpus: 3,
    guests: [guest(2)],
    policy: replayOf(file),
    quantum: { least: 1, most: 1 },
    seed: 1,
  };
  const said = (more: Partial<MachineSpec>) =>
    complaintOf(() => schedulingOf({ ...spec, ...more }));
  expect(schedulingOf(spec).policy).toMatchObject({
    vcpus: [{ hostCpus: [2] }, { hostCpus: [0] }],
  });
  expect(said({ hostCpus: 2 })).toContain(
    'places vCPUs on host CPU 2, and this machine has 2 host CPUs: give it 3 (--cpus)',
  );
  expect(said({ guests: [guest()] })).toContain('places 2 vCPUs, and this machine has 1');
  expect(said({ hotplug: [{ cpu: 0, after: 1 }] })).toContain('hotplug would move them elsewhere');
  expect(said({ policy: replayOf(join(folder, 'none')) })).toContain('none cannot be read: ENOENT');
});
