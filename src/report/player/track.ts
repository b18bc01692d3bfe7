/** A schedule read back from its data: its steps in words, and the machine after any of them. */

import type { Flag, Part } from '../story.ts';
import type { LineData, MarkData, PlaceData, StepData, Text, TrackData } from './data.ts';

export interface StepView {
  readonly number: number;
  readonly hostCpu: number;
  readonly vcpu: number;
  readonly part: Part;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly does: string;
  readonly place: string;
  readonly before: string;
  readonly after: string | undefined;
  readonly locks: string;
}

/** A line of the machine, and its change by the step. */
export interface MachineLine {
  readonly section: number;
  readonly key: string;
  readonly depth: number;
  readonly text: string;
  /** By this step: new, gone by now, or changed from another text. */
  readonly change?: 'new' | 'gone' | { readonly from: string };
}

/** Steps from one kept state to the next, from which others are made. */
const STRIDE = 32;

export class Track {
  readonly data: TrackData;
  /** The steps that are flagged. */
  readonly flags: ReadonlyMap<Flag, number>;
  /** Numbers of the steps that the story tells, in order. */
  readonly told: readonly number[];
  readonly #kept: (readonly number[])[] = [];
  /** Of each host CPU the numbers of its steps, in order. */
  readonly #byCpu: number[][];
  readonly #marks: ReadonlyMap<number, readonly MarkData[]>;

  constructor(data: TrackData) {
    this.data = data;
    const told = data.story.lines.flatMap((line) => (line.kind === 'step' ? [line] : []));
    this.told = told.map(({ step }) => step);
    this.flags = new Map(told.flatMap(({ step, flags }) => flags.map((flag) => [flag, step])));
    this.#marks = Map.groupBy(data.marks, ([step]) => step);
    this.#byCpu = data.story.columns.map(() => []);
    for (const [number, [hostCpu]] of data.steps.entries()) this.#byCpu[hostCpu]!.push(number);
    let lines = [...data.machine.first];
    for (let step = 0; step < data.steps.length; step++) {
      if (step > 0) lines = this.#after(lines, step);
      if (step % STRIDE === 0) this.#kept.push(lines);
    }
  }

  get length(): number {
    return this.data.steps.length;
  }

  step(number: number): StepView {
    const [hostCpu, vcpu, where, does, place, before, after, locks] = this.#row(number);
    const [part, name, file, line] = this.data.places[where] as PlaceData;
    const text = (at: Text): string => this.data.texts[at]!;
    return {
      number,
      hostCpu,
      vcpu,
      part,
      name,
      file,
      line,
      does: text(does),
      place: text(place),
      before: text(before),
      after: after < 0 ? undefined : text(after),
      locks: locks < 0 ? '' : text(locks),
    };
  }

  /** The last step of a host CPU up to `number`; undefined if there was none. */
  lastOf(hostCpu: number, number: number): number | undefined {
    return this.#byCpu[hostCpu]!.findLast((step) => step <= number);
  }

  /** Events on a step's CPU between its last step and this one. */
  marksBefore(number: number): string[] {
    return (this.#marks.get(number) ?? []).flatMap(([, kind, text]) =>
      kind === 'operation' ? [] : [this.data.texts[text]!],
    );
  }

  /** The operation that a vCPU has begun last, up to a step; '' if it has begun none. */
  operationOf(vcpu: number, number: number): string {
    const begun = this.data.marks.findLast(
      ([step, kind]) => kind === 'operation' && step <= number && this.#row(step)[1] === vcpu,
    );
    return begun === undefined ? '' : this.data.texts[begun[2]]!;
  }

  /** After a step: numbers of lines. */
  #linesAfter(number: number): readonly number[] {
    const from = Math.floor(number / STRIDE);
    let lines = this.#kept[from]!;
    for (let step = from * STRIDE + 1; step <= number; step++) lines = this.#after(lines, step);
    return lines;
  }

  /** From the lines before a step those after it. */
  #after(before: readonly number[], step: number): number[] {
    const lines = [...before];
    for (const [at, removed, ...inserted] of this.data.machine.changes[step]!.toReversed()) {
      lines.splice(at, removed, ...inserted);
    }
    return lines;
  }

  /** The machine just after a step, with removed lines in their place. */
  machine(number: number): MachineLine[] {
    if (number === 0) return this.#linesAfter(0).map((line) => this.#view(line));
    const before = this.#linesAfter(number - 1);
    const views: MachineLine[] = [];
    let next = 0;
    for (const [at, removed, ...inserted] of this.data.machine.changes[number]!) {
      views.push(...before.slice(next, at).map((line) => this.#view(line)));
      views.push(...this.#changed(before.slice(at, at + removed), inserted));
      next = at + removed;
    }
    return [...views, ...before.slice(next).map((line) => this.#view(line))];
  }

  /** Lines of one key, before and after, are one that has changed. */
  #changed(removed: readonly number[], inserted: readonly number[]): MachineLine[] {
    const [was, is] = [removed, inserted].map((lines) => lines.map((line) => this.#view(line)));
    const same = (a: MachineLine) => (b: MachineLine) => a.section === b.section && a.key === b.key;
    const views: MachineLine[] = [];
    let gone = 0;
    for (const line of is!) {
      const before = was!.findIndex(same(line));
      if (before < 0) {
        views.push({ ...line, change: 'new' });
        continue;
      }
      for (; gone < before; gone++) {
        if (!is!.some(same(was![gone]!))) views.push({ ...was![gone]!, change: 'gone' });
      }
      const from = was![before]!.text;
      views.push(from === line.text ? line : { ...line, change: { from } });
      gone = Math.max(gone, before + 1);
    }
    for (; gone < was!.length; gone++) {
      if (!is!.some(same(was![gone]!))) views.push({ ...was![gone]!, change: 'gone' });
    }
    return views;
  }

  #view(number: number): MachineLine {
    const [section, key, depth, text] = this.data.machine.lines[number] as LineData;
    return { section, key, depth, text };
  }

  #row(number: number): StepData {
    return this.data.steps[number]!;
  }
}
