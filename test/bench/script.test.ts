/** The yardstick does what the C code did by its recordings, as umbra does (test/conformance). */

import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { layoutOptions } from '../../bench/guest.ts';
import { noYardstick, Yardstick } from '../../bench/native/yardstick.ts';
import { DISCIPLINES, type DisciplineName } from '../../shared/discipline.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { findVectorFiles, shippedVectors } from '../../src/conformance/find-files.ts';
import { RIGHT, ScriptedMachine, VMA } from '../../src/conformance/replay.ts';
import {
  type OperationName,
  readVectorFile,
  type VectorFile,
  type VectorOperation,
} from '../../src/conformance/vector-file.ts';
import { scratch } from '../scratch.ts';
import { someOf } from '../slow.ts';
import { differences, memoryOf } from './same-memory.ts';

const folder = scratch('script');

const { files } = findVectorFiles([shippedVectors()]);

/** The yardstick ends where memory is refused, and with the host; nor does it take a guest down. */
const ENDS: ReadonlySet<OperationName> = new Set(['failAllocations', 'freeGuestPagetable']);
/** It only looks. */
const LOOKS: ReadonlySet<OperationName> = new Set(['guestPa']);
/** The yardstick's repaired code has no Switcher and keeps no stacks. */
const REPAIRED: ReadonlySet<OperationName> = new Set([
  ...(['setVma', 'guestWrite', 'initGuestPagetable', 'pageTableGuestDataInit'] as const),
  ...(['demandPage', 'access', 'guestSetPte', 'guestNewPagetable'] as const),
  'guestPagetableFlushUser',
]);

function operationsOf(file: VectorFile, discipline: DisciplineName): VectorOperation[] {
  const end = file.operations.findIndex(({ op, oops }) => ENDS.has(op) || oops !== undefined);
  const some = end < 0 ? file.operations : file.operations.slice(0, end);
  return some.filter(
    ({ op }) => !LOOKS.has(op) && (discipline === 'as-written' || REPAIRED.has(op)),
  );
}

/** As script.c reads it. */
function lineOf({ op, fields }: VectorOperation): string {
  const { access, mode, state, ...numbers } = fields;
  if (op === 'pageTableGuestDataInit') return `kernelAddress ${numbers['kernelAddress']}`;
  if (op === 'access')
    return `access ${numbers['cpu']} ${numbers['vaddr']} ${RIGHT[`${access} ${mode}`]}`;
  const values = Object.values(numbers);
  return [op, ...values, ...(op === 'setVma' ? [VMA[String(state)] ?? Vma.None] : [])].join(' ');
}

/** An operation's result as script.c prints it. */
function numberFor(op: OperationName, returns: unknown): number {
  if (op === 'demandPage') return returns ? 1 : 0;
  if (op === 'access') return (returns as { fault?: number }).fault ?? -1;
  return 0;
}

async function expectTheSame(path: string, discipline: DisciplineName): Promise<void> {
  const file = readVectorFile(path);
  const operations = operationsOf(file, discipline);
  expect(operations.length).toBeGreaterThan(10);
  const machine = new ScriptedMachine(file.header, discipline);
  const ours = operations.map((one) => numberFor(one.op, machine.apply(one).returns));
  const { pae, hostCpus, vcpus, pfnLimit, switcherAddr } = file.header;
  const yardstick = new Yardstick('script', {
    ...{ paging: pae ? 'pae' : 'nonpae', discipline, switcherAddr, pages: pfnLimit },
    ...{ cpuCount: hostCpus, vcpuCount: vcpus, ...layoutOptions(machine.host.layout) },
  });
  const theirs = await yardstick.apply(operations.map(lineOf));
  const memory = await memoryOf(yardstick, folder);
  const { layout, words } = machine.host;
  expect({ theirs, differ: differences(layout, words.plain, memory) }).toEqual({
    theirs: ours,
    differ: [],
  });
}

const nameOf = (path: string): string => `${basename(dirname(path))}/${basename(path)}`;

describe.skipIf(noYardstick() !== undefined)('after a recording memory is the same in C', () => {
  test.each(someOf(files, 2).map((path) => [nameOf(path), path]))('%s', async (_name, path) => {
    await expectTheSame(path!, 'as-written');
  });
});

describe
  .skipIf(noYardstick() !== undefined)
  .each(DISCIPLINES.filter((name) => name !== 'as-written'))('repaired, %s', (discipline) => {
  const alone = files.filter((path) => readVectorFile(path).header.vcpus === 1);
  test.each(someOf(alone, 4).map((path) => [nameOf(path), path]))('%s', async (_name, path) => {
    await expectTheSame(path!, discipline);
  });
});
