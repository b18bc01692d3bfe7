/**
 * Host memory that runs out at the n-th allocation, for every n that a small guest reaches: the
 * guest is killed with that reason, or continues; nothing leaks either way.
 */

import { describe, expect, test } from 'vitest';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { type Program, Prot, Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { Rig } from '../rig.ts';

const TEXT = 0x0804_8000;
const DATA = 0x0805_0000;

/** A process that writes some pages, has a child that writes them too, and waits for it. */
function small(): Program {
  const write = (stream: StreamBuilder): StreamBuilder => {
    for (let page = 0; page < 4; page++) stream.fetch(TEXT).modify(DATA + page * 0x1000);
    return stream;
  };
  const regions = [
    { start: TEXT, end: TEXT + 0x1000, prot: Prot.Read | Prot.Exec },
    { start: DATA, end: DATA + 0x4000, prot: Prot.Read | Prot.Write },
  ];
  const parent = write(write(new StreamBuilder()).syscall(Sys.fork, 1)).syscall(Sys.wait4);
  return {
    name: 'small',
    processes: [
      { command: 'parent', regions, threads: [parent.build()] },
      { command: 'child', regions, threads: [write(new StreamBuilder()).build()] },
    ],
  };
}

const WORDS = /^(out of memory allocating p(te|md) page|failed to get page \d+|Power down)$/;

describe.each(DISCIPLINES)('%s', (discipline) => {
  test.each(['nonpae', 'pae'] as const)('%s', (paging) => {
    const vcpus = discipline === 'as-written' ? 1 : 2;
    const ends = new Map<string, number>();
    let reached = true;
    for (let n = 0; reached; n++) {
      const rig = new Rig({
        program: small(),
        paging,
        discipline,
        vcpus,
        hostCpus: 2,
        pages: 256,
        defects: [],
      });
      rig.host.machine.failAllocationsAfter(n);
      rig.runAll(500);
      expect(rig.reason).toMatch(WORDS);
      expect(rig.violations()).toEqual([]);
      ends.set(rig.reason, (ends.get(rig.reason) ?? 0) + 1);
      reached = rig.host.machine.allocationFails();
    }
    expect(ends.get('out of memory allocating pte page')).toBeGreaterThan(0);
    // The last run had enough; and a vCPU without a page for a new shadow takes another's.
    expect(ends.get('Power down')).toBeGreaterThan(1);
  });
});
