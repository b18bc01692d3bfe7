/** A guest's accesses: those that hit the TLB, and those that walk the shadow tables. */

import { lookUp } from '../shared/tlb.ts';
import * as access from '../src/hardware/access.ts';
import type { Gva } from '../src/hardware/address.ts';
import type { PagingName } from '../src/hardware/entry.ts';
import type { Mmu } from '../src/mmu/tlb.ts';
import { FORMS, HandDrivenGuest, optionsFor, pageAddress, SWEEP } from './guest.ts';
import { nativeSide } from './native/yardstick.ts';
import { keep, type Line, repeated, type Side } from './pair.ts';

const { UserRead, UserWrite } = access.Right;

/** Accesses that hit: eight words in a row on each page, all in the first cache together. */
const TO_A_PAGE = 8;
const HIT_PAGES = 64;
const HITS = TO_A_PAGE * HIT_PAGES;

/** A guest whose sweep is in its shadow. */
export function mappedMmu(paging: PagingName): { memory: Uint32Array; mmu: Mmu } {
  const guest = new HandDrivenGuest({ paging });
  guest.faultAll();
  return { memory: guest.host.words.plain, mmu: guest.mmu() };
}

/** Addresses that hit, and the words behind them: in arrays, as a program's stream gives them. */
function mappedHits() {
  const { memory, mmu } = mappedMmu('nonpae');
  const addresses = Uint32Array.from({ length: HITS }, (_, i) => {
    const page = Math.floor(i / TO_A_PAGE);
    // A line of its own for each page, and not the same one of every page.
    return pageAddress(page) + page * 64 + (i % TO_A_PAGE) * 4;
  });
  const places = addresses.map((va) => mmu.translate(va as Gva, UserWrite));
  return { memory, mmu, addresses, places };
}

/** As programs' accesses are done (src/guest/user.ts): in a loop that calls nothing. */
function programLoads(): Side {
  const { memory, mmu, addresses } = mappedHits();
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

function programStores(): Side {
  const { memory, mmu, addresses } = mappedHits();
  const { tlb, generation } = mmu.cpu;
  return repeated('looked up in a loop', () => {
    let i = 0;
    for (; i < HITS; i++) {
      const at = lookUp(memory, tlb, generation, addresses[i]! as Gva, UserWrite);
      if (at < 0) break;
      memory[at] = i;
    }
    return i;
  });
}

/** As the guest kernel's accesses are done, which may walk and fault each. */
function kernelLoads(): Side {
  const { memory, mmu, addresses } = mappedHits();
  return repeated('asked of the MMU', () => {
    let sum = 0;
    for (let i = 0; i < HITS; i++) {
      const at = mmu.translate(addresses[i]! as Gva, UserRead);
      if (at >= 0) sum = (sum + memory[at]!) | 0;
    }
    keep(sum);
    return HITS;
  });
}

function plainLoads(): Side {
  const { memory, places } = mappedHits();
  return repeated('the same words, untranslated', () => {
    let sum = 0;
    for (let i = 0; i < HITS; i++) sum = (sum + memory[places[i]!]!) | 0;
    keep(sum);
    return HITS;
  });
}

function plainStores(): Side {
  const { memory, places } = mappedHits();
  return repeated('the same words, untranslated', () => {
    for (let i = 0; i < HITS; i++) memory[places[i]!] = i;
    return HITS;
  });
}

/** A load from each page of the sweep, or from its first pages again and again. */
function sweeps(name: string, paging: PagingName, pages: number): Side {
  const { mmu } = mappedMmu(paging);
  return repeated(name, () => {
    let sum = 0;
    for (let i = 0; i < SWEEP; i++) sum += mmu.translate(pageAddress(i % pages), UserRead);
    keep(sum);
    return SWEEP;
  });
}

/** No page is in the TLB any more when it comes again. */
export const misses = (paging: PagingName): Side =>
  sweeps('TLB miss on a mapped page', paging, SWEEP);

const hit = { unit: 'ns', goal: { of: 'native', most: 2 } } as const;

export const accessLines: readonly Line[] = [
  {
    name: 'TLB hit, load',
    ...hit,
    measured: programLoads,
    baseline: plainLoads,
    native: () => nativeSide('hit-load', optionsFor({ paging: 'nonpae' })),
  },
  {
    name: 'TLB hit, store',
    ...hit,
    measured: programStores,
    baseline: plainStores,
    native: () => nativeSide('hit-store', optionsFor({ paging: 'nonpae' })),
  },
  {
    name: 'guest kernel’s load that hits the TLB',
    unit: 'ns',
    measured: kernelLoads,
    baseline: programLoads,
    native: () => nativeSide('hit-load', optionsFor({ paging: 'nonpae' })),
  },
  ...FORMS.map(
    ({ paging, levels }): Line => ({
      name: `TLB miss, ${levels}`,
      unit: 'ns',
      goal: { of: 'native', most: paging === 'pae' ? 2 : 1.5 },
      measured: () => misses(paging),
      baseline: () => sweeps('TLB hit', paging, HIT_PAGES),
      native: () => nativeSide('miss', optionsFor({ paging })),
    }),
  ),
];
