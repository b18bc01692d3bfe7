/**
 * How fast this core is just now: the time of a fixed piece of work, the same in every
 * version of umbra, which uses nothing of it. Where two runs are compared and there is no
 * yardstick in C, figures are held against it.
 *
 * It is arithmetic and memory of the second cache, in equal parts, since both are what
 * others on the machine take away. CHANGE NOTHING HERE: earlier runs would mean another pace.
 */

const WORDS = 1 << 14;
const STEPS = 1 << 16;

const words = new Int32Array(WORDS);

/** Nanoseconds for some 65,000 steps. */
export function paceNs(): number {
  const start = performance.now();
  let x = 0x2545_f491;
  for (let i = 0; i < STEPS; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const at = x & (WORDS - 1);
    words[at] = (words[at]! + i) | 0;
  }
  return (performance.now() - start) * 1e6;
}
