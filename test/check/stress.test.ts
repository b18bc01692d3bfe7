/** Machines drawn from seeds: the seed decides the machine, and checks find violations. */

import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { Dead } from '../../shared/lguest.ts';
import { VIRTUALIZATIONS } from '../../shared/virtualization.ts';
import { drawMachine, type Fixed, SHORT_OF_MEMORY, stress } from '../../src/check/stress.ts';
import { loadProgram } from '../../src/guest/load.ts';
import { hotplugMistakes } from '../../src/host/hotplug.ts';
import { POLICIES } from '../../src/host/policy.ts';
import type { GuestSpec, Machine } from '../../src/machine.ts';
import { SLOW } from '../slow.ts';

const SHADOW = { virtualization: 'shadow' } as const;

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);
/** For what holds of each machine: a way that is drawn by mistake would be every third guest's. */
const SOME = SLOW ? SEEDS : SEEDS.slice(0, 100);

describe('the machine of a seed', () => {
  const specs = SEEDS.map((seed) => drawMachine(seed));
  const kinds = (of: (spec: (typeof specs)[number]) => unknown) => new Set(specs.map(of)).size;

  test('is the same every time, and different seeds draw all kinds', () => {
    expect(drawMachine(17)).toEqual(specs[17]);
    expect(kinds((spec) => spec.hostCpus)).toBe(4);
    expect(kinds((spec) => spec.policy)).toBe(POLICIES.length);
    expect(kinds((spec) => spec.discipline)).toBe(DISCIPLINES.length);
    expect(kinds((spec) => spec.guests[0]!.paging)).toBe(2);
    expect(kinds((spec) => JSON.stringify(spec.guests[0]!.program))).toBeGreaterThan(3);
    expect(kinds((spec) => JSON.stringify(spec.guests[0]!.pagingPolicy))).toBeGreaterThan(50);
    expect(kinds((spec) => spec.hotplug!.length > 0)).toBe(2);
    expect(kinds((spec) => spec.failAllocationAfter === undefined)).toBe(2);
    expect(kinds((spec) => spec.guests[0]!.virtualization)).toBe(VIRTUALIZATIONS.length);
    expect(kinds((spec) => JSON.stringify(spec.guests[0]!.program.kernelThreads))).toBeGreaterThan(
      30,
    );
  });

  test('has one vCPU per guest with direct paging, and paging policies with shadow paging only', () => {
    const guests = specs.flatMap((spec) => spec.guests);
    for (const { virtualization, vcpus, pagingPolicy } of guests) {
      expect(virtualization === 'direct' ? vcpus : 1).toBe(1);
      expect(pagingPolicy !== undefined).toBe(virtualization === 'shadow');
    }
    const several = SOME.flatMap((seed) => drawMachine(seed, { vcpus: 3 }).guests);
    expect(several.some(({ virtualization }) => virtualization === 'nested')).toBe(true);
    expect(several.some(({ virtualization }) => virtualization === 'direct')).toBe(false);
  });

  test('uses shadow paging where a discipline or defects are given, else the given way', () => {
    const ways = (fixed: Fixed) =>
      new Set(SOME.flatMap((s) => drawMachine(s, fixed).guests.map((g) => g.virtualization)));
    expect(ways({ discipline: 'lock-free' })).toEqual(new Set(['shadow']));
    expect(ways({ defects: [] })).toEqual(new Set(['shadow']));
    expect(ways({ virtualization: 'nested' })).toEqual(new Set(['nested']));
  });

  test('has, in many guests, one, two or three pgdirs fewer than top levels', () => {
    const topLevels = ({ program }: GuestSpec) => loadProgram(program).processes.length + 1;
    const guests = specs.flatMap((spec) => spec.guests).filter((guest) => topLevels(guest) > 4);
    const fewer = guests.map((guest) => topLevels(guest) - guest.pgdirs!);
    for (const by of [1, 2, 3]) {
      expect(fewer.filter((n) => n === by).length).toBeGreaterThan(guests.length / 10);
    }
    expect(fewer.filter((n) => n < 1 || n > 3).length).toBeGreaterThan(guests.length / 10);
  });

  test('has one vCPU per guest as written, and a CPU online at any time', () => {
    const written = specs.filter(({ discipline }) => discipline === 'as-written');
    expect(written.length).toBeGreaterThan(10);
    for (const { guests } of written) expect(guests.every((g) => g.vcpus === 1)).toBe(true);
    for (const { hotplug, hostCpus } of specs) {
      expect(hotplugMistakes(hotplug!, hostCpus)).toEqual([]);
    }
  });

  test('has the fixed fields, and its other fields do not change', () => {
    const fixed = {
      discipline: 'guest-lock',
      paging: 'pae',
      cpus: 3,
      vcpus: 5,
      guests: 1,
    } as const;
    for (const seed of SEEDS.slice(0, 50)) {
      const spec = drawMachine(seed, fixed);
      expect(spec).toMatchObject({ hostCpus: 3, discipline: 'guest-lock' });
      expect(spec.guests).toMatchObject([{ paging: 'pae', vcpus: 5 }]);
      const { policy, quantum } = specs[seed]!;
      expect(spec).toMatchObject({ policy, quantum });
      expect(spec.guests[0]!.program).toEqual(
        drawMachine(seed, { paging: 'pae' }).guests[0]!.program,
      );
    }
  });
});

