/** Files of other tools, told by their beginning: those that some import reads, and others. */

import { champSimRecord } from './memory/champsim.ts';
import type { MemoryFormat } from './memory/formats.ts';

/** By which import a file is read: of schedules, or of memory traces in this format. */
export type Format = 'schedule' | MemoryFormat;

/** The format of a file that begins with these bytes. */
const BINARY: Readonly<Record<string, string>> = {
  'UMBRA\x1a': 'a program of umbra, imported already (umbra start runs it)',
  '\x7fELF': 'a program itself (run it under valgrind)',
  PERFILE2: 'a recording of perf record (perf script -i FILE makes text of it)',
  '\x17\x08Dtracing': 'a recording of trace-cmd (trace-cmd report -i FILE makes text of it)',
  'PK\x03\x04': 'a zip archive, as drmemtrace and Perfetto write them',
  'SQLite format 3': 'a database of SQLite',
};

interface TextKind {
  /** What it is, in words. */
  readonly what: string;
  /** What it is read as, if it is. */
  readonly format?: Format;
  /** Somewhere in the beginning of the file. The first line of the match is what is shown of it. */
  readonly sign: RegExp;
}

const TEXTS: readonly TextKind[] = [
  {
    what: 'text of ftrace or trace-cmd report',
    format: 'schedule',
    sign: /^(?:# tracer: .*|cpus=\d+$|version = \d+$|.*-\d+ +(?:\(.*\) +)?\[\d+\] +(?:[^\s:]{4,7} +)?\d+\.\d+: +\w+: .*)/m,
  },
  {
    what: 'text of perf script',
    format: 'schedule',
    sign: /^\s*(?:\S.*?\s+)?-?\d+(?:\/\d+)? +(?:\[\d+\] +)?\d+\.\d+: +(?:\d+ +)?[\w-]+(?::\S+)?: .*/m,
  },
  {
    what: 'text of the view tool of DynamoRIO’s drmemtrace',
    format: 'drmemtrace',
    sign: /^(?:<--record#-> .*|\s*\d+(?: +\d+)?: +(?:W\d+\.)?T?\d+ (?:ifetch|read|write|<marker:).*)/m,
  },
  {
    what: 'the output of Pin’s pinatrace',
    format: 'pinatrace',
    sign: /^0x[0-9a-f]+: [RW] +0x[0-9a-f]+.*/im,
  },
  {
    what: 'the output of QEMU’s execlog plugin',
    format: 'execlog',
    sign: /^\d+, 0x[0-9a-f]+, 0x[0-9a-f]+, ".*/im,
  },
  {
    what: 'a litmus test of herd (umbra has litmus tests of its own form)',
    sign: /^(?:X86|X86_64|AArch64|ARM|PPC|RISCV|MIPS|LISA|Bell|JAVA|C) [\w+.\-[\]]+\s(?=[\s\S]*^\s*\{)/m,
  },
  {
    what: 'the output of gem5’s Exec flags',
    sign: /^\s*\d+: \w+(?:\.\w+)*\.cpu\w*[:.].*/m,
  },
  {
    what: 'a trace for Dinero',
    format: 'dinero',
    sign: /^[0-4] +(?:0x)?[0-9a-f]{1,16}(?: .*)?\r?\n[0-4] +(?:0x)?[0-9a-f]/im,
  },
  { what: 'the output of strace', sign: /^(?:\d+ +)?\w+\(.*\) += (?:-?\d+|0x[0-9a-f]+|\?).*/m },
  { what: 'JSON', sign: /^\s*[[{]\s*["[{\]}].*/ },
  {
    what: 'a scenario or a litmus test of umbra',
    sign: /^(?:# yaml-language-server:|(?:description|cpus|vcpus|guests|policy):).*/m,
  },
];

/** A line of lackey's or valgrind's. */
const LACKEY = /^(?:(?:I | [LSM]) [0-9a-f]+,\d+\r?$|==\d+==|--\d+--|SYSCALL\[)/im;

export interface Foreign {
  readonly what: string;
  readonly format: Format | undefined;
  /** Where its sign is, from 1. */
  readonly line: number;
  readonly column: number;
  readonly found: string;
}

/** Undefined if any line of the head is lackey's, or if it is of no kind that is known. */
export function foreignFormat(head: Uint8Array): Foreign | undefined {
  const text = Buffer.from(head).toString('latin1');
  if (LACKEY.test(text)) return undefined;
  for (const [begin, what] of Object.entries(BINARY)) {
    if (!text.startsWith(begin)) continue;
    return { what, format: undefined, line: 1, column: 1, found: begin };
  }
  for (const { what, sign, format } of TEXTS) {
    const match = sign.exec(text);
    if (match === null) continue;
    const before = text.slice(0, match.index + match[0].search(/\S/)).split('\n');
    const found = match[0].trim().split('\n')[0]!;
    return { what, format, line: before.length, column: before.at(-1)!.length + 1, found };
  }
  if (champSimRecord(head) === undefined) return undefined;
  const what = 'a trace for ChampSim';
  return { what, format: 'champsim', line: 1, column: 1, found: text.slice(0, 8) };
}
