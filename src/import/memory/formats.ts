/** Formats of memory traces, beside lackey's, and their readers. */

import type { Place } from '../lines.ts';
import type { MemorySink, TextReader } from './sink.ts';
import { readDinero, readDrmemtrace, readExeclog, readPinatrace } from './texts.ts';

export const TEXT_FORMATS = {
  drmemtrace: readDrmemtrace,
  pinatrace: readPinatrace,
  execlog: readExeclog,
  dinero: readDinero,
} as const satisfies Record<string, (sink: MemorySink, place: Place) => TextReader>;

type TextFormat = keyof typeof TEXT_FORMATS;

export type MemoryFormat = TextFormat | 'champsim';

export const MEMORY_FORMATS: readonly MemoryFormat[] = [
  ...(Object.keys(TEXT_FORMATS) as TextFormat[]),
  'champsim',
];