describe('the machine of a seed, with defects', () => {
  test('that take several vCPUs, has several, on several CPUs, in separate guests', () => {
    for (const seed of SOME) {
      const spec = drawMachine(seed, { defects: ['R5'] });
      expect(spec.defects).toEqual(['R5']);
      expect(spec.discipline).not.toBe('as-written');
      expect(spec.hostCpus).toBeGreaterThan(1);
      expect(spec.guests.every(({ vcpus }) => vcpus! > 1)).toBe(true);
      expect(hotplugMistakes(spec.hotplug!, spec.hostCpus)).toEqual([]);
    }
  });

  test('has the given number of vCPUs even so', () => {
    const few = { vcpus: 1, cpus: 1, guests: 1, discipline: 'as-written' } as const;
    const spec = drawMachine(1, { ...few, defects: ['R5'] });
    expect(spec).toMatchObject({ hostCpus: 1, discipline: 'as-written', guests: [{ vcpus: 1 }] });
  });

  test('that one vCPU shows, is the same as without them', () => {
    for (const seed of SOME) {
      const { failAllocationAfter: _, ...without } = drawMachine(seed, SHADOW);
      const spec = drawMachine(seed, { ...SHADOW, defects: ['U4'] });
      expect(spec).toMatchObject({ ...without, defects: ['U4'] });
    }
  });
});

test('three short runs end as expected', async () => {
  const quick = SEEDS.filter((seed) => drawMachine(seed).quantum.least >= 1000).slice(0, 3);
  const fixed = { guests: 1, cpus: 2 };
  for (const seed of quick) expect((await stress(seed, { fixed })).faults).toEqual([]);
});

test('reports a guest that ends otherwise', async () => {
  const seed = SEEDS.find((one) => drawMachine(one).failAllocationAfter === undefined)!;
  const { faults } = await stress(seed, {
    fixed: { guests: 1 },
    started: (machine) => machine.host.guests[0]!.die(Dead.Killed, 'by hand'),
  });
  expect(faults).toEqual([expect.stringMatching(/ended with "by hand"$/)]);
});

describe('a run that is interrupted', () => {
  const seed = SEEDS.find((one) => drawMachine(one).failAllocationAfter === undefined)!;
  const fixed = { guests: 1, cpus: 2, vcpus: 2 } as const;

  test('is cut short without a violation', async () => {
    const run = await stress(seed, { fixed, started: (machine) => machine.interrupt() });
    expect(run).toMatchObject({ cutShort: true, faults: [], checks: 0 });
  });

  test('is cut short after its end too, while the expected memory is unknown', async () => {
    let machines = 0;
    const started = (machine: Machine): void => {
      if (++machines === 2) machine.interrupt();
    };
    const run = await stress(seed, { fixed, started });
    expect(run).toMatchObject({ cutShort: true, faults: [] });
    expect(run.run.ending.kind).toBe('done');
    // The next run finds out.
    expect(await stress(seed, { fixed })).toMatchObject({ cutShort: false, faults: [] });
  });
});

test('gives up a machine that makes no progress', async () => {
  const { run, faults } = await stress(1, {
    fixed: { discipline: 'guest-lock', cpus: 2 },
    patienceMs: 500,
    // The owner of this lock never releases it.
    started: ({ host }) => {
      for (const { lock } of host.guests) lock.acquire(host.thisCpu);
    },
  });
  expect(run.ending.kind).toBe('no progress');
  expect(faults).toEqual([expect.stringMatching(/^no progress: .* none for 0\.\d s/)]);
});

test('expects any death of a guest where allocations are made to fail', () => {
  const code = ['paging', 'host', 'nested', 'direct']
    .flatMap((room) => globSync(`src/${room}/**/*.ts`))
    .map((path) => readFileSync(path, 'utf8'))
    .join('');
  const texts = Array.from(code.matchAll(/killGuest\(\s*\w+,\s*['`](.*?)['`]/g), ([, text]) =>
    text!.replace(/\$\{what\}/, 'pte').replace(/\$\{.*?\}/, '7'),
  ).filter((text) => /out of memory|failed to get|populate/.test(text));
  expect(texts.length).toBeGreaterThanOrEqual(4);
  expect(texts.filter((text) => !SHORT_OF_MEMORY.test(text))).toEqual([]);
});
