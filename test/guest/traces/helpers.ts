import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Op, type OperationStream, type OpKind, type Program } from '../../../src/guest/program.ts';
import { StreamBuilder } from '../../../src/guest/traces/builder.ts';
import { statistics } from '../../../src/report/run-report.ts';
import type { Rig } from '../../rig.ts';

/** A directory for `act` to fill, removed after it. */
export async function inDirectory<T>(act: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-traces-'));
  try {
    return await act(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Accesses made by programs, on all host CPUs of a rig together. */
export function userAccesses(rig: Rig): number {
  const { fetches, loads, stores, modifies } = statistics(rig, [...rig.cpus.keys()], [0]);
  return fetches + loads + stores + modifies;
}

/** One operation as a test writes it: an access, or a call with its four words. */
export type Operation = readonly [OpKind, ...number[]];

/** All operations of a stream, in order. */
export function operations(stream: OperationStream): Operation[] {
  const all: Operation[] = [];
  for (let b = 0; all.length < stream.length; b++) {
    const { count, ops, calls } = stream.block(b);
    for (let i = 0; i < count; i++) {
      const head = ops[2 * i]!;
      const address = ops[2 * i + 1]!;
      const kind = (head & 0xff) as OpKind;
      if (kind === Op.Syscall) all.push([kind, ...calls.slice(4 * address, 4 * address + 4)]);
      else all.push([kind, address, head >>> 8]);
    }
  }
  return all;
}

export function streamOf(all: Iterable<Operation>): OperationStream {
  const builder = new StreamBuilder();
  for (const [kind, a = 0, b = 0, c = 0, d = 0] of all) {
    if (kind === Op.Syscall) builder.syscall(a, b, c, d);
    else builder.access(kind, a, b);
  }
  return builder.build();
}

export function programOf(...threads: OperationStream[]): Program {
  return {
    name: 'test',
    processes: [{ command: './test', regions: [{ start: 0x1000, end: 0x3000, prot: 3 }], threads }],
  };
}

const word = fc.integer({ min: 0, max: 0xffffffff });
const access = fc.tuple(
  fc.constantFrom(Op.Fetch, Op.Load, Op.Store, Op.Modify, Op.Locked),
  fc.oneof(word, fc.integer({ min: 0x1000, max: 0x1100 })),
  fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 0, max: 0xffffff })),
);
const call = fc.tuple(fc.constant(Op.Syscall), word, word, word, word);

/** Any operations, with loops in them so that predictions come true now and then. */
export const anyOperations: fc.Arbitrary<Operation[]> = fc
  .array(
    fc.tuple(
      fc.array(fc.oneof({ weight: 9, arbitrary: access }, call), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((loops) =>
    loops.flatMap(([body, times]) =>
      Array.from({ length: times }, () => body as Operation[]).flat(),
    ),
  );
