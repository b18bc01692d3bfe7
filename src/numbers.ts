/** Numbers as people read them. */

/** 1,234,567 */
export const grouped = (n: number): string => n.toLocaleString('en-US');

/** 1 run, 1,234 runs */
export const counted = (n: number, what: string): string =>
  `${grouped(n)} ${what}${n === 1 ? '' : 's'}`;
