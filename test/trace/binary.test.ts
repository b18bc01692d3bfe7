/** A run in the formats of trace-cmd and perf, decoded here and by the tools if installed. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EventKind, PutDownFor } from '../../shared/events.ts';
import { importSchedule } from '../../src/import/schedule/import.ts';
import { perfData } from '../../src/trace/kernel/perf-data.ts';
import { type TracedVcpu, told } from '../../src/trace/kernel/tell.ts';
import { ftraceLines } from '../../src/trace/kernel/text.ts';
import { traceDat } from '../../src/trace/kernel/trace-dat.ts';
import type { TracedEvent } from '../../src/trace/recorder.ts';
import { umbra } from '../commands/umbra.ts';
import { scratch } from '../scratch.ts';
import { type ReadFile, type ReadLine, readPerfData, readTraceDat } from './tracing-data.ts';

const folder = scratch('binary');

const HOST_CPUS = 3;
const VCPUS = (['shadow', 'nested'] as const).map(
  (virtualization, guest): TracedVcpu => ({
    ...{ name: `g${guest} vCPU 0`, guest, id: 0 },
    virtualization,
  }),
);

/** Enough for several pages of a ring buffer; with long pauses and missing events. */
const EVENTS: readonly TracedEvent[] = Array.from({ length: 300 }, (_, i): TracedEvent[] => {
  const at = i * 1e6 + Math.floor(i / 50) * 3e8;
  const vcpu = i % 2;
  const event = (hostCpu: number, kind: EventKind, more: Partial<TracedEvent> = {}) => ({
    ...{ at, hostCpu, kind, vcpu, a: 0, b: 0, c: 0, lost: 0 },
    ...more,
  });
  return [
    event(vcpu, EventKind.TakenUp, { lost: i % 70 === 68 ? i : 0 }),
    event(vcpu, EventKind.Entry, { c: 0x401000 + i }),
    event(vcpu, EventKind.Exit, { a: vcpu === 0 ? 14 : 0x1e, b: 0x401002 }),
    event(vcpu, EventKind.SpteSet, { a: i, b: 0xffff_f067, c: 0x5010 + (i % 3 === 0 ? 1 : 0) }),
    event(vcpu, i % 5 === 0 ? EventKind.FaultPassedOn : EventKind.FaultFixed, {
      ...{ a: 0xfff0_0000 + i, b: i % 32 },
    }),
    event(vcpu, EventKind.InterruptDelivered, { a: 1 }),
    event(vcpu, EventKind.PutDown, {
      a: i % 2 === 0 ? PutDownFor.Interrupt : PutDownFor.Preemption,
    }),
    event(1 - vcpu, EventKind.Migration, { a: vcpu }),
  ];
}).flat();

const events = () => told(EVENTS, HOST_CPUS, VCPUS, () => true);

function file(parts: Iterable<{ readonly at: number; readonly bytes: Uint8Array }>): Buffer {
  const all = [...parts];
  const bytes = Buffer.alloc(Math.max(...all.map((part) => part.at + part.bytes.length)));
  for (const part of all) bytes.set(part.bytes, part.at);
  return bytes;
}

/** Lines of the text for the decoded events: of one CPU after the other. */
function fromText(lines: readonly string[]): ReadLine[] {
  const read = lines
    .filter((line) => !line.startsWith('#'))
    .map((line): ReadLine => {
      const missing = /^CPU:(\d+) \[LOST (\d+) EVENTS\]$/.exec(line);
      if (missing) return { cpu: Number(missing[1]), lost: Number(missing[2]) };
      const [, pid, cpu, s, ns, name, words] =
        /-(\d+)\s+\[(\d+)\] \.{5} +(\d+)\.(\d{9}): (\w+): (.*)$/.exec(line)!;
      return {
        ...{ cpu: Number(cpu), ns: BigInt(s! + ns!), pid: Number(pid) },
        ...{ name: name!, words: words! },
      };
    });
  return byCpu(read);
}

const byCpu = (lines: readonly ReadLine[]): ReadLine[] =>
  [0, 1, 2].flatMap((cpu) => lines.filter((line) => line.cpu === cpu));

const TEXT = [...ftraceLines(events(), VCPUS)];

