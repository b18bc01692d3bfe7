/** A hand-written story with every kind of line. */

import type { Story, Told } from '../../src/report/story.ts';

const step: Told = {
  kind: 'step',
  column: 0,
  step: 7,
  part: 'i',
  name: 'tryDemandPage',
  does: 'reads',
  place: 'guest pte of 0x00400000 in A',
  before: 'page 0x20 rw user',
  after: undefined,
  locks: [],
  source: 'src/paging/fault.ts:82',
  code: ': lgreadEntry(cpu, gptePtr);',
  flags: [],
};

export const STORY: Story = {
  title: 'an entry stays <cleared> & gone',
  about: 'One vCPU reads a page while the other takes it away.',
  setting: 'lock-free, nonpae, with R2',
  ending: 'violation: forbidden: "it" came back',
  good: false,
  steps: 685,
  told: 3,
  turns: 2,
  columns: ['CPU 0', 'CPU 1'],
  lines: [
    { kind: 'operation', column: 0, text: 'vCPU 0: load 0x00400000 -> r0' },
    step,
    { kind: 'turn', column: 1, text: 'switch to CPU 1' },
    { kind: 'migration', column: 1, text: 'vCPU 1 continues here, from CPU 0' },
    {
      ...step,
      column: 1,
      step: 229,
      part: 'iii',
      name: 'changeSpte',
      does: 'writes',
      after: 'none',
      locks: ['lock of pgdir 1'],
      flags: ['first'],
    },
    { kind: 'turn', column: 0, text: 'switch to CPU 0' },
    {
      ...step,
      step: 269,
      does: 'writes',
      before: 'none',
      after: 'page 0x20 rw user accessed',
      flags: ['break', 'second'],
    },
    { kind: 'event', column: 0, text: 'vCPU 0: the fault at 0x00400000 is fixed' },
  ],
  findings: [
    { kind: 'break', text: 'It breaks at step 269.' },
    { kind: 'pair', text: 'To blame: step 229; then step 269.' },
  ],
};
