/**
 * The replay of a compact trace in C: it reads the file and unpacks and decodes its blocks
 * itself, and is told where they are.
 *
 * Its guest kernel is simpler than ours: it has one process, and its own accesses, some four
 * in a hundred of a trace of five million, are neither made through the MMU nor counted.
 */

import { layoutOf } from '../../src/assembly.ts';
import { openProgram } from '../../src/guest/traces/reader.ts';
import { layoutOptions } from '../guest.ts';
import type { Side } from '../pair.ts';
import { nativeSide, Yardstick } from './yardstick.ts';

/** `pages`: memory of the guest, which has one vCPU and two levels of page tables. */
export function nativeTrace(path: string, pages: number): Side | undefined {
  return nativeSide(...traceWork(path, pages));
}

/** What a whole replay did: its accesses, and what its threads had computed in the end. */
export async function replayInC(path: string, pages: number) {
  const yardstick = new Yardstick(...traceWork(path, pages));
  const [batch] = await yardstick.measure([1]);
  await yardstick.end();
  return batch!;
}

function traceWork(path: string, pages: number) {
  const guests = [{ paging: 'nonpae', pages }] as const;
  const layout = layoutOf({ hostCpus: 1, seed: 1, frames: pages + 1024, guests });
  const options = {
    trace: path,
    paging: 'nonpae',
    discipline: 'as-written',
    pages,
    cpuCount: 1,
    vcpuCount: 1,
    copyOnWrite: 1,
    ...layoutOptions(layout),
  };
  return ['trace', options, indexOf(path)] as const;
}

/** How many streams; of each its length, how many blocks, and their places. */
function indexOf(path: string): string {
  const program = openProgram(path);
  program.close();
  const streams = program.index.processes.flatMap((process) => process.threads);
  const numbers = streams.flatMap(({ length, blocks }) => [length, blocks.length / 4, ...blocks]);
  return `${[streams.length, ...numbers].join(' ')}\n`;
}
