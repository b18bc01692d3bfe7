/**
 * What takes how much memory: shared memory by the layout, as the difference that one more
 * makes; what a host CPU's worker takes beside it, measured in processes of their own. From
 * both, the largest machines for some sizes of memory; one of them is booted to see.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { layoutOf, SWITCHER_ADDR } from '../../src/assembly.ts';
import { UserError } from '../../src/errors.ts';
import { tooMuchMemory } from '../../src/guest/room.ts';
import type { MemoryResult } from '../../src/report/benchmark.ts';
import { tracePath } from '../trace-path.ts';
import { type Shape, specOf } from './spec.ts';

const GIB = 2 ** 30;

/** As `umbra start` makes its guests. */
const GUEST_MIB = 32;
const USUAL = { hostCpus: 2, guests: 4, mib: GUEST_MIB } as const satisfies Shape;
const MORE_CPUS = 16;

/** What a process takes beside shared memory, and what each worker adds. */
interface Beside {
  readonly process: number;
  readonly worker: number;
}

/** Rejects after the signal. */
export async function measureMemory(signal: AbortSignal): Promise<MemoryResult> {
  const beside = await measureBeside(signal);
  const largest = [1, 16].flatMap((gib) => largestIn(gib * GIB, beside));
  const [first, ...others] = largest;
  const small = first!;
  const canBoot = process.availableMemory() > 2 * small.budget;
  const shape = { hostCpus: small.host_cpus, guests: small.guests, mib: small.guest_mib };
  const checked = canBoot ? { ...small, booted: await residentOf(shape, signal) } : small;
  return { each: eachOf(beside), largest: [checked, ...others] };
}

async function measureBeside(signal: AbortSignal): Promise<Beside> {
  const program = { kind: 'trace', path: tracePath('pigz') } as const;
  const [few, many] = [
    { ...USUAL, program },
    { ...USUAL, program, hostCpus: USUAL.hostCpus + MORE_CPUS },
  ];
  const residentFew = (await residentOf(few, signal)) - shared(few);
  const residentMany = (await residentOf(many, signal)) - shared(many);
  const worker = (residentMany - residentFew) / MORE_CPUS;
  return { worker, process: residentFew - USUAL.hostCpus * worker };
}

/** Resident bytes of a process with such a machine, every page of it written, while it runs. */
async function residentOf(shape: Shape, signal: AbortSignal): Promise<number> {
  const child = fork(new URL('./memory-process.ts', import.meta.url), [JSON.stringify(shape)], {
    signal,
  });
  const failed = once(child, 'exit', { signal }).then(([code]): never => {
    throw new Error(`the machine to be measured ended with exit code ${code}`);
  });
  // It exits after its message, which need not be awaited.
  failed.catch(() => {});
  const [resident] = await Promise.race([once(child, 'message', { signal }), failed]);
  return resident as number;
}

const shared = (shape: Shape): number => layoutOf(specOf(shape)).words * 4;

function eachOf({ process, worker }: Beside): MemoryResult['each'] {
  const { hostCpus, guests, mib } = USUAL;
  const more = (shape: Shape): number => shared({ ...USUAL, ...shape }) - shared(USUAL);
  return [
    { what: 'the process', shared: 0, resident: process },
    { what: 'a host CPU', shared: more({ hostCpus: hostCpus + 1 }), resident: worker },
    { what: `a guest of ${GUEST_MIB} MiB`, shared: more({ guests: guests + 1 }), resident: 0 },
    { what: 'a vCPU of each guest', shared: more({ vcpus: 2 }) / guests, resident: 0 },
    {
      what: 'a cached page table',
      shared: more({ pgdirs: 4 + 1 }) / guests,
      resident: 0,
    },
    {
      what: 'a page of guest memory (4,096 of it the page)',
      // Over many: page tables are for several pages, and all is rounded up to frames.
      shared: more({ mib: 2 * mib }) / (guests * mib * 256),
      resident: 0,
    },
  ];
}

/** For each kind of machine the largest that takes no more than `budget`. */
export function largestIn(budget: number, beside: Beside): MemoryResult['largest'] {
  const kinds: readonly ((n: number) => Required<Pick<Shape, 'hostCpus' | 'guests' | 'mib'>>)[] = [
    (guests) => ({ hostCpus: 2, guests, mib: GUEST_MIB }),
    (guests) => ({ hostCpus: 16, guests, mib: GUEST_MIB }),
    (mib) => ({ hostCpus: 2, guests: 1, mib }),
    (hostCpus) => ({ hostCpus, guests: 1, mib: GUEST_MIB }),
  ];
  return kinds.map((kind) => {
    const bytes = (n: number): number =>
      shared(kind(n)) + beside.process + kind(n).hostCpus * beside.worker;
    const whyNot = (size: number): string | undefined =>
      roomFor(kind(size)) ?? fits(() => bytes(size), budget);
    const n = largest((size) => whyNot(size) === undefined);
    const { hostCpus, guests, mib } = kind(n);
    return {
      budget,
      host_cpus: hostCpus,
      guests,
      guest_mib: mib,
      bytes: bytes(n),
      bound_by: whyNot(n + 1)!,
    };
  });
}

/** Why the guests of such a machine cannot have so much memory; undefined if they can. */
const roomFor = (shape: Shape): string | undefined =>
  specOf(shape).guests.some((guest) => tooMuchMemory(guest, SWITCHER_ADDR) !== undefined)
    ? 'addresses of the guest’s kernel'
    : undefined;

/** Why not; undefined if they do. */
function fits(bytes: () => number, budget: number): string | undefined {
  try {
    return bytes() <= budget ? undefined : 'memory';
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message.includes('Switcher') ? 'room in the Switcher’s window' : 'frame numbers';
  }
}

/** The largest n from 1 on that still does. */
function largest(does: (n: number) => boolean): number {
  let above = 1;
  while (does(above)) above *= 2;
  let below = Math.max(1, above / 2);
  while (above - below > 1) {
    const middle = (above + below) >>> 1;
    if (does(middle)) below = middle;
    else above = middle;
  }
  return below;
}
