/** Which events a trace shows: globs over their categories. */

import { matchesGlob } from 'node:path';
import { CATEGORIES, type Category } from './timeline.ts';

/** Groups of the categories, for messages: `fault`, `hypercall`, … */
const GROUPS = [...new Set(CATEGORIES.map((category) => category.split('/')[0]!))];

/**
 * Categories that one of these globs matches; a group's name alone stands for all of it. Events
 * that were lost are always shown. Throws RangeError for a glob that matches none.
 */
export function selection(globs: readonly string[]): (category: Category) => boolean {
  const selected = new Set<Category>(['lost']);
  for (const glob of globs) {
    const matching = CATEGORIES.filter(
      (category) => matchesGlob(category, glob) || category.startsWith(`${glob}/`),
    );
    if (matching.length === 0) {
      throw new RangeError(
        `'${glob}' matches no event; there are ${GROUPS.join(', ')}, and parts of them such as ` +
          'fault/fixed, hypercall/SET_PTE or counter/*',
      );
    }
    for (const category of matching) selected.add(category);
  }
  return (category) => selected.has(category);
}
