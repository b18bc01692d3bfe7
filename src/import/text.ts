/** The text of a log as lackey wrote it, from what a shell, an editor or a transfer made of it. */

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * The chunks in ASCII, whose lines end in a newline: without a byte order mark, from UTF-16, and
 * with newlines where lines ended in a carriage return alone. Any other text passes as it is.
 */
export async function* plainText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let decode: ((chunk: Uint8Array) => Uint8Array) | undefined;
  let returnsEndLines: boolean | undefined;
  let held: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    decode ??= decoderFor(chunk);
    const text = held.length === 0 ? decode(chunk) : Buffer.concat([held, decode(chunk)]);
    returnsEndLines ??= endsLinesByReturns(text);
    held = text;
    if (returnsEndLines === undefined && text.length < MOST_HELD) continue;
    held = new Uint8Array(0);
    yield returnsEndLines === true ? withNewlines(text) : text;
  }
  if (held.length > 0) yield withNewlines(held);
}

/** Bytes that are held until a line ends in them. */
const MOST_HELD = 1 << 16;

const withNewlines = (text: Uint8Array): Uint8Array =>
  text.map((byte) => (byte === RETURN ? NEWLINE : byte));

const UTF8_MARK = [0xef, 0xbb, 0xbf];

/** For a file that begins so. */
function decoderFor(head: Uint8Array): (chunk: Uint8Array) => Uint8Array {
  const encoding = utf16Of(head);
  if (encoding !== undefined) {
    // It drops the mark, and keeps half a character for the next chunk.
    const decoder = new TextDecoder(encoding);
    return (chunk) => Buffer.from(decoder.decode(chunk, { stream: true }));
  }
  let isMarked = UTF8_MARK.every((byte, i) => head[i] === byte);
  return (chunk) => {
    if (!isMarked) return chunk;
    isMarked = false;
    return chunk.subarray(UTF8_MARK.length);
  };
}

/** By its mark or, since a log is ASCII, by the zeros in it. */
function utf16Of(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [a, b] = head;
  const zeroAt = (odd: number): boolean =>
    head.length >= 8 && head.subarray(0, 8).every((byte, i) => (byte === 0) === (i % 2 === odd));
  if ((a === 0xff && b === 0xfe) || zeroAt(1)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || zeroAt(0)) return 'utf-16be';
  return undefined;
}

/** Undefined if the text does not tell: its only return may be the first half of a line's end. */
function endsLinesByReturns(text: Uint8Array): boolean | undefined {
  if (text.includes(NEWLINE)) return false;
  const first = text.indexOf(RETURN);
  return first >= 0 && first < text.length - 1 ? true : undefined;
}
