/** A guest's accesses: those that hit the TLB, and those that walk the shadow tables. */

import * as access from '../shared/access.ts';
import type { Gva } from '../shared/address.ts';
import { lookUp } from '../shared/tlb.ts';
import type { Mmu } from '../src/mmu/tlb.ts';
import { FORMS, HandDrivenGuest, pageAddress, SWEEP } from './guest.ts';
import { nativeSide } from './native/yardstick.ts';
import { keep, type Line, repeated, type Side } from './pair.ts';

const { UserRead, UserWrite } = access.Right;

/** Accesses that hit: eight words in a row on each page, all in the first cache together. */
const TO_A_PAGE = 8;
const HIT_PAGES = 64;
const HITS = TO_A_PAGE * HIT_PAGES;

/** A guest whose sweep is in its shadow. */
function mappedGuest(paging: 'nonpae' | 'pae'): { guest: HandDrivenGuest; mmu: Mmu } {
  const guest = new HandDrivenGuest({ paging });
  guest.faultAll();
  return { guest, mmu: guest.mmu() };
}

/** Addresses and the words behind them: in arrays, as a program's stream gives them. */
function hits(mmu: Mmu): { addresses: Uint32Array; places: Uint32Array } {
  const addresses = Uint32Array.from({ length: HITS }, (_, i) => {
    const page = Math.floor(i / TO_A_PAGE);
    // A line of its own for each page, and not the same one of every page.
    return pageAddress(page) + page * 64 + (i % TO_A_PAGE) * 4;
  });
  const places = addresses.map((va) => mmu.translate(va as Gva, UserWrite));
  return { addresses, places };
}

/** As programs' accesses are done (src/guest/user.ts): in a loop that calls nothing. */
function programLoads(mmu: Mmu, memory: Uint32Array, addresses: Uint32Array): Side {
  const { tlb, generation } = mmu.cpu;
  return repeated('looked up in a loop', () => {
    let sum = 0;
    let i = 0;
    for (; i < HITS; i++) {
      const at = lookUp(memory, tlb, generation, addresses[i]! as Gva, UserRead);
      if (at < 0) break;
      sum = (sum + memory[at]!) | 0;
    }
    keep(sum);
    return i;
  });
}

const load: Line = {
  name: 'TLB hit, load',
  unit: 'ns',
  goal: { of: 'native', most: 2 },
  make: () => {
    const { guest, mmu } = mappedGuest('nonpae');
    const { addresses, places } = hits(mmu);
    const { plain } = guest.host.words;
    return {
      measured: programLoads(mmu, plain, addresses),
      baseline: repeated('the same words, untranslated', () => {
        let sum = 0;
        for (let i = 0; i < HITS; i++) sum = (sum + plain[places[i]!]!) | 0;
        keep(sum);
        return HITS;
      }),
      native: nativeSide('hit-load', guest.options),
    };
  },
};

const store: Line = {
  name: 'TLB hit, store',
  unit: 'ns',
  goal: { of: 'native', most: 2 },
  make: () => {
    const { guest, mmu } = mappedGuest('nonpae');
    const { addresses, places } = hits(mmu);
    const { plain } = guest.host.words;
    const { tlb, generation } = mmu.cpu;
    return {
      measured: repeated('looked up in a loop', () => {
        let i = 0;
        for (; i < HITS; i++) {
          const at = lookUp(plain, tlb, generation, addresses[i]! as Gva, UserWrite);
          if (at < 0) break;
          plain[at] = i;
        }
        return i;
      }),
      baseline: repeated('the same words, untranslated', () => {
        for (let i = 0; i < HITS; i++) plain[places[i]!] = i;
        return HITS;
      }),
      native: nativeSide('hit-store', guest.options),
    };
  },
};

/** As the guest kernel's accesses are done, which may walk and fault each. */
const kernelLoad: Line = {
  name: 'guest kernel’s load that hits the TLB',
  unit: 'ns',
  make: () => {
    const { guest, mmu } = mappedGuest('nonpae');
    const { addresses } = hits(mmu);
    const { plain } = guest.host.words;
    return {
      measured: repeated('asked of the MMU', () => {
        let sum = 0;
        for (let i = 0; i < HITS; i++) {
          const at = mmu.translate(addresses[i]! as Gva, UserRead);
          if (at >= 0) sum = (sum + plain[at]!) | 0;
        }
        keep(sum);
        return HITS;
      }),
      baseline: programLoads(mmu, plain, addresses),
      native: nativeSide('hit-load', guest.options),
    };
  },
};

/** One load from each page of the sweep: no page is in the TLB any more when it comes again. */
export function misses(mmu: Mmu): Side {
  return repeated('TLB miss on a mapped page', () => {
    let sum = 0;
    for (let i = 0; i < SWEEP; i++) sum += mmu.translate(pageAddress(i), UserRead);
    keep(sum);
    return SWEEP;
  });
}

const missLines = FORMS.map(
  ({ paging, levels }): Line => ({
    name: `TLB miss, ${levels}`,
    unit: 'ns',
    goal: { of: 'native', most: paging === 'pae' ? 2.5 : 2 },
    make: () => {
      const { guest, mmu } = mappedGuest(paging);
      return {
        measured: misses(mmu),
        baseline: repeated('TLB hit', () => {
          let sum = 0;
          for (let i = 0; i < SWEEP; i++) {
            sum += mmu.translate(pageAddress(i % HIT_PAGES), UserRead);
          }
          keep(sum);
          return SWEEP;
        }),
        native: nativeSide('miss', guest.options),
      };
    },
  }),
);

export const accessLines: readonly Line[] = [load, store, kernelLoad, ...missLines];
