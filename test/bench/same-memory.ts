/** The yardstick's memory beside that of a machine that did the same. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Yardstick } from '../../bench/native/yardstick.ts';
import type { Layout, RegionName } from '../../shared/layout.ts';
import { PAGE_WORDS } from '../../src/hardware/address.ts';

/** All of it, by way of a file in `folder`; the yardstick ends. */
export async function memoryOf(yardstick: Yardstick, folder: string): Promise<Uint32Array> {
  const path = join(folder, 'memory');
  await yardstick.dump(path);
  await yardstick.end();
  const bytes = readFileSync(path);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Records whose words both write; a real machine's CPUs write others beside them. */
const COMPARED: readonly RegionName[] = ['pgdirs', 'launcherMap', 'counters', 'frameTable'];

/** Where two memories differ: in the compared records, or in any frame. */
export function differences(layout: Layout, ours: Uint32Array, theirs: Uint32Array): string[] {
  const found: string[] = [];
  const compare = (name: string, from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      if (ours[at] !== theirs[at]) found.push(`${name}, word ${at - from}`);
    }
  };
  for (const name of COMPARED) {
    const { at, count, stride } = layout.regions[name];
    compare(name, at, at + count * stride);
  }
  for (let frame = layout.firstFrame; frame < layout.totalFrames; frame++) {
    compare(`frame ${frame}`, frame * PAGE_WORDS, (frame + 1) * PAGE_WORDS);
  }
  return found.slice(0, 10);
}
