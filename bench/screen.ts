/** Results on their way to a person: part by part, each as soon as it is there. */

import { clearLine } from '../src/commands/terminal.ts';
import type { Failure, LineResult, MemoryResult, SweepResult } from '../src/report/benchmark.ts';
import type { LineComparison } from '../src/report/benchmark-comparison.ts';
import { formatMemory } from './growth/memory-text.ts';
import type { Listener } from './measure-suite.ts';
import { changeText, describe, formatLine, formatSweep, HEADING } from './report.ts';

/** How a line compares with what it is held against; undefined where that has none to compare. */
export type Compared = (result: LineResult) => LineComparison | undefined;

export class Screen implements Listener {
  readonly #stream: NodeJS.WritableStream;
  readonly #compared: Compared | undefined;
  #part = '';

  constructor(stream: NodeJS.WritableStream, compared?: Compared) {
    this.#stream = stream;
    this.#compared = compared;
  }

  print(text: string): void {
    clearLine();
    this.#stream.write(text);
  }

  begin(where: Parameters<Listener['begin']>[0]): void {
    this.print(describe(where));
  }

  line(result: LineResult): void {
    if (this.#part === '') this.print(`\n${HEADING}\n`);
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

  failed({ name, reason }: Failure): void {
    this.print(`  ${name}: could not be measured: ${reason}\n`);
  }

  #head(part: string): void {
    if (part !== this.#part) this.print(`\n${part}\n`);
    this.#part = part;
  }

  #change(result: LineResult): string {
    if (this.#compared === undefined) return '';
    const comparison = this.#compared(result);
    return comparison === undefined ? '    not in the earlier run\n' : changeText(comparison);
  }
}
