/**
 * A test cannot fail by an `expect` that never runs: in a loop over nothing, in a callback that is
 * never called, behind a condition that is never true. So every one in a test file must have run
 * when all of the file's tests have passed.
 *
 * This half marks them: `expect(` becomes `$e[7](`, of the same length, so that positions in
 * messages stay. The other half is expects-ran.ts.
 */

import type { Plugin } from 'vitest/config';

const TEST = /\/test\/.*\.test\.ts$/;

/** Not those in comments. */
const EXPECT = /(?<!^[ ]*(?:\*|\/[/*]).*)\bexpect(?=\()/gm;

export const everyExpect = (): Plugin => ({
  name: 'every-expect',
  enforce: 'pre',
  transform(code, id) {
    if (!TEST.test(id)) return null;
    const lines: number[] = [];
    const marked = code.replace(EXPECT, (_, index: number) => {
      lines.push(code.slice(0, index).split('\n').length);
      return `$e[${lines.length - 1}]`;
    });
    return { code: `${marked}\n$e.lines = ${JSON.stringify(lines)};\n`, map: null };
  },
});
