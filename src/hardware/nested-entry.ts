/**
 * Entries of the host's table in nested paging (SDM 3C 29.3.2): four levels of 512 entries,
 * each of two words, the high one always 0 since frame numbers fit the low half.
 */

import type { Gpfn } from './address.ts';

export const NESTED_READ = 1;
export const NESTED_WRITE = 2;
export const NESTED_EXECUTE = 4;
export const NESTED_ALL = NESTED_READ | NESTED_WRITE | NESTED_EXECUTE;

export const NESTED_ENTRIES = 512;

/** How many bits of a guest page's number are below each level's index, from the top. */
export const NESTED_SHIFTS = [27, 18, 9, 0] as const;

export const nestedIndex = (page: Gpfn, shift: number): number =>
  (page >>> shift) & (NESTED_ENTRIES - 1);
