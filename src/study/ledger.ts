/**
 * The finished units of a study, an arm with a seed each: a file with a line of JSON for each unit,
 * so that an interrupted study resumes from there. A truncated line counts as not done.
 */

import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { UserError } from '../errors.ts';
import type { Arm, Measures } from './study.ts';

/** Parameters that all units of one ledger share, by name, to report a mismatch on resuming. */
export type LedgerHead = Readonly<Record<string, string | number>>;

interface Line {
  readonly unit: string;
  /** None, where it went wrong. */
  readonly measures: Measures;
  readonly wrong?: string | undefined;
}

export const unitOf = ({ experiment, levels }: Arm, seed: number): string =>
  JSON.stringify([experiment, levels, seed]);

export class StudyLedger {
  readonly #path: string | undefined;
  readonly #done = new Map<string, Line>();

  /** `path`: undefined where nothing is kept. Throws UserError for the ledger of something else. */
  constructor(path: string | undefined, head: LedgerHead) {
    this.#path = path;
    if (path === undefined) return;
    if (existsSync(path)) this.#read(path, head);
    else writeLine(path, head, writeFileSync);
  }

  /** Units that it had when it was opened, and since. */
  get size(): number {
    return this.#done.size;
  }

  get(arm: Arm, seed: number): Measures | undefined {
    return this.#done.get(unitOf(arm, seed))?.measures;
  }

  /** Its failure, in words. */
  wrong(arm: Arm, seed: number): string | undefined {
    return this.#done.get(unitOf(arm, seed))?.wrong;
  }

  record(arm: Arm, seed: number, measures: Measures, wrong?: string): void {
    const line: Line = { unit: unitOf(arm, seed), measures, wrong };
    this.#done.set(line.unit, line);
    if (this.#path !== undefined) writeLine(this.#path, line, appendFileSync);
  }

  /** It is not needed any more. */
  remove(): void {
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }

  #read(path: string, head: LedgerHead): void {
    const text = readFileSync(path, 'utf8');
    const [first, ...lines] = text.split('\n').map(parse);
    const begun = first as LedgerHead | undefined;
    for (const name of Object.keys(head)) {
      if (begun?.[name] === head[name]) continue;
      throw new UserError(
        `${path} was begun with another ${name}: found ${JSON.stringify(begun?.[name])}, ` +
          `expected ${JSON.stringify(head[name])}; go on as it was begun, or delete it`,
      );
    }
    for (const line of lines as (Line | undefined)[]) {
      if (line !== undefined) this.#done.set(line.unit, line);
    }
    // A truncated line must not run into the next one.
    if (!text.endsWith('\n')) appendFileSync(path, '\n');
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function writeLine(path: string, line: unknown, write: (path: string, text: string) => void): void {
  try {
    write(path, `${JSON.stringify(line)}\n`);
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${(error as Error).message}`);
  }
}
