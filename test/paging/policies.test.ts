/** The differences that each policy of the paging code makes against lguest, and no others. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { NOBODYS } from '../../shared/pgdir.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import { type Gpa, type Gva, NO_FRAME, toGpa, toGpfn, toGva } from '../../src/hardware/address.ts';
import { Entry } from '../../src/hardware/entry.ts';
import { notified } from '../../src/host/launcher.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { guestMappingsChanged } from '../../src/paging/policies/compare.ts';
import {
  fieldName,
  PAGING_POLICIES,
  type PagingPolicy,
  POLICY_NAMES,
} from '../../src/paging/policies/declared.ts';
import { shrinkIfShort } from '../../src/paging/policies/reclaim.ts';
import { guestSetPmd, guestSetPte } from '../../src/paging/set.ts';
import { freeGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { Rig } from '../rig.ts';
import { A, BY_USER, D, FORMS, KERNEL, P, RW, Scripted, TOP, USER, VA, WRITE } from './scripted.ts';

const page = (i: number): Gva => toGva(VA + i * 0x1000);
const USED = P | RW | USER | A | D;

/** Top levels, one after the other. */
const [B, C, DD, E, F] = [0x2000, 0x3000, 0x4000, 0x5000, 0x6000].map(toGpa) as Gpa[];

/** The entry that the current pgdir's shadow maps at an address; undefined if none. */
const shown = (m: Scripted, va: Gva): string | undefined => {
  const prefix = `pte ${m.cpu().cpuPgd} ${va.toString(16).padStart(8, '0')} `;
  return m
    .state(/^pte/)
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length);
};

describe.each(FORMS)('setPte $form', ({ pae }) => {
  function changed(policy: Partial<PagingPolicy>): Scripted {
    const m = Scripted.booted({ pae, policy });
    m.map(TOP, VA, 0x40, USED);
    demandPage(m.cpu(), VA, WRITE | BY_USER);
    m.map(TOP, VA, 0x41, USED);
    guestSetPte(m.cpu(), TOP, VA, new Entry((0x41 << 12) | USED, 0));
    return m;
  }

  test('at-once: an entry with ACCESSED is mapped when it is set', () => {
    expect(shown(changed({ setPte: 'at-once' }), VA)).toBe('g41 67');
  });

  test('on-fault: it is mapped at its first use', () => {
    const m = changed({ setPte: 'on-fault' });
    expect(shown(m, VA)).toBeUndefined();
    demandPage(m.cpu(), VA, WRITE | BY_USER);
    expect(shown(m, VA)).toBe('g41 67');
  });
});

describe('eviction', () => {
  /** The cached top levels after switching to these in order. */
  function cached(eviction: PagingPolicy['eviction'], tops: readonly Gpa[]): string[] {
    const m = Scripted.booted({ policy: { eviction } });
    for (const top of tops) {
      m.random = 3;
      guestNewPagetable(m.cpu(), top);
    }
    return m.state(/^pgdir/).map((line) => /gpgdir=(\S+)/.exec(line)![1]!);
  }

  test('random: the drawn pgdir, though others are free', () => {
    expect(cached('random', [B!, C!])).toEqual(['1000', '3000']);
  });

  test('lru: the least recently left', () => {
    expect(cached('lru', [B!, C!, DD!])).toEqual(['1000', '2000', '3000', '4000']);
    expect(cached('lru', [B!, C!, DD!, TOP, E!])).toEqual(['1000', '5000', '3000', '4000']);
    expect(cached('lru', [B!, C!, DD!, TOP, E!, F!])).toEqual(['1000', '5000', '6000', '4000']);
  });

  test('clock: the first that was not used since the hand passed', () => {
    // All were used, so the hand goes round once and evicts TOP, where it began.
    expect(cached('clock', [B!, C!, DD!, E!])).toEqual(['4000', '5000', '2000', '3000']);
    // B is next, which was used again: it gets another chance.
    expect(cached('clock', [B!, C!, DD!, E!, B!, F!])).toEqual(['4000', '5000', '2000', '6000']);
  });

  test.each(PAGING_POLICIES.eviction.options)(
    '%s: never one that another vCPU runs on',
    (eviction) => {
      const rig = new Rig({
        program: makeWorkload({ name: 'pgdir-thrash', seed: 1 }),
        vcpus: 4,
        hostCpus: 2,
        discipline: 'pgdir-lock',
        defects: [],
        pgdirs: 2,
        policy: { eviction },
      });
      rig.runAll(61);
      expect([rig.reason, rig.violations()]).toEqual(['Power down', []]);
    },
  );
});

