/**
 * A program is what guest processes run: for each thread a stream of operations,
 * and for each process the regions that exec maps before the first of them.
 *
 * Streams are read in blocks and addressed by position, so that a thread's place
 * in its program is one 32-bit number and fits in a register.
 */

import * as decodedBlocks from '../../shared/decoded-blocks.ts';

/** Kinds of operations. A memory trace records the first four. */
export const Op = {
  Fetch: 0,
  Load: 1,
  Store: 2,
  /** Load, then store to the same address (`M` in a lackey trace). */
  Modify: 3,
  /** A locked increment; its old value, which depends on the schedule, is not used. */
  Locked: 4,
  /** `int 0x80` with eax, ebx, ecx, edx from the block's call table. */
  Syscall: 5,
} as const;

export type OpKind = (typeof Op)[keyof typeof Op];

/** System calls by their i386 Linux numbers; any other number is a call that only traps. */
export const Sys = {
  /** exit(status, next): ends the thread; the trace went on with thread `next`. */
  exit: 1,
  /** fork(process): the child runs process `process` of the program, or exits at once if NONE. */
  fork: 2,
  /** execve(process): this process becomes process `process` of the program; others only trap. */
  execve: 11,
  /** brk(end) with the break the original run got. */
  brk: 45,
  /** munmap(address, length). */
  munmap: 91,
  /** wait4(): until a child has exited. */
  wait4: 114,
  /** clone(flags, thread): a new thread of this process. */
  clone: 120,
  /** mprotect(address, length, prot). */
  mprotect: 125,
  /** mmap2(address, length, prot) with the address the original run got. */
  mmap2: 192,
  exitGroup: 252,
  /** Ours: in the original run, thread `ebx` went on here. */
  switchTo: 0x1000,
  /** Ours: until all other threads of the process have ended. */
  join: 0x1001,
  /** Ours: give up to `ebx` pages to the host, or take them back. */
  inflate: 0x1002,
  deflate: 0x1003,
  /** Ours: yield to any other runnable task. */
  schedule: 0x1004,
  /** Ours: fork alone: the child runs process `ebx` of the program in the copied memory. */
  forkCopy: 0x1005,
  /** Ours: as forkCopy, and the child makes the copy while the parent sleeps. */
  forkByChild: 0x1006,
  /** Ours: until the process is ended by another. */
  pause: 0x1007,
  /** Ours: end the child that runs process `ebx` of the program. */
  kill: 0x1008,
  /** Ours: mremap(address, length, to): move what is mapped, with the length that it has. */
  mremap: 0x1009,
} as const;

/** Kernel threads by what they do. */
export const KERNEL_WORK = [
  /** Swaps pages of all processes out, and back in, and takes the right to write them. */
  'swap',
  /** Maps pages of its own at addresses of its own, and uses and unmaps them. */
  'windows',
] as const;

/** A thread of the kernel's own, that it starts with the first process. */
export interface KernelThread {
  readonly work: (typeof KERNEL_WORK)[number];
  /** How often it does it: 1 … 2^31. Memory ends the same with any. */
  readonly rounds: number;
}

/** PROT_* of mmap and mprotect. */
export const Prot = { Read: 1, Write: 2, Exec: 4 } as const;

/** No thread or process: the argument of a call whose other side is not in the program. */
export const NONE = 0xffffffff;

/** Operations in every block of a stream but its last. */
export const { BLOCK_OPS } = decodedBlocks;

export interface OperationBlock {
  /** Operations in this block, 1 … BLOCK_OPS. */
  readonly count: number;
  /**
   * Two words for each operation: kind | size << 8 and the virtual address; for a
   * system call kind and its number k among the block's calls, whose words are
   * calls[4k] … calls[4k + 3]. Sizes are in bytes.
   */
  readonly ops: Uint32Array;
  /** Four words for each system call: eax, ebx, ecx, edx. */
  readonly calls: Uint32Array;
}

export interface OperationStream {
  /** Operations in the whole stream. LIMIT: below 2^32, a position is one word. */
  readonly length: number;
  /**
   * Block `index` holds positions index × BLOCK_OPS and on. To be asked for again rather than
   * kept: its memory may be another block's, once others of the stream have been asked for.
   */
  block(index: number): OperationBlock;
  /**
   * Block `index` into `ops`, which has the words for it; returns its calls. Absent: its blocks are
   * there as they are, and nothing is decoded.
   */
  decode?(index: number, ops: Uint32Array): Uint32Array;
}

/** A range of user addresses, page-aligned, end exclusive, mapped with Prot rights. */
export interface Region {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
}

/**
 * In which order the threads of a process ran in the original run, where one ran at a time: for
 * each thread two numbers for each time that it did. The number of its first call then, of the
 * calls of all threads from 0; and the number behind the last call before it that no access of
 * any thread may pass. src/guest/traces/order.ts has more, src/guest/kernel/order.ts keeps it.
 */
export type ProcessOrder = readonly (readonly number[])[];

export interface ProcessImage {
  /** The command as it was started, for people. */
  readonly command: string;
  /** The regions that exec maps; sorted, not overlapping. */
  readonly regions: readonly Region[];
  /** Where the heap begins: the break before the first brk. Absent: it calls no brk. */
  readonly brk?: number;
  /** Thread 0 starts with the process, the others by clone. */
  readonly threads: readonly OperationStream[];
  /** Absent: its threads may run in any order. */
  readonly order?: ProcessOrder | undefined;
}

export interface Program {
  readonly name: string;
  /** Process 0 is started by the kernel, the others by fork. */
  readonly processes: readonly ProcessImage[];
  /** By default none. */
  readonly kernelThreads?: readonly KernelThread[];
  /** Accesses of all its threads, where a run does each once. Absent: that depends. */
  readonly accesses?: number;
  /** Closes the file that it is read from; blocks already handed out stay valid. */
  close?(): void;
}
