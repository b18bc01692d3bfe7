/** Faults without locks: a CPU that stops in the middle of one blocks no other CPU. */

import { expect, test } from 'vitest';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { Lenient } from '../../src/explore/strategies/lenient.ts';
import { Subject } from '../../src/explore/subject.ts';

/** At least the decisions of a CPU in the litmus test. */
const MANY = 250;
const STRIDE = 30;

test.each(['nonpae', 'pae'] as const)('%s: CPU 1 stops, and CPU 0 makes progress', (paging) => {
  const path = 'litmus/1-fault/R2-dirty-erased.yaml';
  const setting = { paging, discipline: 'lock-free', defects: [] } as const;
  const subject = new Subject(path, readLitmus(path), setting);
  for (let begins = 0; begins < MANY; begins += STRIDE) {
    for (let stops = 1; stops < MANY; stops++) {
      const plan = [
        { who: 0, until: begins },
        { who: 1, until: stops },
        { who: 0, until: Number.POSITIVE_INFINITY },
      ];
      const { ending, message } = subject.run(new Lenient(plan), 0);
      expect([begins, stops, ending, message]).toEqual([begins, stops, 'ok', '']);
    }
  }
});
