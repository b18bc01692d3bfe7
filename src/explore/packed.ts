/** Encoding of tokens: text packed into letters, and switches as small numbers. */

import { deflateRaw, fromBase64url, inflateRaw, toBase64url } from '../platform.ts';

export const packed = (text: string): string =>
  toBase64url(deflateRaw(new TextEncoder().encode(text)));

/** Throws unless the whole text is exactly one packed text. */
export function unpacked(text: string): string {
  const bits = fromBase64url(text);
  if (toBase64url(bits) !== text) throw new Error('not base64url');
  const { bytes, read } = inflateRaw(bits);
  if (read !== bits.length) throw new Error('more than was packed');
  return new TextDecoder().decode(bytes);
}

/** Steps as differences, which are small numbers. */
export function packSwitches(switches: readonly number[]): number[] {
  let last = 0;
  return switches.map((value, i) => {
    if (i % 2 === 1) return value;
    const distance = value - last;
    last = value;
    return distance;
  });
}

export function unpackSwitches(packed: readonly number[]): number[] {
  let last = 0;
  return packed.map((value, i) => {
    if (i % 2 === 0) last += value;
    return i % 2 === 0 ? last : value;
  });
}
