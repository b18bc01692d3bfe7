import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Dead, killGuest } from '../../shared/lguest.ts';
import { toPtr } from '../../src/hardware/address.ts';
import { Entry } from '../../src/hardware/entry.ts';
import { smallMachine } from './machine.ts';

const MOST_BYTES = 192;
const newGuest = () => smallMachine().host.guests[0]!;

describe('a guest that is killed', () => {
  test('dies of the first reason', () => {
    const lg = newGuest();
    expect([lg.dead, lg.reason]).toEqual([Dead.Alive, '']);
    killGuest(lg.cpus[0]!, 'bad stack page 0xc0011fff');
    killGuest(lg.cpus[0]!, 'Cannot populate switcher mapping');
    expect([lg.dead, lg.reason]).toEqual([Dead.Killed, 'bad stack page 0xc0011fff']);
    expect(lg.die(Dead.PoweredOff, 'by its own wish')).toBe(false);
    expect([lg.dead, lg.reason]).toEqual([Dead.Killed, 'bad stack page 0xc0011fff']);
  });

  test('may have shut down', () => {
    const lg = newGuest();
    expect(lg.die(Dead.PoweredOff, 'shut down')).toBe(true);
    expect([lg.dead, lg.reason]).toEqual([Dead.PoweredOff, 'shut down']);
  });

  test('gives its reason in any language, cut off at 192 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (reason) => {
        const lg = newGuest();
        lg.die(Dead.Killed, reason);
        const bytes = Buffer.from(reason, 'utf8');
        expect(lg.reason).toBe(bytes.subarray(0, MOST_BYTES).toString('utf8'));
      }),
      { numRuns: 50 },
    );
    const lg = newGuest();
    lg.die(Dead.Killed, 'x'.repeat(1000));
    expect(lg.reason).toBe('x'.repeat(MOST_BYTES));
    // The next guest’s record is not written to.
    expect(lg.kernelAddress).toBe(0);
  });
});

test('an entry of 64 bits is read and written whole only with PAE', () => {
  const { host } = smallMachine();
  const at = toPtr(host.layout.firstFreeFrame * 1024);
  host.guests[0]!.setEntry(at, new Entry(0x1067, 0x7fff));
  expect(host.words.load(toPtr(at + 1))).toBe(0);
  expect(host.guests[0]!.entry(at)).toEqual(new Entry(0x1067, 0));
});
