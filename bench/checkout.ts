/**
 * Another checkout of umbra, and lines of which a side is its code: runs one after the other differ
 * by what the machine does meanwhile; batches in turns tell one or two per cent.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describeProject } from '../src/commands/project.ts';
import { UserError } from '../src/errors.ts';
import type { Benchmark } from '../src/report/benchmark.ts';
import { type CpuLoad, measure, type Taken } from './measure.ts';
import type { Batch, Line, Side } from './pair.ts';
import type { PARTS } from './parts.ts';
import type { LineData } from './ready-side.ts';
import type { Selection } from './selection.ts';

type Parts = typeof PARTS;

const HERE = fileURLToPath(new URL('..', import.meta.url));
const PARTS_FILE = 'bench/parts.ts';

/** The lines of a checkout, part by part, as it stands in `root`, with its own dependencies. */
export const partsOf = async (root: string): Promise<Parts> =>
  ((await import(pathToFileURL(join(root, PARTS_FILE)).href)) as { PARTS: Parts }).PARTS;

/** The compared sides. */
export interface Against {
  readonly root: string;
  readonly result: NonNullable<Benchmark['against']>;
  /** Lines that both have, in the same unit. */
  readonly selection: Selection;
}

/** Throws UserError where `folder` is no checkout, cannot be loaded, or has none of these lines. */
export async function checkout(folder: string, { parts }: Selection): Promise<Against> {
  const root = resolve(folder);
  if (!existsSync(join(root, PARTS_FILE))) {
    throw new UserError(`--against ${folder}: no checkout of umbra is there (no ${PARTS_FILE})`);
  }
  const only_here: string[] = [];
  const common: Selection['parts'][number][] = [];
  for (const { name, lines } of parts) {
    const there = await linesThere(folder, root, name);
    const isThere = ({ name, unit }: Line): boolean =>
      there.some((other) => other.name === name && other.unit === unit);
    // Goals and C are of other questions.
    const both = lines.filter(isThere).map(({ goal, native, ...line }) => line);
    if (both.length > 0) common.push({ name, lines: both });
    only_here.push(...lines.filter((line) => !isThere(line)).map((line) => line.name));
  }
  if (common.length === 0) {
    throw new UserError(`--against ${folder}: it has none of the lines that are to be measured`);
  }
  return {
    root,
    result: { ...describeProject(root), only_here },
    selection: { parts: common, sweeps: [], memory: false },
  };
}

async function linesThere(folder: string, root: string, part: string): Promise<readonly Line[]> {
  try {
    return (await (await partsOf(root))[part as keyof Parts]?.()) ?? [];
  } catch (error) {
    const { message } = error as Error;
    throw new UserError(
      `--against ${folder}: its benchmark cannot be loaded (was npm ci run there?): ${message}`,
    );
  }
}

/** Both sides of a line alike: a process each, in the folder of its checkout. */
export async function measureAgainst(
  line: Line,
  data: LineData,
  { root, result }: Against,
  signal: AbortSignal,
): Promise<Taken> {
  const there = result.commit ?? root;
  using sides = new DisposableStack();
  const [measured, baseline] = await Promise.all(
    [HERE, root].map(async (at) => {
      const side = sides.use(new SideOfCheckout(there, at, data, signal));
      await side.ready;
      return side;
    }),
  );
  return await measure(line, measured!, baseline!);
}

/** The messages that `checkout-side.ts` handles. */
export interface Answers {
  batch: Batch;
  forget: null;
  load: CpuLoad;
}

class SideOfCheckout implements Side {
  readonly name: string;
  readonly ready: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;

  constructor(name: string, root: string, data: LineData, signal: AbortSignal) {
    this.name = name;
    const script = fileURLToPath(new URL('./checkout-side.ts', import.meta.url));
    this.#child = fork(script, [root, JSON.stringify(data)], { cwd: root });
    const ended = new AbortController();
    this.#child.once('exit', (code, killed) =>
      ended.abort(new Error(`'${data.name}' of ${root} ended: ${killed ?? code}`)),
    );
    this.#signal = AbortSignal.any([signal, ended.signal]);
    this.ready = this.#message();
  }

  readonly batch = (): Promise<Batch> => this.#ask('batch');
  readonly forget = (): Promise<null> => this.#ask('forget');
  readonly load = (): Promise<CpuLoad> => this.#ask('load');

  async #ask<What extends keyof Answers>(what: What): Promise<Answers[What]> {
    const answer = this.#message();
    this.#child.send(what);
    return (await answer) as Answers[What];
  }

  async #message(): Promise<unknown> {
    try {
      return (await once(this.#child, 'message', { signal: this.#signal }))[0];
    } catch (error) {
      throw this.#signal.reason ?? error;
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