describe.each(FORMS)('kernelMappings $form', ({ pae }) => {
  const STACK = toGva(0xc001_2000);
  const OTHER = toGva(0xc002_0000);

  function evicted(policy: Partial<PagingPolicy>): Scripted {
    const m = Scripted.booted({ pae, policy });
    m.cpu().esp1 = STACK;
    m.cpu().stackPages = 1;
    for (const top of [TOP, B!]) {
      m.map(top, toGva(STACK - 1), 0x41, P | RW | A | D);
      m.map(top, OTHER, 0x42, P | RW | A | D);
    }
    demandPage(m.cpu(), OTHER, WRITE);
    m.random = 0;
    guestNewPagetable(m.cpu(), B!);
    return m;
  }

  test('kept: the new top level has the kernel mappings of the old one', () => {
    expect(shown(evicted({ kernelMappings: 'kept' }), OTHER)).toBe('g42 63');
  });

  test('dropped: it has only the mappings that the vCPU needs', () => {
    const m = evicted({ kernelMappings: 'dropped' });
    expect(shown(m, OTHER)).toBeUndefined();
    expect(shown(m, toGva(STACK - 0x1000))).toBe('g41 63');
    expect(shown(m, m.host.switcherAddr)).toBe('s0 161');
  });
});

describe.each(FORMS)('kernelChange $form', ({ pae }) => {
  const KERNEL_VA = toGva(KERNEL + 0x5000);

  /** Two pages of the user's and one of the kernel's; the guest has not made a hypercall yet. */
  function told(policy: Partial<PagingPolicy>, change: (m: Scripted) => void): Scripted {
    const m = Scripted.booted({ pae, policy, defects: [] });
    for (const [i, va] of [VA, page(1), KERNEL_VA].entries()) {
      m.map(TOP, va, 0x40 + i, i < 2 ? USED : P | RW | A | D);
      demandPage(m.cpu(), va, WRITE);
    }
    m.cpu().cr3 = TOP;
    change(m);
    guestMappingsChanged(m.cpu());
    return m;
  }
  const all = (m: Scripted) => [VA, page(1), KERNEL_VA].map((va) => shown(m, va));

  test('clear-all: drops everything, changed or not', () => {
    expect(all(told({}, () => {}))).toEqual([undefined, undefined, undefined]);
  });

  test('compare: keeps unchanged entries', () => {
    const m = told({ kernelChange: 'compare' }, () => {});
    expect(all(m)).toEqual(['g40 67', 'g41 67', 'g42 63']);
    expect(m.lg.counters.get(Counter.EntriesCompared)).toBe(3);
  });

  test.each([
    ['leads elsewhere', (m: Scripted) => m.map(TOP, KERNEL_VA, 0x50, P | RW | A | D)],
    ['is gone', (m: Scripted) => m.map(TOP, KERNEL_VA, 0, 0)],
    ['became read-only', (m: Scripted) => m.map(TOP, KERNEL_VA, 0x42, P | A | D)],
    ['has lost ACCESSED', (m: Scripted) => m.map(TOP, KERNEL_VA, 0x42, P | RW | D)],
    ['has lost DIRTY', (m: Scripted) => m.map(TOP, KERNEL_VA, 0x42, P | RW | A)],
    ['has another frame', (m: Scripted) => m.setVma(0x42, Vma.CopyOnWrite)],
  ])('compare: drops an entry that %s, and no other', (_, change) => {
    const m = told({ kernelChange: 'compare' }, change);
    expect(all(m)).toEqual(['g40 67', 'g41 67', undefined]);
    freeGuestPagetable(m.lg);
    expect(m.state(/^ref g/)).toEqual([]);
  });

  test('compare: drops everything below an upper entry that allows less', () => {
    const m = told({ kernelChange: 'compare' }, (m) => m.map(TOP, VA, 0x40, USED, 0x65));
    expect(all(m)).toEqual([undefined, undefined, 'g42 63']);
  });

  test('compare: a guest without tables yet keeps everything', () => {
    const m = new Scripted({ pae, policy: { kernelChange: 'compare' } });
    m.cpu().linearPages = true;
    guestMappingsChanged(m.cpu());
    expect(m.reason).toBe('');
  });
});

test('compare: setting a middle level drops none of the present entries', () => {
  const m = Scripted.booted({ pae: true, policy: { kernelChange: 'compare' }, defects: [] });
  m.map(TOP, VA, 0x40, USED);
  m.cpu().cr3 = TOP;
  demandPage(m.cpu(), VA, WRITE);
  guestSetPmd(m.cpu());
  expect(shown(m, VA)).toBe('g40 67');
});

