/** The machine after each step of a run, stored as changes from one step to the next. */

import { foldRows, type Section } from '../inspection.ts';
import type { LineData, MachineData, Splice } from './data.ts';

export class MachineLog {
  readonly #sections: MachineData['sections'][number][] = [];
  readonly #sectionNumbers = new Map<string, number>();
  readonly #lines: LineData[] = [];
  readonly #lineNumbers = new Map<string, number>();
  readonly #changes: Splice[][] = [];
  #first: readonly number[] | undefined;
  #last: readonly number[] = [];

  /** After the next step. */
  add(sections: readonly Section[]): void {
    const now = sections.flatMap((section) => this.#numbersOf(section));
    this.#changes.push(this.#first === undefined ? [] : this.#splices(this.#last, now));
    this.#first ??= now;
    this.#last = now;
  }

  get data(): MachineData {
    return {
      sections: this.#sections,
      lines: this.#lines,
      first: this.#first ?? [],
      changes: this.#changes,
    };
  }

  #numbersOf({ title, view, lines }: Section): number[] {
    let section = this.#sectionNumbers.get(title);
    if (section === undefined) {
      section = this.#sections.push([title, view]) - 1;
      this.#sectionNumbers.set(title, section);
    }
    return [
      this.#number([section, '', 0, title]),
      ...foldRows(lines).map(({ key, depth, text }) => this.#number([section, key, depth, text])),
    ];
  }

  #number(line: LineData): number {
    const name = line.join('\n');
    const known = this.#lineNumbers.get(name);
    if (known !== undefined) return known;
    const number = this.#lines.push(line) - 1;
    this.#lineNumbers.set(name, number);
    return number;
  }

  #keyOf(number: number): string {
    const [section, key] = this.#lines[number]!;
    return `${section} ${key}`;
  }

  /** Lines of one key keep their order, so that keys alone say which are gone and which are new. */
  #splices(before: readonly number[], now: readonly number[]): Splice[] {
    const splices: Splice[] = [];
    const [keysBefore, keysNow] = [before, now].map(
      (lines) => new Set(lines.map((line) => this.#keyOf(line))),
    ) as [Set<string>, Set<string>];
    let [i, j] = [0, 0];
    while (i < before.length || j < now.length) {
      const [at, inserted] = [i, [] as number[]];
      while (i < before.length || j < now.length) {
        if (before[i] !== undefined && before[i] === now[j]) break;
        const isGone = i < before.length && !keysNow.has(this.#keyOf(before[i]!));
        const isNew = j < now.length && !keysBefore.has(this.#keyOf(now[j]!));
        // A line that is there before and after, changed or out of order: the one for the other.
        if (isGone || !isNew) i += i < before.length ? 1 : 0;
        if (isNew || !isGone) {
          if (j < now.length) inserted.push(now[j++]!);
        }
      }
      if (i > at || inserted.length > 0) splices.push([at, i - at, ...inserted]);
      else {
        i++;
        j++;
      }
    }
    return splices;
  }
}
