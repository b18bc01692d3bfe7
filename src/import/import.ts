import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { NONE, Op } from '../guest/program.ts';
import type { ProcessIndex } from '../guest/traces/format.ts';
import { TraceWriter } from '../guest/traces/writer.ts';
import { type Foreign, foreignFormat } from './foreign.ts';
import { examineInput, readInput, type TraceInput } from './input.ts';
import { LineParser, OPTIONS, Place, quote, type StrayLines } from './lines.ts';
import { ProcessImport, type ProcessNotes } from './process.ts';

/** What an import read and wrote. */
export interface ImportReport {
  readonly name: string;
  readonly out: string;
  /** Of the files as they are, packed or not. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** In the order of the program: process 0 is the one that no other started. */
  readonly processes: readonly ImportedProcess[];
  /** Warnings for users of the program. */
  readonly notes?: readonly string[];
}

export interface ImportedProcess extends ProcessNotes {
  /** Base name of its trace. */
  readonly source: string;
  readonly index: ProcessIndex;
  readonly stray: Readonly<StrayLines>;
}

export interface ImportOptions {
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
  /** Skip and count lines that no lackey trace has, such as what the traced program said. */
  readonly skipStrayLines?: boolean;
}

/** A trace file and what its first lines say. */
interface Source {
  readonly input: TraceInput;
  /** 0 if the trace names no process. */
  readonly pid: number;
  readonly parent: number;
}

/**
 * Imports lackey traces, one file for each process of one run, into one trace file.
 * Memory does not grow with the traces; the same files give the same bytes, in
 * whatever order they are named. On any error and on SIGINT or SIGTERM `out` is
 * left as it was.
 *
 * UserError for a file that cannot be read, is no lackey trace (of other formats it says what they
 * are) or contradicts itself, for processes that did not start one another, for programs that do
 * not fit into the guest, and if `out` cannot be written.
 */
export async function importLackey(
  files: readonly string[],
  out: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const sources = await Promise.all(files.map(examine));
  checkSet(sources);
  sources.sort((a, b) => a.pid - b.pid);
  const pids = new Set(sources.map(({ pid }) => pid));
  const root = sources.findIndex(({ parent }) => !pids.has(parent));
  rootFirst(sources, Math.max(root, 0));

  let pass = await importInOrder(sources, out, options);
  if (pass.root !== 0) {
    rootFirst(sources, pass.root);
    pass = await importInOrder(sources, out, options);
  }
  return {
    name: nameOf(pass.processes),
    out,
    inputBytes: sources.reduce((sum, { input }) => sum + input.bytes, 0),
    outputBytes: statSync(out).size,
    processes: pass.processes,
  };
}

/**
 * Imports with process 0 from the first source. If it turns out that another one is
 * the root, as `root` says, nothing is written: a parent that ended early had left
 * its child to another, and the line "Parent PID" misled.
 */
async function importInOrder(
  sources: readonly Source[],
  out: string,
  { progress = () => {}, skipStrayLines = false }: ImportOptions,
): Promise<{ root: number; processes: ImportedProcess[] }> {
  const writer = new TraceWriter(out);
  const release = abortOnSignal(writer);
  try {
    const total = sources.reduce((sum, { input }) => sum + input.bytes, 0);
    const processes: ImportedProcess[] = [];
    let before = 0;
    for (const source of sources) {
      const done = before;
      const stray = skipStrayLines ? { count: 0 } : undefined;
      const said = (bytes: number) => progress(done + bytes, total);
      processes.push(await importProcess(source, sources, writer, stray, said));
      before += source.input.bytes;
    }
    const children = new Set(processes.flatMap((process) => process.children));
    const roots = sources.filter(({ pid }) => !children.has(pid));
    if (roots.length > 1) throw unrelated(roots);
    const root = sources.indexOf(roots[0] ?? sources[0]!);
    if (root === 0) {
      writer.finish({
        name: nameOf(processes),
        sources: processes.map(({ source }) => source),
        processes: processes.map(({ index }) => index),
      });
    }
    return { root, processes };
  } finally {
    release();
    writer.abort();
  }
}

