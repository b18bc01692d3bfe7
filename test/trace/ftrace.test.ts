/** A run as text of ftrace: parsed by the kernel's own format, its figures are the run's. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { csvParse } from 'd3-dsv';
import { describe, expect, test } from 'vitest';
import { EventKind, PutDownFor } from '../../shared/events.ts';
import { importSchedule } from '../../src/import/schedule/import.ts';
import type { RunReport } from '../../src/report/run-report.ts';
import { type TracedVcpu, told } from '../../src/trace/kernel/tell.ts';
import { ftraceLines } from '../../src/trace/kernel/text.ts';
import type { TracedEvent } from '../../src/trace/recorder.ts';
import { selection } from '../../src/trace/select.ts';
import type { Category } from '../../src/trace/timeline.ts';
import { umbra } from '../commands/umbra.ts';
import { scratch } from '../scratch.ts';

const folder = scratch('ftrace');

const VCPUS = (['shadow', 'nested'] as const).map(
  (virtualization, guest): TracedVcpu => ({
    name: `g${guest} vCPU 3`,
    guest,
    id: 3,
    virtualization,
  }),
);

const event = (
  at: number,
  hostCpu: number,
  kind: EventKind,
  more: Partial<TracedEvent> = {},
): TracedEvent => ({ at, hostCpu, kind, vcpu: 0, a: 0, b: 0, c: 0, lost: 0, ...more });

/** Lines of events, without the header. */
const linesOf = (
  events: readonly TracedEvent[],
  wants = (_: Category): boolean => true,
): string[] =>
  [...ftraceLines(told(events, 2, VCPUS, wants), VCPUS)].filter((line) => !line.startsWith('#'));

const IDLE = '          <idle>-0       [001] .....     2.0000000';
const VCPU = '       CPU 3/KVM-1003    [001] .....     2.0000000';