describe.each([
  ['trace-cmd', file(traceDat(events, HOST_CPUS, VCPUS)), readTraceDat],
  ['perf', file(perfData(events(), HOST_CPUS, VCPUS)), readPerfData],
] as const)('a file for %s', (_tool, bytes, readBy) => {
  const read: ReadFile = readBy(bytes);

  test('has every event of the text, and says where some are missing', () => {
    const lines = byCpu(read.lines);
    expect(lines.filter((line) => 'lost' in line).length).toBe(4);
    expect(lines).toEqual(fromText(TEXT));
    expect(new Set(lines.map((line) => ('name' in line ? line.name : ''))).size).toBe(10);
  });

  test("names threads, and the kernel's system of each event", () => {
    expect(read.comms).toEqual(
      new Map([
        [1000, 'CPU 0/KVM'],
        [2000, 'CPU 0/KVM'],
      ]),
    );
    expect(read.systems).toEqual(
      new Map([
        ['sched_switch', 'sched'],
        ['sched_migrate_task', 'sched'],
        ['kvm_entry', 'kvm'],
        ['kvm_exit', 'kvm'],
        ['kvm_page_fault', 'kvm'],
        ['kvm_inj_exception', 'kvm'],
        ['kvm_inj_virq', 'kvm'],
        ['kvm_mmu_pagetable_walk', 'kvmmmu'],
        ['kvm_mmu_set_spte', 'kvmmmu'],
      ]),
    );
  });
});

/** The tool's output; undefined if it is not installed. */
function printedBy(tool: string, ...words: readonly string[]): string[] | undefined {
  const { error, status, stdout, stderr } = spawnSync(tool, words, { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  if (status !== 0) throw new Error(stderr);
  return stdout.trimEnd().split('\n');
}

const isHere = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;

const synthetic = (name: string, bytes: Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe('read by the tool itself', () => {
  test.runIf(isHere('trace-cmd'))('trace-cmd report prints the text', () => {
    const path = synthetic('t.dat', file(traceDat(events, HOST_CPUS, VCPUS)));
    // -N: by the file's event formats, not by plugins.
    const lines = printedBy('trace-cmd', 'report', '-t', '-N', '-i', path)!;
    const told = lines
      .slice(1)
      .map((line) =>
        line.replace(/^CPU:(\d+) \[(\d+) EVENTS DROPPED\]$/, 'CPU:$1 [LOST $2 EVENTS]'),
      )
      .map((line) => line.replace(/\]( +\d+\.\d+: \w+:) +/, '] .....$1 ').trimEnd());
    expect(fromText(told)).toEqual(fromText(TEXT));
  });

  test.runIf(isHere('perf'))('perf script prints the text', () => {
    const path = synthetic('t.data', file(perfData(events(), HOST_CPUS, VCPUS)));
    const lines = printedBy('perf', 'script', '--ns', '--show-lost-events', '-i', path)!;
    const told = lines.map((line) =>
      line
        .replace(
          /^.*\[(\d+)\] .*PERF_RECORD_LOST lost (\d+)$/,
          (_, cpu: string, lost: string) => `CPU:${Number(cpu)} [LOST ${lost} EVENTS]`,
        )
        .replace(/^(.*?) +(\d+) (\[\d+\])( +\d+\.\d+:) +\w+:(\w+: )/, '$1-$2 $3 .....$4 $5')
        .trimEnd(),
    );
    expect(fromText(told)).toEqual(fromText(TEXT));
  });
});

test.each(['dat', 'data'])('a run is written completely: FILE.%s', async (end) => {
  const path = join(folder, `run.${end}`);
  const ran = await umbra(
    ...['start', 'ls', 'wc', '--cpus', '3', '--vcpus', '2', '--discipline', 'lock-free'],
    ...['--trace', path, '--json', '-'],
  );
  expect(ran.code).toBe(0);
  const report = JSON.parse(ran.stdout) as { total: Record<string, number> };
  const { lines } = (end === 'dat' ? readTraceDat : readPerfData)(readFileSync(path));
  const many = (name: string): number =>
    lines.filter((line) => 'name' in line && line.name === name).length;
  expect(many('kvm_entry')).toBe(report.total.entries);
  expect(many('sched_migrate_task')).toBe(report.total.migrations);

  // Printed like `trace-cmd report -t` or `perf script --ns`, it can be replayed as a recording.
  const events = lines
    .flatMap((line) => ('lost' in line ? [] : [line]))
    .toSorted((a, b) => Number(a.ns - b.ns));
  const printed = events.map(({ pid, cpu, ns, name, words }) => {
    const time = String(ns).padStart(10, '0').replace(/.{9}$/, '.$&');
    return `vCPU-${pid} [${String(cpu).padStart(3, '0')}] ${time}: ${name}: ${words}\n`;
  });
  const text = join(folder, `${end}.txt`);
  writeFileSync(text, printed.join(''));
  const { vcpus } = await importSchedule(text, {});
  expect(vcpus.length).toBe(4);
  for (const { pid, stretches } of vcpus) {
    const taken = events.filter(({ words }) => words.includes(` next_pid=${pid} `));
    expect(stretches.map(({ cpu }) => cpu)).toEqual(taken.map(({ cpu }) => cpu));
  }
});
