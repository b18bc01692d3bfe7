/**
 * A YAML file of the user's, read: what it says, or all that is wrong with it by line and column.
 */

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Scalar,
  visit,
} from 'yaml';
import { UserError } from '../errors.ts';
import type { Mistake, Path } from './mistakes.ts';

export interface Validated<T> {
  /** What the file says; nothing when it says nothing that can be used. */
  readonly valid?: T | undefined;
  readonly mistakes: readonly Mistake[];
}

/** Of text. A longer one is something else, and parsing it may take hours. */
const MOST = 1 << 20;

/**
 * What a text says, checked by `validate`. `path` is where it is from, and `what` is what it
 * should be. Throws UserError with every mistake, one a line, in the order of the text.
 */
export function parseYaml<T>(
  text: string,
  path: string,
  what: string,
  validate: (value: unknown) => Validated<T>,
): T {
  if (text.length > MOST) {
    const size = `${(text.length / MOST).toFixed(1)} MiB of text`;
    throw new UserError(`${path}:1:1: found ${size}, expected ${what}, of at most 1 MiB`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  // What a tag means that nobody knows is only warned of.
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    const said = wrong.map(({ message, pos }) => {
      const problem = message.split(/ at line \d+|\n/)[0]!;
      return `${at(pos[0])}: found text that is not YAML (${problem}), expected ${what}`;
    });
    throw new UserError(said.join('\n'));
  }
  let value: unknown;
  try {
    // Aliases of nothing, and those that multiply without end, are refused here.
    value = document.toJS();
  } catch (error) {
    const place = at(aliasOf(document));
    throw new UserError(`${place}: found ${(error as Error).message}, expected ${what}`);
  }
  const { valid, mistakes } = validate(value);
  if (valid === undefined || mistakes.length > 0) {
    const said = mistakes
      .map((mistake) => ({ offset: offsetOf(document.contents, mistake), mistake }))
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ offset, mistake }) => `${at(offset)}: ${mistake.text}`);
    throw new UserError(said.join('\n'));
  }
  return valid;
}

/** Where the first alias is that is one of nothing; else the last of all, which has most in it. */
function aliasOf(document: Document.Parsed): number {
  let last = 0;
  visit(document, {
    Alias(_, node) {
      last = node.range?.[0] ?? 0;
      return node.resolve(document) === undefined ? visit.BREAK : undefined;
    },
  });
  return last;
}

/** Where in the text a mistake is; for what is not there, where it should be in. */
function offsetOf(contents: unknown, { path, atKey, column }: Mistake): number {
  if (atKey) {
    const pair = pairAt(nodeAt(contents, path.slice(0, -1)), path.at(-1)!);
    if (pair && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
  }
  for (let length = path.length; length >= 0; length--) {
    const node = nodeAt(contents, path.slice(0, length));
    const range = (node as { readonly range?: readonly number[] } | null | undefined)?.range;
    if (range?.[0] === undefined) continue;
    return length === path.length ? range[0] + columnIn(node, column) : range[0];
  }
  return 0;
}

/** Where a column of a text begins; of one over several lines only the beginning is known. */
function columnIn(node: unknown, column: number | undefined): number {
  if (column === undefined || !isScalar(node)) return 0;
  const quoted = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE;
  if (!quoted && node.type !== Scalar.PLAIN) return 0;
  return quoted ? column + 1 : column;
}

/** Keys are compared as JavaScript has them: a number by its decimal digits. */
const pairAt = (node: unknown, step: string | number) =>
  isMap(node)
    ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
    : undefined;

function nodeAt(contents: unknown, path: Path): unknown {
  let node = contents;
  for (const step of path) {
    node = isSeq(node) ? node.items[Number(step)] : pairAt(node, step)?.value;
  }
  return node;
}