async function importProcess(
  source: Source,
  all: readonly Source[],
  writer: TraceWriter,
  stray: StrayLines | undefined,
  progress: (bytes: number) => void,
): Promise<ImportedProcess> {
  const { path } = source.input;
  const place = new Place(path);
  const process = new ProcessImport(place, {
    stream: () => writer.stream(),
    processOf: (pid) => {
      const index = all.findIndex((other) => other.pid === pid);
      return index < 0 ? NONE : index;
    },
  });
  const parser = new LineParser(process, place, stray);
  for await (const chunk of readInput(source.input, progress)) parser.push(chunk);
  parser.end();
  const index = process.finish();
  if (index.threads.every(({ counts }) => counts.slice(0, Op.Syscall).every((n) => n === 0))) {
    throw empty(path);
  }
  return { ...process.notes(), source: basename(path), index, stray: stray ?? { count: 0 } };
}

/** Without this the temporary file would outlive an interrupted import. */
export function abortOnSignal(writer: TraceWriter): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const abort = (signal: NodeJS.Signals) => {
    writer.abort();
    release();
    process.kill(process.pid, signal);
  };
  const release = () => {
    for (const signal of signals) process.removeListener(signal, abort);
  };
  for (const signal of signals) process.on(signal, abort);
  return release;
}

/** Reads the first lines for the process that the trace is of. */
async function examine(path: string): Promise<Source> {
  const input = await examineInput(path, empty);
  let bytes: Uint8Array = new Uint8Array(0);
  for await (const chunk of readInput(input, () => {})) {
    bytes = chunk.subarray(0, 1 << 16);
    break;
  }
  const foreign = foreignFormat(bytes);
  if (foreign !== undefined) throw notLackey(path, foreign);
  const head = Buffer.from(bytes).toString('latin1');
  const pid = /^(?:==(\d+)==|--(\d+)--|SYSCALL\[(\d+),)/m.exec(head);
  const parent = /^==\d+== Parent PID: (\d+)$/m.exec(head);
  return {
    input,
    pid: Number(pid?.[1] ?? pid?.[2] ?? pid?.[3] ?? 0),
    parent: Number(parent?.[1] ?? 0),
  };
}

function checkSet(sources: readonly Source[]): void {
  if (sources.length === 0) {
    throw new UserError('no trace was named. Name the lackey traces to import, one for a process.');
  }
  for (const [i, { input, pid }] of sources.entries()) {
    const twin = sources.slice(0, i).find((other) => other.pid === pid);
    if (twin === undefined) continue;
    if (pid === 0) {
      throw new UserError(
        `${twin.input.path} and ${input.path} do not say which processes they are of. ` +
          'Import them one by one, or make them again without -q.',
      );
    }
    throw new UserError(
      `${twin.input.path} and ${input.path} are both of process ${pid}. Name one trace for ` +
        'each process of one run.',
    );
  }
}

/** A file without a single access has nothing to replay. */
const empty = (path: string): UserError =>
  new UserError(
    `${path}: found no memory access in all of it, expected lines like "I  04001000,3". ` +
      `Make the trace with --trace-mem=yes: valgrind --tool=lackey ${OPTIONS} ` +
      '--log-file=NAME.%p COMMAND.',
  );

function notLackey(path: string, { what, format, line, column, found }: Foreign): UserError {
  return new UserError(
    `${path}:${line}:${column}: found ${quote(Buffer.from(found, 'latin1'))}: this is ` +
      `${what}, expected a log of Valgrind's lackey.${readBy(format)} Make one: valgrind ` +
      `--tool=lackey ${OPTIONS} --log-file=NAME.%p COMMAND.`,
  );
}

const readBy = (format: Foreign['format']): string =>
  format === undefined
    ? ''
    : ` \`umbra import ${format === 'schedule' ? 'schedule' : 'memory'}\` reads it.`;

function unrelated(roots: readonly Source[]): UserError {
  const names = roots.map(({ input, pid }) => `${input.path} (process ${pid})`).join(', ');
  return new UserError(
    'none of the traces shows who started these processes, so they are not one program: ' +
      `${names}. Import them one by one, or add the trace of the process that forked them. A ` +
      'process that ran another program began its trace anew: the children it had before are ' +
      'not in it and have to be left out.',
  );
}

function rootFirst(sources: Source[], root: number): void {
  sources.unshift(...sources.splice(root, 1));
}

/** The program is called like the command that began it. */
function nameOf(processes: readonly ImportedProcess[]): string {
  const { index, source } = processes[0]!;
  return basename(index.command.split(' ')[0] ?? '') || source.replace(/\..*$/, '');
}
