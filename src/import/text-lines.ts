/** A text, line by line, without ever being in memory as a whole. */

import type { Place } from './lines.ts';

/** LIMIT: characters of one line. */
const MOST_LINE = 1 << 16;

/** Hands on each line without its end, with `place` at it. */
export class LineSplitter {
  readonly #place: Place;
  readonly #take: (line: string) => boolean;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #isDone = false;

  /** `take` says whether to go on. */
  constructor(place: Place, take: (line: string) => boolean) {
    this.#place = place;
    this.#take = take;
  }

  /** UserError if a line is too long. */
  push(chunk: Uint8Array): void {
    if (this.#isDone) return;
    const place = this.#place;
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) {
      place.line++;
      this.#isDone = !this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (this.#isDone) return;
    }
    if (this.#rest.length > MOST_LINE) {
      place.line++;
      throw place.error(`found more than ${MOST_LINE} characters, expected the end of the line`);
    }
  }

  /** UserError if the last line does not end: the file was cut short. */
  end(): void {
    const rest = this.#rest;
    if (rest === '' || this.#isDone) return;
    const place = this.#place;
    place.line++;
    throw place.error(
      `found ${shown(rest)} and then nothing, expected the end of the line. The file was ` +
        `cut short: copy or make it again, or leave this line out: head -n ${place.line - 1}.`,
      rest.length + 1,
    );
  }
}

/** The text found, shortened, with unprintable characters escaped. */
export const shown = (text: string): string =>
  text === ''
    ? 'the end of the line'
    : JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
