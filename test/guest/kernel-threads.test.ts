/** Kernel threads that change the kernel's mapping, each at addresses of its own. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import { Hypercall } from '../../shared/hypercall.ts';
import { VIRTUALIZATIONS } from '../../shared/virtualization.ts';
import { isSynchronised } from '../../src/check/guest-tables.ts';
import { checkAll } from '../../src/check/invariants.ts';
import {
  KERNEL_LOCK,
  MMS,
  SWAPPER_PG_DIR,
  TASK_BYTES,
  TASKS,
  Task,
  TELLING,
  windowsStart,
} from '../../src/guest/kernel/layout.ts';
import type { KernelThread } from '../../src/guest/program.ts';
import { Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { PAGE_SHIFT } from '../../src/hardware/address.ts';
import { Rig, type RigSpec } from '../rig.ts';
import { audit, counted, readGuest } from './at-rest.ts';
import { processes, written } from './processes.ts';

const KINDS = (['nonpae', 'pae'] as const).flatMap((paging) =>
  VIRTUALIZATIONS.map((virtualization) => ({ paging, virtualization })),
);

const windows = (rounds: number): KernelThread => ({ work: 'windows', rounds });

function rigOf(kernelThreads: readonly KernelThread[], spec: Partial<RigSpec> = {}): Rig {
  const main = written(new StreamBuilder());
  for (let n = 0; n < 30; n++) main.syscall(Sys.schedule);
  return new Rig({
    program: processes(main, [], kernelThreads),
    discipline: 'guest-lock',
    defects: [],
    ...spec,
  });
}

/** Tasks of kernel threads: those with pages. */
const withPages = ({ host }: Rig): number[] =>
  Array.from({ length: 64 }, (_, i) => i).filter(
    (i) => readGuest(host, TASKS + i * TASK_BYTES + Task.pages) !== 0,
  );

describe.each(KINDS)('$virtualization, $paging', (kind) => {
  test('they end by themselves, free their pages, and leave memory as without them', () => {
    const end = (threads: KernelThread[]) => {
      const rig = rigOf(threads, kind);
      rig.runAll(61);
      expect(checkAll(rig.host).map(({ text }) => text)).toEqual([]);
      expect(withPages(rig)).toEqual([]);
      return { reason: rig.reason, user: rig.digest().user, wrong: rig.violations() };
    };
    const without = end([]);
    expect(without).toMatchObject({ reason: 'Power down', wrong: [] });
    expect(end([windows(3), windows(5), { work: 'swap', rounds: 4 }])).toEqual(without);
  });

  test('at any point of their work all invariants hold, and their windows show their own pages', () => {
    const rig = rigOf([windows(1), windows(1)], { ...kind, hostCpus: 2 });
    let looks = 0;
    const look = () => {
      if (isSynchronised(rig.host.guests[0]!)) looks++;
      expect(checkAll(rig.host).map(({ text }) => text)).toEqual([]);
      return false;
    };
    rig.runUntil(() => withPages(rig).length > 0 && look(), 23);
    expect(rig.reason).toBe('Power down');
    expect(looks).toBeGreaterThan(10);
  });
});

/** In the middle of a change: the kernel's lock released, the hypercall not made yet. */
function telling() {
  const rig = rigOf([windows(2)]);
  const isTelling = () => readGuest(rig.host, TELLING) !== 0;
  expect(rig.runUntil(isTelling, 1)).toBe(true);
  return rig;
}

test('a kernel thread with a pending hypercall does not hold the kernel’s lock', () => {
  const rig = telling();
  expect(readGuest(rig.host, KERNEL_LOCK)).toBe(0);
  expect(isSynchronised(rig.host.guests[0]!)).toBe(false);
  rig.runUntil(() => readGuest(rig.host, TELLING) === 0, 1);
  expect(isSynchronised(rig.host.guests[0]!)).toBe(true);
});

test('a window that shows another’s page is found', () => {
  const rig = rigOf([windows(2)]);
  const { form } = rig.host.guests[0]!;
  const start = windowsStart({ form, pages: 1024 });
  const shown = () => {
    const table = readGuest(rig.host, readGuest(rig.host, SWAPPER_PG_DIR) + (start >>> 22) * 4);
    const [task] = withPages(rig);
    const at = (table & -4096) + task! * 8;
    return { at, page: readGuest(rig.host, at) >>> PAGE_SHIFT, task };
  };
  expect(rig.runUntil(() => withPages(rig).length > 0 && shown().page !== 0, 1)).toBe(true);
  const { at, task } = shown();
  const other = readGuest(rig.host, MMS + 4) >>> PAGE_SHIFT;
  expect(audit(rig.host, new Map([[at, (other << PAGE_SHIFT) | 0x163]]))).toContainEqual(
    `the window of task ${task} shows page ${other}, which it does not have`,
  );
});

test("each round flushes the other vCPUs' TLBs, and makes a hypercall for each change", () => {
  const calls = (threads: KernelThread[], hypercall: number) => {
    const rig = rigOf(threads, { vcpus: 2 });
    rig.runAll(100);
    return counted(rig, Counter.Hypercalls + hypercall);
  };
  const more = (hypercall: number) => calls([windows(3)], hypercall) - calls([], hypercall);
  expect(more(Hypercall.FlushTlb)).toBe(6);
  // Eight times two entries, twice, and two that are cleared.
  expect(more(Hypercall.SetPte)).toBe(3 * 34);
});