describe.each(FORMS)('prefault $form', ({ pae }) => {
  /** Eight pages of a batch and the one behind it, and a fault on the third. */
  function faulted(prefault: number, prepare: (m: Scripted) => void = () => {}): Scripted {
    const m = Scripted.booted({ pae, policy: { prefault } });
    for (let i = 0; i < 9; i++) m.map(TOP, page(i), 0x40 + i, USED);
    prepare(m);
    demandPage(m.cpu(), page(2), BY_USER);
    return m;
  }
  const mapped = (m: Scripted): number[] =>
    Array.from({ length: 9 }, (_, i) => i).filter((i) => shown(m, page(i)) !== undefined);

  test('1: the faulting page', () => {
    expect(mapped(faulted(1))).toEqual([2]);
  });

  test('8: all of its batch, and no other', () => {
    const m = faulted(8);
    expect(mapped(m)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(m.lg.counters.get(Counter.Prefaulted)).toBe(7);
    freeGuestPagetable(m.lg);
    expect(m.state(/^ref g/)).toEqual([]);
  });

  test('8: no page that the guest has not used, does not map, or shares until a write', () => {
    const m = faulted(8, (m) => {
      m.map(TOP, page(0), 0x40, P | RW | USER);
      m.map(TOP, page(1), 0, 0);
      m.map(TOP, page(3), 0xffff, USED);
      m.setVma(0x44, Vma.CopyOnWrite);
      m.setVma(0x45, Vma.None);
      m.setVma(0x46, Vma.ReadOnly);
    });
    expect([m.reason, mapped(m)]).toEqual(['', [2, 7]]);
  });

  test('8: a page discarded during the check gets a frame of its own, not the zero page', () => {
    const m = Scripted.booted({ pae, policy: { prefault: 8 }, defects: [] });
    for (const i of [2, 3]) m.map(TOP, page(i), 0x40 + i, P | RW | USER | A);
    const { map } = m.lg;
    const state = map.state.bind(map);
    const discarded: number[] = [];
    map.state = (gpfn) => {
      const before = state(gpfn);
      map.discard(gpfn);
      discarded.push(gpfn);
      return before;
    };
    demandPage(m.cpu(), page(2), BY_USER);
    expect(discarded).toEqual([0x43]);
    expect(shown(m, page(3))).toBe('g43 25');
    expect(map.frame(toGpfn(0x43))).not.toBe(m.host.zeroPage);
  });

  test('8: maps a clean page read-only', () => {
    const m = faulted(8, (m) => m.map(TOP, page(3), 0x43, P | RW | USER | A));
    expect(shown(m, page(3))).toBe('g43 25');
  });
});

describe('reclaim', () => {
  /** Runs on TOP, and was on B. */
  function onTwo(policy: Partial<PagingPolicy>): Scripted {
    const m = Scripted.booted({ policy, defects: [] });
    m.map(TOP, VA, 0x40, USED);
    m.map(B!, VA, 0x41, USED);
    for (const [top, random] of [
      [B!, 1],
      [TOP, 0],
    ] as const) {
      m.random = random;
      guestNewPagetable(m.cpu(), top);
      demandPage(m.cpu(), VA, WRITE);
    }
    return m;
  }
  const references = (m: Scripted): string[] => m.state(/^ref g/);

  function takeAllFrames({ host }: Scripted): void {
    while (host.frames.allocate(FrameKind.GuestPage, 0) !== NO_FRAME);
  }

  test.each(PAGING_POLICIES.reclaim.options)('%s: keeps all while there is memory', (reclaim) => {
    const m = onTwo({ reclaim });
    shrinkIfShort(m.cpu());
    expect(references(m)).toEqual(['ref g40 1', 'ref g41 1']);
  });

  test('never: and without memory, too', () => {
    const m = onTwo({ reclaim: 'never' });
    takeAllFrames(m);
    shrinkIfShort(m.cpu());
    expect(references(m)).toEqual(['ref g40 1', 'ref g41 1']);
  });

  test('when-short: drops a shadow that no vCPU runs on, and makes it anew', () => {
    const m = onTwo({ reclaim: 'when-short' });
    takeAllFrames(m);
    shrinkIfShort(m.cpu());
    expect(references(m)).toEqual(['ref g40 1']);
    m.random = 1;
    guestNewPagetable(m.cpu(), B!);
    demandPage(m.cpu(), VA, WRITE);
    expect([m.reason, shown(m, VA)]).toEqual(['', 'g41 67']);
  });

  test('when-short: takes a shadow from its top level before emptying it, so that no change is applied to it', () => {
    const m = onTwo({ reclaim: 'when-short' });
    takeAllFrames(m);
    const pgdir = m.lg.pgdirs[1]!;
    const seen: number[] = [];
    const count = pgdir.countChange.bind(pgdir);
    pgdir.countChange = () => {
      seen.push(pgdir.gpgdir);
      count();
    };
    shrinkIfShort(m.cpu());
    expect(seen).toEqual([NOBODYS]);
  });

  test.each([
    ['never', 1],
    ['when-short', 0],
  ] as const)('%s: %i shadow entries hold a page that the Launcher has discarded', (reclaim, n) => {
    const m = onTwo({ reclaim });
    const cpu = m.hostCpu(0).cpu(0);
    const frame = m.lg.map.frame(toGpfn(0x41));
    notified(cpu, toGpa(0x41001));
    expect(m.lg.map.state(toGpfn(0x41))).toBe(Vma.CopyOnWrite);
    expect(m.host.frames.references(frame)).toBe(n);
  });
});

test('docs/policies.md lists each with its options', () => {
  const rows = readFileSync('docs/policies.md', 'utf8').match(/^\| `.*$/gm) ?? [];
  const expected = POLICY_NAMES.map((name) => {
    const policy = PAGING_POLICIES[name];
    const [lguest, ...others] = policy.options;
    const shown = 'most' in policy ? ['2', String(policy.most)] : others;
    return [fieldName(name), String(lguest), ...shown];
  });
  expect(
    rows.map((row) =>
      row
        .split('|')
        .slice(1, 4)
        .join()
        .match(/[\w-]+/g),
    ),
  ).toEqual(expected);
});
