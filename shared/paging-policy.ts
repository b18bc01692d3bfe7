/**
 * What the paging code may do one way or another, and be as right: its policies. By default
 * it does as lguest. Remarks in lguest's own code say of each that another way might be
 * better, or by how much this one is; docs/policies.md has them, docs/studies/claims.md what
 * is true of it.
 *
 * See docs/decisions/policies.md.
 */

/** Ways to choose, lguest's first. */
export const POLICY_CHOICES = {
  /** H:420, SET_PTE of an entry with ACCESSED: mapped at once, or when it is next used. */
  setPte: ['at-once', 'on-fault'],
  /** H:435, which of the cached pgdirs makes room for another top level. */
  eviction: ['random', 'lru', 'clock'],
  /** H:410, what of a pgdir's kernel part stays when it is given to another top level. */
  kernelMappings: ['kept', 'dropped'],
  /** M:009, H:470, the kernel's mappings changed: all goes, or what is no longer so. */
  kernelChange: ['clear-all', 'compare'],
  /** M:008, whether shadow tables that nobody runs on go when the host is short of memory. */
  reclaim: ['never', 'when-short'],
} as const;

type Choices = typeof POLICY_CHOICES;

export type PagingPolicy = {
  readonly [K in keyof Choices]: Choices[K][number];
} & {
  /** M:007: entries that a fault looks at together, its own and those beside it. */
  readonly prefault: number;
};

/** A page of entries with PAE: no batch is larger. */
export const MOST_PREFAULT = 512;

export const AS_LGUEST: PagingPolicy = {
  setPte: 'at-once',
  eviction: 'random',
  kernelMappings: 'kept',
  kernelChange: 'clear-all',
  prefault: 1,
  reclaim: 'never',
};

/** The same as switches: V8 compares names by a call. All off, and 1, is as lguest. */
export interface PolicySwitches {
  readonly mapsOnFault: boolean;
  readonly evictsLru: boolean;
  readonly evictsByClock: boolean;
  readonly dropsKernel: boolean;
  readonly compares: boolean;
  readonly reclaims: boolean;
  readonly prefault: number;
}

export function policySwitches(chosen: Partial<PagingPolicy> = {}): PolicySwitches {
  const policy = { ...AS_LGUEST, ...chosen };
  return {
    mapsOnFault: policy.setPte === 'on-fault',
    evictsLru: policy.eviction === 'lru',
    evictsByClock: policy.eviction === 'clock',
    dropsKernel: policy.kernelMappings === 'dropped',
    compares: policy.kernelChange === 'compare',
    reclaims: policy.reclaim === 'when-short',
    prefault: policy.prefault,
  };
}