describe('the text', () => {
  const fault = [
    event(2e9 + 1, 1, EventKind.Migration, { a: 0 }),
    event(2e9 + 2, 1, EventKind.TakenUp),
    event(2e9 + 3, 1, EventKind.Entry, { a: 2, b: 77, c: 0x401000 }),
    event(2e9 + 4, 1, EventKind.Exit, { a: 14, b: 0x401002 }),
    event(2e9 + 5, 1, EventKind.SpteSet, { a: 0x12, b: 0x34067, c: 0x5011 }),
    event(2e9 + 6, 1, EventKind.FaultFixed, { a: 0x7000, b: 6 }),
    event(2e9 + 7, 1, EventKind.Exit, { a: 0x1f, b: 0x401004 }),
    event(2e9 + 8, 1, EventKind.InterruptDelivered, { a: 1 }),
    event(2e9 + 9, 1, EventKind.PutDown, { a: PutDownFor.Interrupt }),
  ];

  test('uses the kernel’s words, and has a fault where KVM has it: before its entry is set', () => {
    expect(linesOf(fault)).toEqual([
      `${IDLE}01: sched_migrate_task: comm=CPU 3/KVM pid=1003 prio=120 orig_cpu=0 dest_cpu=1`,
      `${IDLE}02: sched_switch: prev_comm=swapper/1 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=CPU 3/KVM next_pid=1003 next_prio=120`,
      `${VCPU}03: kvm_entry: vcpu 3, rip 0x401000`,
      `${VCPU}04: kvm_exit: vcpu 3 reason EXCEPTION_NMI rip 0x401002 info1 0x0000000000007000 info2 0x0000000000000000 intr_info 0x80000b0e error_code 0x00000006`,
      `${VCPU}04: kvm_page_fault: vcpu 3 rip 0x401002 address 0x0000000000007000 error_code 0x6`,
      `${VCPU}04: kvm_mmu_pagetable_walk: addr 7000 pferr 6 W|U`,
      `${VCPU}05: kvm_mmu_set_spte: gfn 12 spte 8000000000034067 (rw-u) level 1 at 5010`,
      `${VCPU}07: kvm_exit: vcpu 3 reason VMCALL rip 0x401004 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000`,
      `${VCPU}08: kvm_inj_virq: IRQ 0x21`,
      `${VCPU}09: sched_switch: prev_comm=CPU 3/KVM prev_pid=1003 prev_prio=120 prev_state=S ==> next_comm=swapper/1 next_pid=0 next_prio=120`,
    ]);
  });

  test('keeps the order of all CPUs while one is in a fault, and marks the guest’s own faults', () => {
    const lines = linesOf([
      event(1, 0, EventKind.Exit, { a: 14, b: 0x1000 }),
      event(2, 1, EventKind.Exit, { a: 0x1e, b: 0x2000, vcpu: 1 }),
      event(3, 1, EventKind.SpteSet, { a: 9, b: 0x9007, c: 0x100, vcpu: 1 }),
      event(4, 1, EventKind.FaultFixed, { a: 0x9000, b: 2, vcpu: 1 }),
      event(5, 0, EventKind.FaultPassedOn, { a: 0x8000, b: 7 }),
      event(6, 0, EventKind.Exit, { a: 14, b: 0x3000 }),
    ]);
    expect(
      lines.map((line) => line.replace(/^.*?\[(\d+)\].*\.0*(\d+): (\w+: \D+).*/, '$1 $2 $3')),
    ).toEqual([
      '000 1 kvm_exit: vcpu ',
      '000 1 kvm_page_fault: vcpu ',
      '000 1 kvm_mmu_pagetable_walk: addr ',
      '000 1 kvm_inj_exception: #PF (',
      '001 2 kvm_exit: vcpu ',
      '001 2 kvm_page_fault: vcpu ',
      '001 3 kvm_mmu_set_spte: gfn ',
      '000 6 kvm_exit: vcpu ',
    ]);
    expect(lines[4]).toContain('reason EPT_VIOLATION');
    expect(lines[6]).toMatch(/gfn 9 spte 9007 \(rwx\) level 1 at 100$/);
    // The run ended in it, so its kind is unknown.
    expect(lines[7]).toMatch(/info1 0x0{16} .* intr_info 0x8000030e error_code 0x0{8}$/);
  });

  test('marks missing events, and has the selected ones', () => {
    const lost = [...fault.slice(0, 4), event(2e9 + 5, 1, EventKind.Entry, { lost: 7 })];
    expect(linesOf(lost).slice(-2)[0]).toBe('CPU:1 [LOST 7 EVENTS]');
    expect(linesOf(fault, selection(['migration'])).map((line) => line.split(': ')[1])).toEqual([
      'sched_migrate_task',
    ]);
    expect(linesOf(fault, selection(['fault'])).map((line) => line.split(': ')[1])).toEqual([
      ...['kvm_page_fault', 'kvm_mmu_pagetable_walk', 'kvm_mmu_set_spte'],
    ]);
  });
});

interface Line {
  readonly pid: number;
  readonly cpu: number;
  readonly ns: number;
  readonly name: string;
  readonly words: string;
}

/** As trace_processor parses a line: from the CPU in brackets, backwards and forwards. */
function taken(line: string): Line {
  const cpu = /\[(\d+)\]/.exec(line)!;
  const pid = /-(\d+)\s*$/.exec(line.slice(0, cpu.index))!;
  const time = /(\d+)\.(\d{9}):\s*([^\s:]+):\s*(.*)$/.exec(line.slice(cpu.index))!;
  return {
    pid: Number(pid[1]),
    cpu: Number(cpu[1]),
    ns: Number(time[1]) * 1e9 + Number(time[2]),
    name: time[3]!,
    words: time[4]!,
  };
}

