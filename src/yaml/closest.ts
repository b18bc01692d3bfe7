/** The name that was probably meant. */

/**
 * Edits that a typing mistake may be, of a name of that length; two letters in disorder are two.
 */
const most = (name: string): number =>
  name.length <= 3 ? 1 : Math.max(2, Math.floor(name.length / 3));

/** The known name nearest to one that is not known; undefined when none is near. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({
      candidate,
      edits: distance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ candidate, edits }) => edits <= most(candidate))
    .toSorted((a, b) => a.edits - b.edits);
  return ranked[0]?.candidate;
}

/** `; did you mean …?`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const candidate = closest(name, known);
  return candidate === undefined ? '' : `; did you mean ${candidate}?`;
}

/** Letters to insert, remove or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
