/**
 * The yardstick (main.c says what it is): compiled when it is first asked for, for one form of
 * paging and with or without the defects, as a kernel is, and kept under a digest of its sources.
 * One process for each side, which measures itself.
 */

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../../src/files.ts';
import { median } from '../../src/report/statistics.ts';
import type { Batch, Side } from '../pair.ts';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/umbra/', import.meta.url));
const COMPILER = 'cc';
const FLAGS = ['-O2', '-std=c11', '-pthread'];

const SHORTEST_BATCH_NS = 1_000_000;

/** `name=value` for the yardstick. */
export type Options = Readonly<Record<string, string | number>>;

/** Why there are no native sides, in a line; undefined when there are. */
export function noYardstick(): string | undefined {
  return compilerVersion() === undefined
    ? `no native sides: there is no C compiler (${COMPILER}) on this machine`
    : undefined;
}

/**
 * The same work in C, as a side of a line; undefined where there is no compiler. `input`:
 * what the work reads before it begins.
 */
export function nativeSide(work: string, options: Options, input = ''): Side | undefined {
  if (compilerVersion() === undefined) return undefined;
  const yardstick = new Yardstick(work, options, input);
  let times = 1;
  return {
    name: 'in C',
    batch: async () => {
      const batch = (await yardstick.measure([times]))[0]!;
      if (batch.ns < SHORTEST_BATCH_NS) times *= 2;
      return batch;
    },
    end: () => yardstick.end(),
  };
}

/** The same for a work with something to prepare: the middle one of so many measurements. */
export function preparedNativeSide(
  work: string,
  options: Options,
  measurements: number,
): Side | undefined {
  if (compilerVersion() === undefined) return undefined;
  const yardstick = new Yardstick(work, options);
  const once = Array.from({ length: measurements }, () => 1);
  return {
    name: 'in C',
    batch: async () => {
      const parts = await yardstick.measure(once);
      return { count: parts[0]!.count, ns: median(parts.map(({ ns }) => ns)) };
    },
    end: () => yardstick.end(),
  };
}

export interface Measurement extends Batch {
  /** What its loops computed. */
  readonly sum: number;
}

/** A work that was begun in a process of its own. */
export class Yardstick {
  readonly #process;
  readonly #answers;

  constructor(work: string, options: Options, input = '') {
    const args = Object.entries(options).map(([name, value]) => `${name}=${value}`);
    this.#process = spawn(compiled(options), [work, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // Not awaited: it ends with this thread, which closes its stdin.
    this.#process.unref();
    this.#process.stdin.write(input);
    this.#answers = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  /** One measurement for each number, which says how often the work is done in it. */
  async measure(times: readonly number[]): Promise<Measurement[]> {
    this.#process.stdin.write(times.map((n) => `${n}\n`).join(''));
    const batches: Measurement[] = [];
    for (const _ of times) batches.push(await this.#answer());
    return batches;
  }

  /** Of `script`: what each of these operations returns. */
  async apply(operations: readonly string[]): Promise<number[]> {
    this.#process.stdin.write(operations.map((one) => `${one}\n`).join(''));
    const results: number[] = [];
    for (const _ of operations) results.push((await this.#answer()).count);
    return results;
  }

  /** All of its machine's memory, into a file. */
  async dump(path: string): Promise<void> {
    this.#process.stdin.write(`dump ${path}\n`);
    await this.#answer();
  }

  async #answer(): Promise<Measurement> {
    const answer = await this.#answers.next();
    if (answer.done) throw new Error('the yardstick has ended, and said why above');
    const [count, ns, sum] = answer.value.split(' ').map(Number);
    return { count: count!, ns: ns!, sum: sum! };
  }

  /** Resolves when it is gone. */
  async end(): Promise<void> {
    this.#process.ref();
    const gone = once(this.#process, 'exit');
    this.#process.stdin.end();
    await gone;
  }
}

let version: string | undefined | null = null;

function compilerVersion(): string | undefined {
  if (version === null) version = askVersion();
  return version;
}

function askVersion(): string | undefined {
  try {
    return execFileSync(COMPILER, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return undefined;
  }
}

/** What is chosen when it is compiled. */
const choices = ({ paging, discipline = 'as-written' }: Options): string[] => [
  `-DPAE=${paging === 'pae' ? 1 : 0}`,
  `-DREPAIRED=${discipline === 'as-written' ? 0 : 1}`,
];

/** The program's path. A mistake in its sources is an error with the compiler's own words. */
function compiled(options: Options): string {
  const flags = [...FLAGS, ...choices(options)];
  const names = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
  const digest = createHash('sha256').update(`${compilerVersion()}${flags}`);
  for (const name of names.toSorted()) digest.update(name).update(readFileSync(SOURCES + name));
  const path = `${CACHE}yardstick-${digest.digest('hex').slice(0, 16)}`;
  if (existsSync(path)) return path;
  makeFolder(CACHE);
  // Under another name first: several may be at it at the same time.
  const made = `${path}.${process.pid}-${performance.now()}`;
  const units = names.filter((name) => name.endsWith('.c'));
  execFileSync(COMPILER, [...flags, ...units, '-o', made], { cwd: SOURCES });
  renameSync(made, path);
  return path;
}
