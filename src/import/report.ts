import { Op } from '../guest/program.ts';
import { grouped } from '../numbers.ts';
import type { ImportedProcess, ImportReport } from './import.ts';

/** Names of the kinds, by Op: of one and of many. */
const KIND_NAMES = [
  ['fetch', 'fetches'],
  ['load', 'loads'],
  ['store', 'stores'],
  ['modify', 'modifies'],
  ['locked operation', 'locked operations'],
  ['system call', 'system calls'],
] as const;

const MIB = 1 << 20;

/** Of a program of 64 bits there may be hundreds. */
const SHOWN_FOLDS = 8;

/** The report for people: several lines, without an end of line after the last. */
export function formatImportReport(report: ImportReport): string {
  const threads = report.processes.flatMap(({ index }) => index.threads);
  const operations = threads.reduce((sum, { length }) => sum + length, 0);
  const counts = KIND_NAMES.map((_, kind) =>
    threads.reduce((sum, thread) => sum + thread.counts[kind]!, 0),
  );
  const kinds = KIND_NAMES.map(([one, many], kind) => plural(counts[kind]!, one, many)).filter(
    (_, kind) => counts[kind] !== 0,
  );
  const perOperation = (report.outputBytes / Math.max(1, operations)).toFixed(3);
  return [
    `${report.name}: ${plural(report.processes.length, 'process', 'processes')}, ` +
      `${plural(threads.length, 'thread')}, ${plural(operations, 'operation')}`,
    `  ${kinds.join(', ')}`,
    `  ${number(report.inputBytes)} bytes read, ${number(report.outputBytes)} written to ` +
      `${report.out}: ${perOperation} bytes an operation`,
    ...report.processes.flatMap(processLines),
    ...(report.notes ?? []),
  ].join('\n');
}

function processLines(process: ImportedProcess, i: number): string[] {
  const { index, pid, calls, repairs, afterEnd, untouched, stray } = process;
  const lines = [
    `process ${i}: ${index.command || '(command not in the trace)'}`,
    `  from ${process.source}${pid === 0 ? '' : `, process ${pid} of the original run`}`,
  ];
  for (const [t, { length, counts }] of index.threads.entries()) {
    lines.push(
      `  thread ${t}: ${plural(length, 'operation')}, ` +
        `${plural(counts[Op.Syscall]!, 'system call')}`,
    );
  }
  const most = Object.entries(calls).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  if (most.length > 0) {
    const shown = most.slice(0, 12).map(([name, n]) => `${name.replace(/^sys_/, '')} ${number(n)}`);
    const more = most.length > shown.length ? `, and ${most.length - shown.length} others` : '';
    lines.push(`  original system calls: ${shown.join(', ')}${more}`);
  }
  const bytes = index.regions.reduce((sum, [start, end]) => sum + end - start, 0);
  lines.push(
    `  ${plural(index.regions.length, 'initial region')}, ` +
      `${plural(bytes / 4096, 'page')}${index.brk === undefined ? '' : `; the heap begins at ${hex(index.brk)}`}`,
  );
  for (const { from, to, length } of index.folds.slice(0, SHOWN_FOLDS)) {
    lines.push(`  folded: ${length >>> 20} MiB at 0x${from} to ${hex(to)}`);
  }
  const folds = index.folds.slice(SHOWN_FOLDS);
  if (folds.length > 0) {
    const folded = folds.reduce((sum, { length }) => sum + length, 0);
    lines.push(`  folded: ${folded / MIB} MiB in ${plural(folds.length, 'other place')}`);
  }
  if (untouched > 0) {
    lines.push(`  ${number(untouched / MIB)} MiB left out that were mapped and never used`);
  }
  if (repairs > 0) {
    lines.push(`  ${plural(repairs, 'mapping')} added that the trace uses and does not tell of`);
  }
  if (afterEnd > 0) {
    lines.push(`  ${plural(afterEnd, 'access', 'accesses')} after the end of the process left out`);
  }
  if (stray.first !== undefined) {
    const { line, text } = stray.first;
    lines.push(
      `  ${plural(stray.count, 'line')} skipped that lackey did not write, at first ` +
        `${process.source}:${line}: ${text}`,
    );
  }
  return lines;
}

function number(n: number): string {
  return grouped(n);
}

function plural(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}
