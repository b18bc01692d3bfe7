/** A memory trace of another tool, made into a program of one process. */

import { statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { UserError } from '../../errors.ts';
import { NONE } from '../../guest/program.ts';
import { TraceWriter } from '../../guest/traces/writer.ts';
import { foreignFormat } from '../foreign.ts';
import { abortOnSignal, type ImportReport } from '../import.ts';
import { examineInput, readInput, STDIN, type TraceInput } from '../input.ts';
import { Place } from '../lines.ts';
import { ProcessImport } from '../process.ts';
import { LineSplitter, shown } from '../text-lines.ts';
import { ChampSimReader, champSimRecord } from './champsim.ts';
import { MEMORY_FORMATS, type MemoryFormat, TEXT_FORMATS } from './formats.ts';
import type { MemorySink } from './sink.ts';

export interface MemoryOptions {
  /** By default what the beginning of the file says. */
  readonly format?: MemoryFormat | undefined;
  /** So many accesses, and no more. */
  readonly limit?: number | undefined;
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/** What reads a format: chunks of bytes, until it has enough. */
interface Reader {
  push(chunk: Uint8Array): void;
  end(): void;
}

/**
 * Reads a trace, or - for standard input, once and in pieces. On any error and on SIGINT or SIGTERM
 * `out` is left as it was. UserError with the place for what is none of its format, or cut short.
 */
export async function importMemory(
  file: string,
  out: string,
  { format, limit = Number.POSITIVE_INFINITY, progress = () => {} }: MemoryOptions,
): Promise<ImportReport> {
  if (resolve(file) === resolve(out)) {
    throw new UserError(
      `${out} is both the trace to import and the file to write. Name another file after -o.`,
    );
  }
  const input =
    file === STDIN ? { path: STDIN, bytes: 0, gzipped: false } : await examineInput(file, empty);
  const name = file === STDIN ? 'stdin' : file;
  const place = new Place(name);
  const writer = new TraceWriter(out);
  const release = abortOnSignal(writer);
  try {
    const process = new ProcessImport(place, {
      stream: () => writer.stream(),
      processOf: () => NONE,
    });
    const notes = new Set<string>();
    let accesses = 0;
    const sink: MemorySink = {
      thread: (thread) => process.thread(thread),
      access(kind, high, low, size) {
        if (accesses >= limit) return;
        accesses++;
        process.access(kind, high, low, size);
      },
      note: (text) => notes.add(text),
    };
    const goesOn = (): boolean => accesses < limit;
    let inputBytes = 0;
    const hasRead = (bytes: number): void => {
      inputBytes = bytes;
      if (input.bytes > 0) progress(bytes, input.bytes);
    };
    await readAll(input, { name, format, place, sink, goesOn, hasRead });
    if (accesses === 0)
      throw new UserError(`${name}: found no memory access in all of it, expected some`);
    if (!goesOn()) notes.add(`Cut at ${limit} accesses, as asked.`);
    const index = process.finish();
    const source = basename(name);
    const program = basename(name, extname(name));
    writer.finish({ name: program, sources: [source], processes: [index] });
    return {
      name: program,
      out,
      inputBytes,
      outputBytes: statSync(out).size,
      processes: [{ ...process.notes(), source, index, stray: { count: 0 } }],
      notes: [...notes],
    };
  } finally {
    release();
    writer.abort();
  }
}

interface Reading {
  readonly name: string;
  readonly format: MemoryFormat | undefined;
  readonly place: Place;
  readonly sink: MemorySink;
  readonly goesOn: () => boolean;
  readonly hasRead: (bytes: number) => void;
}

async function readAll(input: TraceInput, reading: Reading): Promise<void> {
  const { goesOn, hasRead } = reading;
  let reader: Reader | undefined;
  for await (const chunk of readInput(input, hasRead)) {
    reader ??= readerFor(chunk, reading);
    reader.push(chunk);
    if (!goesOn()) return;
  }
  if (reader === undefined) throw empty(reading.name);
  reader.end();
}

/** For a file that begins so. */
function readerFor(head: Uint8Array, { name, format, place, sink, goesOn }: Reading): Reader {
  const chosen = format ?? formatOf(head.subarray(0, 1 << 16), name);
  if (chosen === 'champsim') {
    const bytes = champSimRecord(head.subarray(0, 1 << 16));
    if (bytes === undefined) {
      throw new UserError(
        `${name}: found ${shown(textOf(head))}, expected records of 64 or 72 bytes with an ` +
          "instruction's address, is_branch and taken",
      );
    }
    const reader = new ChampSimReader(name, sink, bytes);
    return { push: (chunk) => reader.push(chunk, goesOn), end: () => reader.end() };
  }
  const reader = TEXT_FORMATS[chosen](sink, place);
  const lines = new LineSplitter(place, (line) => {
    reader.line(line);
    return goesOn();
  });
  return {
    push: (chunk) => lines.push(chunk),
    end() {
      lines.end();
      reader.end();
    },
  };
}

function formatOf(head: Uint8Array, name: string): MemoryFormat {
  const foreign = foreignFormat(head);
  const format = MEMORY_FORMATS.find((one) => one === foreign?.format);
  if (format !== undefined) return format;
  const { what = undefined, line = 1, column = 1 } = foreign ?? {};
  const found = foreign?.found ?? textOf(head).split('\n', 1)[0]!;
  const isWhat = what === undefined ? '' : `: this is ${what}`;
  throw new UserError(
    `${name}:${line}:${column}: found ${shown(found)}${isWhat}, expected a trace in one of ` +
      `the formats ${MEMORY_FORMATS.join(', ')} (--format says which). Logs of Valgrind's ` +
      'lackey, and traces of the CS:APP cache lab, are for umbra import lackey, recorded ' +
      'schedules for umbra import schedule.',
  );
}

const textOf = (head: Uint8Array): string => Buffer.from(head.subarray(0, 200)).toString('latin1');

const empty = (file: string): UserError =>
  new UserError(`${file}: found an empty file, expected a memory trace`);
