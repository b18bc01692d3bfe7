/** Results on their way to a person: part by part, each as soon as it is there. */

import { clearLine } from '../src/commands/terminal.ts';
import type { Benchmark, LineResult, MemoryResult, SweepResult } from '../src/report/benchmark.ts';
import { type CompareOptions, compareLine } from '../src/report/benchmark-comparison.ts';
import { formatMemory } from './growth/memory-text.ts';
import type { Listener } from './measure-suite.ts';
import { changeText, describe, formatLine, formatSweep, heading } from './report.ts';

/** An earlier run, and how this one is compared with it. */
export interface Since extends CompareOptions {
  readonly baseline: Benchmark;
}

export class Screen implements Listener {
  readonly #stream: NodeJS.WritableStream;
  readonly #since: Since | undefined;
  #part = '';

  constructor(stream: NodeJS.WritableStream, since: Since | undefined) {
    this.#stream = stream;
    this.#since = since;
  }

  print(text: string): void {
    clearLine();
    this.#stream.write(text);
  }

  begin(where: Parameters<Listener['begin']>[0]): void {
    this.print(describe(where));
  }

  line(result: LineResult): void {
    if (this.#part === '') this.print(`\n${heading()}\n`);
    this.#head(result.part);
    this.print(`${formatLine(result)}${this.#change(result)}`);
  }

  sweep(result: SweepResult): void {
    this.#head('growth: cost by size');
    this.print(`${formatSweep(result)}\n`);
  }

  memory(result: MemoryResult): void {
    this.#head('memory');
    this.print(formatMemory(result));
  }

  #head(part: string): void {
    if (part !== this.#part) this.print(`\n${part}\n`);
    this.#part = part;
  }

  #change(result: LineResult): string {
    if (this.#since === undefined) return '';
    const before = this.#since.baseline.lines.find(({ name }) => name === result.name);
    const comparison = before && compareLine(before, result, this.#since);
    return comparison === undefined ? '    not in the earlier run\n' : changeText(comparison);
  }
}
