/** `--trace FILE`: a trace of the host CPUs, for other tools. */

import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { Host } from '../../shared/host.ts';
import { UserError } from '../errors.ts';
import type { MachineSpec } from '../machine.ts';
import { counted, grouped } from '../numbers.ts';
import type { TraceRecorder } from '../trace/recorder.ts';
import { selection } from '../trace/select.ts';
import type { Category } from '../trace/timeline.ts';
import { opensTrace, writeTrace } from '../trace/trace-file.ts';
import { group, type None, type OptionsOf } from './options.ts';
import { outputFile } from './output-file.ts';

interface TraceOptions {
  readonly path: string;
  readonly wants: (category: Category) => boolean;
}

/** For JSON, and for people. */
export interface Traced {
  readonly file: string;
  readonly events: number;
  /** Events that came faster than they were read, of all host CPUs. */
  readonly lost: number;
}

export const withTrace = group((command) =>
  command
    .option(
      '--trace <file>',
      'write what the host CPUs did: FILE.dat for trace-cmd and KernelShark, FILE.data for perf, ' +
        'FILE.txt as text of ftrace, any other for ui.perfetto.dev',
    )
    .addOption(
      new Option(
        '--trace-events <globs>',
        'only these, with commas between them: run, fault/*, hypercall/SET_*, shootdown, ' +
          'migration, …',
      ).argParser(parseGlobs),
    ),
);

function parseGlobs(text: string): (category: Category) => boolean {
  try {
    return selection(text.split(',').map((glob) => glob.trim()));
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

export function traceOptions({
  trace,
  traceEvents,
}: OptionsOf<typeof withTrace<[], None, None>>): TraceOptions | undefined {
  if (trace !== undefined) return { path: trace, wants: traceEvents ?? (() => true) };
  if (traceEvents === undefined) return undefined;
  throw new UserError('--trace-events is about a trace, and none is asked for: add --trace FILE');
}

/** Where the trace of a machine goes, asked for before it is booted. */
export function traceOutput({ path, wants }: TraceOptions, spec: MachineSpec) {
  outputFile(path, 'trace', 'give --trace a file in a folder that exists');
  const guests = spec.guests.map(({ name }) => name);
  /** After the machine and its recorder have stopped. */
  return (host: Host, recorder: TraceRecorder): Traced => {
    try {
      writeTrace(path, { host, guests, recorder, wants });
    } catch (error) {
      throw new UserError(`${path}: the trace cannot be written (${(error as Error).message})`);
    }
    const lost = recorder.lost.reduce((a, b) => a + b, 0);
    return { file: path, events: recorder.count, lost };
  };
}

export function formatTraced({ file, events, lost }: Traced): string {
  const missing =
    lost === 0 ? 'none lost' : `${grouped(lost)} LOST (fewer host CPUs or guests lose none)`;
  return `\n${file}: ${counted(events, 'event')}, ${missing}; ` + `${opensTrace(file)}\n`;
}
