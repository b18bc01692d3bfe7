/**
 * What programs read and write. Traces carry addresses but no data, so the data is made:
 * docs/decisions/data-of-traces.md.
 */

export const LOAD_FACTOR = 0x9e37_79b1;
export const STORE_FACTOR = 0x85eb_ca6b;

/** What edi becomes when a thread reads `value`. */
export const afterLoad = (state: number, value: number): number =>
  Math.imul(state ^ value, LOAD_FACTOR);

/** The value that a thread in `state` stores at `position`. */
export const storedValue = (state: number, position: number): number =>
  Math.imul((state + position) | 0, STORE_FACTOR) ^ position;