/** As perf sched timehist: runs, run time, and runs on another CPU than before, for each task. */
function timehist(lines: readonly Line[]) {
  const tasks = new Map<number, { runs: number; ns: number; migrations: number; cpu: number }>();
  const since = new Map<number, { pid: number; ns: number }>();
  for (const { cpu, ns, name, words } of lines) {
    if (name !== 'sched_switch') continue;
    const [, prev, next] = /prev_pid=(\d+) .*next_pid=(\d+)/.exec(words)!.map(Number);
    const before = since.get(cpu);
    expect(before?.pid ?? prev).toBe(prev);
    if (before !== undefined && prev !== 0) tasks.get(prev!)!.ns += ns - before.ns;
    since.set(cpu, { pid: next!, ns });
    if (next === 0) continue;
    const task = tasks.get(next!) ?? { runs: 0, ns: 0, migrations: 0, cpu };
    task.runs++;
    if (task.cpu !== cpu) task.migrations++;
    tasks.set(next!, { ...task, cpu });
  }
  return new Map(
    [...tasks].toSorted(([a], [b]) => a - b).map(([pid, { cpu: _, ...task }]) => [pid, task]),
  );
}

/** The same from the run's own events. */
function ours(rows: readonly Readonly<Record<string, string>>[]) {
  const tasks = new Map<number, { runs: number; ns: number; migrations: number }>();
  const since = new Map<string, number>();
  for (const { event: what, at_ns: at, host_cpu: cpu, guest, vcpu } of rows) {
    const pid = 1000 * (Number(guest) + 1) + Number(vcpu);
    const task = tasks.get(pid) ?? { runs: 0, ns: 0, migrations: 0 };
    if (what === 'taken up') task.runs++;
    if (what === 'taken up') since.set(cpu!, Number(at));
    if (what === 'put down') task.ns += Number(at) - since.get(cpu!)!;
    if (what === 'migration') task.migrations++;
    if (guest !== '') tasks.set(pid, task);
  }
  return new Map([...tasks].toSorted(([a], [b]) => a - b));
}

describe('of a run', async () => {
  const path = join(folder, 'run.dat.txt');
  const out = join(folder, 'run');
  const ran = await umbra(
    ...['start', 'ls', 'wc', '--cpus', '3', '--vcpus', '2', '--discipline', 'lock-free'],
    ...['--trace', path, '--out', out, '--json', '-'],
  );
  const report = JSON.parse(ran.stdout) as RunReport & { trace: { lost: number } };
  const lines = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map(taken);
  const events = csvParse(readFileSync(join(out, 'events.csv'), 'utf8'));
  const many = (name: string): number => lines.filter((line) => line.name === name).length;

  test('gives how long, how often and where each vCPU ran', () => {
    expect(ran.code).toBe(0);
    expect(report.trace.lost).toBe(0);
    const found = timehist(lines);
    expect([...found.keys()]).toEqual([1000, 1001, 2000, 2001]);
    expect(found).toEqual(ours(events));
    const migrations = [...found.values()].reduce((sum, task) => sum + task.migrations, 0);
    expect(migrations).toBe(report.total.migrations);
  });

  test("has the run's counts", () => {
    const { total } = report;
    expect(many('kvm_entry')).toBe(total.entries);
    expect(many('kvm_exit')).toBe(total.entries);
    expect(many('kvm_page_fault')).toBe(total.faults_fixed + total.faults_passed_on);
    expect(many('kvm_mmu_pagetable_walk')).toBe(total.faults_fixed + total.faults_passed_on);
    expect(many('kvm_inj_exception')).toBe(total.faults_passed_on);
    expect(many('sched_migrate_task')).toBe(total.migrations);
    expect(many('kvm_mmu_set_spte')).toBeGreaterThan(total.faults_fixed / 2);
    const times = lines.map(({ ns }) => ns);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('names the task of each line: the one last switched to', () => {
    const inHand = new Map<number, number>();
    for (const { cpu, pid, name, words } of lines) {
      expect(pid).toBe(inHand.get(cpu) ?? 0);
      if (name === 'sched_switch') inHand.set(cpu, Number(/next_pid=(\d+)/.exec(words)![1]));
    }
  });

  test('is a recording that a machine can replay', async () => {
    const { vcpus } = await importSchedule(path, {});
    const moves = (pid: number): number[] =>
      lines
        .filter(({ name, words }) => name === 'sched_switch' && words.includes(` next_pid=${pid} `))
        .map(({ cpu }) => cpu);
    for (const { pid, stretches } of vcpus) {
      expect(stretches.map(({ cpu }) => cpu)).toEqual(moves(pid));
    }
  });
});
