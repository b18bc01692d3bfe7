/** Files of every imported format, cut short and changed at random: read, or refused with place. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePlacement } from '../../src/host/placement.ts';
import { importLackey } from '../../src/import/import.ts';
import { importMemory } from '../../src/import/memory/import.ts';
import { importSchedule } from '../../src/import/schedule/import.ts';
import { scratch } from '../scratch.ts';
import { SLOW } from '../slow.ts';

const folder = scratch('damaged');
const [file, out] = [join(folder, 't'), join(folder, 'out.umbra')];

const LINES = SLOW ? 60 : 3;
const CHANGED = SLOW ? 2000 : 50;

/** The first lines of a file here. */
function lines(name: string): Buffer {
  const bytes = readFileSync(new URL(name, import.meta.url));
  const text = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  let end = 0;
  for (let n = 0; n < LINES && text.indexOf(10, end) >= 0; n++) end = text.indexOf(10, end) + 1;
  return text.subarray(0, end);
}

const champSim = Buffer.alloc(64 * (LINES + 1));
for (let at = 0; at < champSim.length; at += 64) {
  champSim.writeUInt32LE(0x40_1000 + at, at);
  champSim.writeUInt32LE(0x7f_0000 + at, at + 32);
}

const schedule = () => importSchedule(file, { comm: '*' });
const memory = () => importMemory(file, out, {});
const lackey = () => importLackey([file], out, { skipStrayLines: false, progress: () => {} });

const FORMATS: readonly (readonly [string, Buffer, () => unknown])[] = [
  ['perf script', lines('schedules/perf-script.txt.gz'), schedule],
  ['ftrace', lines('foreign/ftrace-kvm-sched_switch.txt'), schedule],
  ['drmemtrace', lines('foreign/drmemtrace-view.txt'), memory],
  ['pinatrace', lines('foreign/pinatrace.out'), memory],
  ['execlog', lines('foreign/qemu-execlog.txt'), memory],
  ['Dinero', lines('foreign/dinero.din'), memory],
  ['ChampSim', champSim, memory],
  ['lackey', lines('tiny-parent.lackey.gz'), lackey],
  [
    'a placement',
    Buffer.from('vcpu,host_cpu,at_ns,ns,comm\n0,0,0,1000,"CPU ""0/KVM"\n0,1,6000,13000,x\n'),
    () => parsePlacement(readFileSync(file, 'utf8'), file),
  ],
];

/** A file that lacks something has no place to name. */
const WITHOUT_PLACE =
  /found (?:an empty file|\d+ events and no sched_switch|no task that ran|no memory access)|#eof/;

const PLACE = /^: ?(?:\d+:\d+: |record \d+|found ".*expected records)/;

/** Undefined if it is read, or properly refused; else the error. */
async function wrongIn(bytes: Uint8Array, read: () => unknown): Promise<string | undefined> {
  writeFileSync(file, bytes);
  try {
    await read();
    return undefined;
  } catch (error) {
    const { name, message, stack } = error as Error;
    if (name !== 'UserError') return stack;
    const behind = message.slice(file.length);
    const isPlaced = message.startsWith(file) && (PLACE.test(behind) || WITHOUT_PLACE.test(behind));
    return isPlaced ? undefined : message;
  }
}

describe.each(FORMATS)('%s', (_, sample, read) => {
  test('cut short at each byte', async () => {
    for (let length = 0; length <= sample.length; length++) {
      expect(await wrongIn(sample.subarray(0, length), read)).toBeUndefined();
    }
  });

  test('changed at random', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom('9'.repeat(20), '-1', '\n', '\0', ':', '0x', '[', ',')
        .map((text) => Buffer.from(text)),
    );
    const change = fc.record({ at: fc.nat(sample.length), without: fc.nat(12), piece });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const changed = changes.reduce(
          (bytes, { at, without, piece: put }) =>
            Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + without)]),
          Buffer.from(sample),
        );
        expect(await wrongIn(changed, read)).toBeUndefined();
      }),
      { numRuns: CHANGED, ...(SLOW ? {} : { seed: 1 }) },
    );
  });
});
