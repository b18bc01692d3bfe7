/** The two inner loops of user mode, JavaScript's and WebAssembly's, have the same effects. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COUNTERS, COUNTERS_WORDS, Counters } from '../../shared/counters.ts';
import { type DecodedBlock, OPS_WORDS } from '../../shared/decoded-blocks.ts';
import { HOST_CPU_WORDS, HostCpu, Reg } from '../../shared/host-cpu.ts';
import { lookUp } from '../../shared/tlb.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { type ProcessorWithTlb, Selector } from '../../src/guest/processor.ts';
import { BLOCK_OPS, Op, type OperationBlock, type Program } from '../../src/guest/program.ts';
import { UserMode } from '../../src/guest/user.ts';
import { Right } from '../../src/hardware/access.ts';
import { type Gva, toPtr } from '../../src/hardware/address.ts';

const COUNTS = 16;
const CPU = 1024;
const BLOCK = CPU + HOST_CPU_WORDS + COUNTERS_WORDS;
/** Of host memory: frames 64 … 79 are the guest's. */
const FIRST_FRAME = 64;
const FRAMES = 16;
const WORDS = (FIRST_FRAME + FRAMES) * 1024;

/** Few pages; the last holds the entry of page 3, which is walked. */
const PAGES = [0, 1, 2, 3, 4, 0x80005, 0x80006, 0xfffff, 0x203];
const pageArbitrary = fc.constantFrom(...PAGES);
const { UserFetch, UserRead, UserWrite } = Right;
const ALL = UserRead | UserWrite | UserFetch;

interface Case {
  readonly ops: readonly (readonly [number, number])[];
  readonly tlb: readonly (readonly [page: number, frame: number, rights: number])[];
  readonly edi: number;
  readonly first: number;
  readonly budget: number;
}

const operation = fc
  .tuple(
    fc.oneof(
      { arbitrary: fc.constantFrom(Op.Fetch, Op.Load, Op.Store, Op.Modify), weight: 30 },
      fc.constantFrom(Op.Locked, Op.Syscall),
    ),
    fc.constantFrom(1, 2, 4, 8, 16),
    pageArbitrary,
    fc.oneof({ arbitrary: fc.nat(4080), weight: 8 }, fc.constantFrom(0, 4088, 4092, 4093, 4095)),
  )
  .map(([kind, size, page, offset]): [number, number] =>
    kind === Op.Syscall ? [kind, 0] : [kind | (size << 8), ((page << 12) | offset) >>> 0],
  );

const aCase: fc.Arbitrary<Case> = fc.record({
  ops: fc.array(operation, { minLength: 1, maxLength: 200, size: 'max' }),
  tlb: fc.tuple(
    ...PAGES.map((page) =>
      fc.tuple(
        fc.constant(page),
        fc.nat(FRAMES - 1),
        fc.oneof(
          { arbitrary: fc.constant(ALL), weight: 30 },
          fc.constantFrom(UserRead, UserRead | UserFetch, 0),
        ),
      ),
    ),
  ),
  edi: fc.nat(0xffff_ffff),
  first: fc.nat(3),
  budget: fc.integer({ min: 1, max: 250 }),
});

/** Runs a slice of the operations; returns the words in which all effects show. */
function run(one: Case, inMemory: boolean): Uint32Array {
  const memory = makeMemory(WORDS + OPS_WORDS);
  const words = new Words(memory, toPtr(COUNTS));
  const hostCpu = new HostCpu(words, 0, toPtr(CPU));
  hostCpu.generation = 5;
  for (const [page, frame, rights] of one.tlb) {
    const entry = hostCpu.tlb + (page & 511) * 2;
    words.poke(toPtr(entry), ((page << 12) | 5) >>> 0);
    words.poke(toPtr(entry + 1), (((FIRST_FRAME + frame) << 12) | rights) >>> 0);
  }
  const faults: number[] = [];
  const processor = {
    words,
    register: (reg: number) => hostCpu.register(reg),
    setRegister: (reg: number, value: number) => hostCpu.setRegister(reg, value),
    // A TLB miss is a fault, except on one page, which is walked.
    translate: (va: Gva, right: Right) => {
      const cached = lookUp(words.plain, hostCpu.tlb, 5, va, right);
      return cached < 0 && va >>> 12 === 3 ? FIRST_FRAME * 1024 + ((va & 4095) >>> 2) : cached;
    },
    pageFault: (va: number) => faults.push(va),
    softwareInterrupt: () => hostCpu.setRegister(Reg.cs, Selector.KernelCode),
    kicked: false,
    trapped: false,
    tlb: hostCpu.tlb,
    generation: 5,
    registers: hostCpu.registers,
    scratch: hostCpu.scratch,
  } as unknown as ProcessorWithTlb;
  hostCpu.setRegister(Reg.cs, Selector.UserCode);
  hostCpu.setRegister(Reg.edi, one.edi);
  hostCpu.setRegister(Reg.esi, one.first);
  const ops = Uint32Array.from([...Array<number[]>(one.first).fill([0, 0]), ...one.ops].flat());
  const calls = Uint32Array.of(0x9999, 1, 2, 3);
  const block: OperationBlock = { count: ops.length / 2, ops, calls };
  const stream = { length: ops.length / 2, block: () => block };
  const program: Program = {
    name: 'random',
    processes: [{ command: 'random', regions: [], threads: [stream] }],
  };
  words.plain.set(ops, WORDS);
  const stored: DecodedBlock = {
    at: toPtr(WORDS),
    ops: words.plain.subarray(WORDS, WORDS + ops.length),
    calls,
  };
  const counters = new Counters(memory.buffer, toPtr(BLOCK - COUNTERS_WORDS));
  const blocks = { find: () => (inMemory ? stored : undefined) };
  const user = new UserMode(processor, program, counters, blocks);
  const done = user.run(one.budget);
  words.fill(hostCpu.scratch, 2, 0);
  const counted = Array.from({ length: COUNTERS }, (_, i) => counters.get(i));
  return Uint32Array.from([done, ...faults, ...counted, ...words.plain.subarray(CPU, WORDS)]);
}

test('on random operations and TLBs', () => {
  expect(BLOCK_OPS).toBeGreaterThan(300);
  let ran = 0;
  fc.assert(
    fc.property(aCase, (one) => {
      const plain = run(one, false);
      // A comparison word by word takes a quarter of a second.
      expect(Buffer.compare(Buffer.from(run(one, true).buffer), Buffer.from(plain.buffer))).toBe(0);
      ran += plain[0]!;
    }),
    { numRuns: 400 },
  );
  // The loops had effects.
  expect(ran).toBeGreaterThan(2000);
});
