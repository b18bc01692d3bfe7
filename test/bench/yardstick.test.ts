/** The yardstick does the machine's work: afterwards its memory is the same, word for word. */

import { describe, expect, test } from 'vitest';
import { FORMS, HandDrivenGuest, optionsFor, TOPS, top } from '../../bench/guest.ts';
import { noYardstick, type Options, Yardstick } from '../../bench/native/yardstick.ts';
import { setAll, YOUNG } from '../../bench/set-pte.ts';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { PAGE_PRESENT, PAGE_RW, PAGE_USER } from '../../src/hardware/entry.ts';
import { enterGuest, leaveGuest } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { guestPagetableFlushUser } from '../../src/paging/flush.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { scratch } from '../scratch.ts';
import { differences, memoryOf } from './same-memory.ts';

const folder = scratch('yardstick');

/** The yardstick's memory after this many rounds of a work. */
async function memoryAfter(work: string, options: Options, times: number): Promise<Uint32Array> {
  const yardstick = new Yardstick(work, options);
  await yardstick.measure([times]);
  return await memoryOf(yardstick, folder);
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
