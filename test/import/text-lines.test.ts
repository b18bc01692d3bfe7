/** Text in chunks is split into lines. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Place } from '../../src/import/lines.ts';
import { LineSplitter } from '../../src/import/text-lines.ts';

test('a line is the same wherever a chunk ends, and a trace is never held as a whole', () => {
  const text = 'one\r\ntwo €\n\nfour\n';
  fc.assert(
    fc.property(fc.array(fc.nat(text.length + 2), { maxLength: 5 }), (cuts) => {
      const bytes = Buffer.from(text);
      const lines: string[] = [];
      const place = new Place('t');
      const splitter = new LineSplitter(place, (line) => lines.push(`${place.line} ${line}`) > 0);
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      for (const [i, at] of places.slice(1).entries()) splitter.push(bytes.subarray(places[i], at));
      splitter.end();
      expect(lines).toEqual(['1 one', '2 two €', '3 ', '4 four']);
    }),
  );
  const endless = new LineSplitter(new Place('t'), () => true);
  expect(() => {
    for (let i = 0; i < 100; i++) endless.push(Buffer.alloc(1000, 'x'));
  }).toThrow('t:1:1: found more than 65536 characters, expected the end of the line');
});
