/** The interface between readers of memory traces and the importer. */

import type { OpKind } from '../../guest/program.ts';

/** What a trace says, in its order. */
export interface MemorySink {
  /** The thread of what comes next; not called for formats without threads. */
  thread(name: string): void;
  /** One access, at high × 2^32 + low; `size` is 1 … MAX_ACCESS bytes. */
  access(kind: OpKind, high: number, low: number, size: number): void;
  /** A warning for users of the program; reported once. */
  note(text: string): void;
}

/** Reads a text line by line. UserError at the first line that is none of the format. */
export interface TextReader {
  line(text: string): void;
  /** The file is at its end, and not cut short by a limit. */
  end(): void;
}

/** Where a format says no size, as many bytes as most accesses have. */
export const USUAL_SIZE = 4;
