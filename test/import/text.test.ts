import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainText } from '../../src/import/text.ts';

const LOG = ['==7== Lackey', 'I  04001000,3', ' S 1ffefff820,8', ' L 04f6b868,8', ''];

/** The text, read in chunks that are cut at `cuts`. */
async function read(bytes: Buffer, cuts: readonly number[] = []): Promise<string> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    // As a file is read: never less than its first bytes.
    const places = cuts.map((cut) => 20 + (cut % bytes.length)).sort((a, b) => a - b);
    let from = 0;
    for (const to of [...places, bytes.length]) {
      if (to > from) yield bytes.subarray(from, to);
      from = Math.max(from, to);
    }
  }
  const read: Uint8Array[] = [];
  for await (const chunk of plainText(chunks())) read.push(chunk);
  return Buffer.concat(read).toString('latin1');
}

const utf16 = (text: string, swap = false): Buffer => {
  const bytes = Buffer.from(text, 'utf16le');
  return swap ? bytes.swap16() : bytes;
};

const plain = LOG.join('\n');
const windows = LOG.join('\r\n');

test.each([
  ['in UTF-8', Buffer.from(plain), plain],
  ['with a byte-order mark', Buffer.from(`\ufeff${plain}`), plain],
  ['in UTF-16', utf16(`\ufeff${plain}`), plain],
  ['in big-endian UTF-16', utf16(`\ufeff${plain}`, true), plain],
  ['in UTF-16 without a byte-order mark', utf16(plain), plain],
  ['in big-endian UTF-16 without a byte-order mark', utf16(plain, true), plain],
  ['as PowerShell redirects it', utf16(`\ufeff${windows}`), windows],
  ['with lone CRs', Buffer.from(LOG.join('\r')), plain],
  ['with a byte-order mark and lone CRs', Buffer.from(`\ufeff${LOG.join('\r')}`), plain],
  ['in UTF-16 with lone CRs', utf16(`\ufeff${LOG.join('\r')}`), plain],
  ['with CRLF', Buffer.from(windows), windows],
])('a log is the same %s, wherever its chunks end', async (_, bytes, text) => {
  expect(await read(bytes)).toBe(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { maxLength: 6 }), async (cuts) => {
      expect(await read(bytes, cuts)).toBe(text);
    }),
    { numRuns: 30 },
  );
});
