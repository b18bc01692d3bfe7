import { NONE, Op, type OpKind, type ProcessImage, Prot, Sys } from '../../src/guest/program.ts';
import { operations } from '../guest/traces/helpers.ts';

/** One step of a process that runs its threads in the order of the original run. */
export interface Step {
  readonly thread: number;
  readonly kind: OpKind;
  /** Address and size of an access; the four words of a call. */
  readonly words: readonly number[];
}

/**
 * A kernel in forty lines, sharing no code with the importer: runs one process in the order of its
 * switchTo calls, and throws at an access to an unmapped page or without the right.
 */
export function* follow(image: ProcessImage): Generator<Step> {
  const rights = new Map<number, number>();
  const set = (start: number, end: number, prot: number | undefined) => {
    for (let page = start >>> 12; page < end / 4096; page++) {
      if (prot === undefined) rights.delete(page);
      else rights.set(page, prot === 0 ? 0 : prot | Prot.Read);
    }
  };
  for (const { start, end, prot } of image.regions) set(start, end, prot);
  let brk = image.brk ?? NONE;
  const threads = image.threads.map((stream) => ({ all: operations(stream), at: 0 }));
  const started = new Set([0]);
  let thread = 0;

  for (;;) {
    const running = threads[thread]!;
    const operation = running.all[running.at++];
    if (operation === undefined) return;
    const [kind, ...words] = operation;
    yield { thread, kind, words };
    const [nr, a = 0, b = 0, c = 0] = words as [number, ...number[]];
    if (kind !== Op.Syscall) {
      const need = { 0: Prot.Read | Prot.Exec, 1: Prot.Read }[kind as number] ?? 3;
      for (const page of new Set([nr >>> 12, (nr + a - 1) >>> 12])) {
        const has = rights.get(page);
        if (has === undefined || (has & need) !== need) {
          throw new Error(
            `thread ${thread} faults at ${nr.toString(16)}: kind ${kind}, has ${has}`,
          );
        }
      }
    } else if (nr === Sys.mmap2) set(a, a + b, c);
    else if (nr === Sys.munmap) set(a, a + b, undefined);
    else if (nr === Sys.mprotect) {
      for (let page = a; page < a + b; page += 4096) {
        if (!rights.has(page >>> 12)) throw new Error(`mprotect of unmapped ${page.toString(16)}`);
      }
      set(a, a + b, c);
    } else if (nr === Sys.brk) {
      const up = (x: number) => Math.ceil(x / 4096) * 4096;
      if (a > brk) set(up(brk), up(a), 3);
      else set(up(a), up(brk), undefined);
      brk = a;
    } else if (nr === Sys.clone) started.add(b);
    else if (nr === Sys.exitGroup) return;
    else if (nr === Sys.switchTo || nr === Sys.exit) {
      const next = nr === Sys.exit ? b : a;
      if (next === NONE) return;
      if (!started.has(next)) throw new Error(`thread ${next} runs before it was cloned`);
      thread = next;
    }
  }
}
