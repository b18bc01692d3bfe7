/** The yardstick does the machine's work: afterwards its memory is the same, word for word. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FORMS, HandDrivenGuest, optionsFor, TOPS, top } from '../../bench/guest.ts';
import { noYardstick, type Options, Yardstick } from '../../bench/native/yardstick.ts';
import { setAll, YOUNG } from '../../bench/set-pte.ts';
import { DISCIPLINES } from '../../shared/discipline.ts';
import type { Layout, RegionName } from '../../shared/layout.ts';
import { PAGE_WORDS } from '../../src/hardware/address.ts';
import { PAGE_PRESENT, PAGE_RW, PAGE_USER } from '../../src/hardware/entry.ts';
import { enterGuest, leaveGuest } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { guestPagetableFlushUser } from '../../src/paging/flush.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { scratch } from '../scratch.ts';

const folder = scratch('yardstick');

/** The yardstick's memory after this many rounds of a work. */
async function memoryAfter(work: string, options: Options, times: number): Promise<Uint32Array> {
  const yardstick = new Yardstick(work, options);
  const path = join(folder, 'memory');
  await yardstick.measure([times]);
  await yardstick.dump(path);
  await yardstick.end();
  const bytes = readFileSync(path);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Records whose words both write; a real machine's CPUs write others beside them. */
const COMPARED: readonly RegionName[] = ['pgdirs', 'launcherMap', 'counters', 'frameTable'];

/** Where two memories differ: in the compared records, or in any frame. */
function differences(layout: Layout, ours: Uint32Array, theirs: Uint32Array): string[] {
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

async function expectTheSame(
  guest: HandDrivenGuest,
  work: string,
  more: Options = {},
  times = 1,
): Promise<void> {
  const theirs = await memoryAfter(work, { ...optionsFor(guest.spec), ...more }, times);
  expect(differences(guest.shared.layout, guest.host.words.plain, theirs)).toEqual([]);
}

describe.skipIf(noYardstick() !== undefined)(
  'after the same work both memories are the same',
  () => {
    describe.each(FORMS)('$levels', ({ paging }) => {
      test.each(DISCIPLINES)('faults, %s', async (discipline) => {
        const guest = new HandDrivenGuest({ paging, discipline });
        for (let i = 0; i < 2; i++) {
          guestPagetableFlushUser(guest.cpu);
          guest.faultAll();
        }
        await expectTheSame(guest, 'fault', {}, 2);
      });

      test.each([YOUNG, PAGE_PRESENT | PAGE_RW | PAGE_USER])('SET_PTE, flags %i', async (flags) => {
        const guest = new HandDrivenGuest({ paging });
        guest.faultAll();
        guest.mmu();
        setAll(guest, YOUNG);
        setAll(guest, flags);
        await expectTheSame(guest, 'set-pte', { flags });
      });

      test('NEW_PGTABLE, evicting', async () => {
        const guest = new HandDrivenGuest({ paging });
        for (let i = 0; i < TOPS; i++) guestNewPagetable(guest.cpu, top(i));
        await expectTheSame(guest, 'new-pgtable-evicting');
      });

      test.each([1, 2])('in and out of the guest on %i CPUs', async (cpus) => {
        const guest = new HandDrivenGuest({ paging, hostCpus: cpus });
        const mmus = guest.hosts.map((host, i) => new Mmu(host, host.cpus[i]!));
        for (let i = 0; i < 256; i++) {
          const host = guest.hosts[i % cpus]!;
          const hostCpu = host.cpus[i % cpus]!;
          enterGuest(host, hostCpu, mmus[i % cpus]!, host.vcpus[0]!);
          leaveGuest(host, hostCpu, mmus[i % cpus]!, host.vcpus[0]!);
        }
        await expectTheSame(guest, 'world-switch', { alternate: cpus });
      });
    });
  },
);
