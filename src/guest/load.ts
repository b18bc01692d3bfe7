/** Programs by name: every worker loads its own, and all get the same. */

import { UserError } from '../errors.ts';
import type { KernelThread, Program } from './program.ts';
import { builtinPrograms } from './programs.ts';
import { openProgram } from './traces/reader.ts';
import { makeWorkload, type WorkloadSpec } from './workloads/catalogue.ts';

/** A trace file, a program written by hand, or one made from a seed. Travels by postMessage. */
export type ProgramSource = (
  | { readonly kind: 'trace'; readonly path: string }
  | { readonly kind: 'builtin'; readonly name: string }
  | ({ readonly kind: 'workload' } & WorkloadSpec)
) & {
  /** In the place of its own. */
  readonly kernelThreads?: readonly KernelThread[];
};

/** Those of a machine's guests: what is the same is loaded once. Throws as loadProgram does. */
export function loadPrograms(sources: readonly ProgramSource[]): readonly Program[] {
  const loaded = new Map<string, Program>();
  return sources.map((source) => {
    const key = JSON.stringify(source);
    const program = loaded.get(key) ?? loadProgram(source);
    loaded.set(key, program);
    return program;
  });
}

/** Throws UserError when there is no such program, or the file is not a trace. */
export function loadProgram(source: ProgramSource): Program {
  const program = load(source);
  const { kernelThreads } = source;
  return kernelThreads === undefined ? program : Object.assign(program, { kernelThreads });
}

/** Whether kernel threads beside it have windows above all memory. */
export function hasWindows(source: ProgramSource): boolean {
  const ofTrace = source.kind === 'trace' ? [] : undefined;
  const threads = source.kernelThreads ?? ofTrace ?? load(source).kernelThreads ?? [];
  return threads.some(({ work }) => work === 'windows');
}

function load(source: ProgramSource): Program {
  if (source.kind === 'trace') return openProgram(source.path);
  if (source.kind === 'workload') return makeWorkload(source);
  const make = builtinPrograms[source.name];
  if (make === undefined) {
    throw new UserError(
      `there is no program '${source.name}'; those that come with umbra are ` +
        `${Object.keys(builtinPrograms).join(', ')}, any other is a trace file`,
    );
  }
  return make();
}

/** A program's properties, known before it runs. */
export interface ProgramFacts {
  /** The command line of its first process. */
  readonly command: string;
  /** As Program.accesses. */
  readonly accesses: number | undefined;
}

export const factsOf = ({ name, processes, accesses }: Program): ProgramFacts => ({
  command: processes[0]?.command ?? name,
  accesses,
});
