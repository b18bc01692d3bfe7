/** Whether a guest's kernel can map all the memory that it is given. */

import { formOf } from '../../shared/layout.ts';
import { PAGE_SIZE } from '../hardware/address.ts';
import type { PagingName } from '../hardware/entry.ts';
import { mostPages } from './kernel/layout.ts';
import { hasWindows, type ProgramSource } from './load.ts';

export interface Room {
  readonly pages: number;
  readonly paging: PagingName;
  readonly program: ProgramSource;
}

/** In words, if it has too much. `switcher`: where the host has its own from. */
export function tooMuchMemory(
  { pages, paging, program }: Room,
  switcher: number,
): { readonly found: string; readonly expected: string } | undefined {
  const form = formOf(paging);
  const windows = pages > mostPages(form, switcher, true) && hasWindows(program);
  const most = mostPages(form, switcher, windows);
  if (pages <= most) return undefined;
  const above = windows ? 'the windows of kernel threads and the Switcher are' : 'the Switcher is';
  return {
    found: inMib(pages),
    expected: `at most ${inMib(most)}, above which ${above}`,
  };
}

const inMib = (pages: number): string => `${pages} pages (${(pages * PAGE_SIZE) / 2 ** 20} MiB)`;
