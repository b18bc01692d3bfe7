import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openProgram, type TraceProgram } from '../../src/guest/traces/reader.ts';
import { type ImportOptions, type ImportReport, importLackey } from '../../src/import/import.ts';
import { inDirectory } from '../guest/traces/helpers.ts';

/** Lackey's output before the first access. */
export function banner(pid: number, command = './test', parent = 1): string {
  return [
    `==${pid}== Lackey, an example Valgrind tool`,
    `==${pid}== Command: ${command}`,
    `==${pid}== Parent PID: ${parent}`,
    `==${pid}== `,
    '',
  ].join('\n');
}

/** SCHED lines for thread `tid` getting the lock; a new thread has another reason. */
export function acquired(pid: number, tid: number, reason = 'VG_(client_syscall)[async]'): string {
  return `--${pid}--   SCHED[${tid}]:  acquired lock (${reason})\n`;
}

export const STARTS = 'thread_wrapper(starting new thread)';

/** Imports traces given as text or bytes by file name, and opens the result for `look`. */
export async function imported<T>(
  traces: Readonly<Record<string, string | Uint8Array>>,
  look: (program: TraceProgram, report: ImportReport) => T,
  options: ImportOptions = {},
): Promise<T> {
  return await inDirectory(async (directory) => {
    const files = Object.entries(traces).map(([name, contents]) => {
      writeFileSync(join(directory, name), contents);
      return join(directory, name);
    });
    const out = join(directory, 'out.umbra');
    const report = await importLackey(files, out, options);
    const program = openProgram(out);
    try {
      return look(program, report);
    } finally {
      program.close();
    }
  });
}

/** The message of the error that the import of one trace, named `t`, ends in. */
export async function complaint(
  traces: string | Uint8Array | Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const set = typeof traces === 'string' || traces instanceof Uint8Array ? { t: traces } : traces;
  return complaintOfImport(imported(set, () => undefined));
}

/** The message of the UserError that an import ends in, without the folder of `inDirectory`. */
export async function complaintOfImport(importing: Promise<unknown>): Promise<string> {
  try {
    await importing;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'UserError') return message.replace(/[^ ]*\/umbra-traces-\w+\//g, '');
    throw error;
  }
  throw new Error('the import succeeded');
}
