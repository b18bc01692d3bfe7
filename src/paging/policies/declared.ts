/**
 * The policies of the paging code: choices that do not affect correctness. The defaults are
 * lguest's. Comments in lguest's own code say of each that another choice might be better, or by
 * how much this one is; docs/policies.md quotes them, docs/studies/claims.md tests them.
 *
 * Each is declared here alone: fields of files, what `umbra stress` draws and the texts of reports
 * derive from it. A policy of more than a line has a file of its own beside this one.
 *
 * See docs/decisions/policies.md.
 */

import type { Lguest } from '../../../shared/lguest.ts';

interface Policy<Option> {
  /** lguest's first; for a number, the values that `umbra stress` draws. */
  readonly options: readonly [Option, ...Option[]];
  /** In a file's schema. */
  readonly does: string;
}

/** A whole number from 1 on, which is lguest's. */
interface NumberPolicy extends Policy<number> {
  readonly most: number;
}

export const PAGING_POLICIES = {
  /** H:420 */
  setPte: {
    options: ['at-once', 'on-fault'],
    does: 'When an entry set with ACCESSED goes into the shadow: at once, or at a fault.',
  },
  /** H:435 */
  eviction: {
    options: ['random', 'lru', 'clock'],
    does: 'Which cached pgdir is evicted for another top level.',
  },
  /** H:410 */
  kernelMappings: {
    options: ['kept', 'dropped'],
    does: 'Whether an evicted pgdir keeps its kernel part.',
  },
  /** M:009, H:470 */
  kernelChange: {
    options: ['clear-all', 'compare'],
    does: 'When a kernel mapping has changed: drop everything, or only what differs now.',
  },
  /** M:007. A page of entries with PAE is the largest batch. */
  prefault: {
    options: [1, 4, 16],
    most: 512,
    does: 'How many neighbouring entries a fault looks at, its own among them.',
  },
  /** M:008 */
  reclaim: {
    options: ['never', 'when-short'],
    does: 'Whether shadows that no vCPU uses are emptied when the host is short of memory.',
  },
} as const satisfies Readonly<Record<string, Policy<string> | NumberPolicy>>;

type Declared = typeof PAGING_POLICIES;

export type PolicyName = keyof Declared;

export const POLICY_NAMES = Object.keys(PAGING_POLICIES) as readonly PolicyName[];

/** The choice for each. */
export type PagingPolicy = {
  readonly [K in PolicyName]: Declared[K] extends NumberPolicy
    ? number
    : Declared[K]['options'][number];
};

/** A value for each policy. */
export const ofEach = <T>(make: (name: PolicyName) => T): Record<PolicyName, T> =>
  Object.fromEntries(POLICY_NAMES.map((name) => [name, make(name)])) as Record<PolicyName, T>;

export const AS_LGUEST = ofEach((name) => PAGING_POLICIES[name].options[0]) as PagingPolicy;

/** As a field of a file, and in reports: kernel_change. */
export type FieldName<S extends string> = S extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${FieldName<Rest>}`
  : S;

export const fieldName = <S extends PolicyName>(name: S): FieldName<S> =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) as FieldName<S>;

/** As numbers for the paging code: V8 compares strings by a call. */
type Switches = {
  readonly [K in PolicyName]: Declared[K] extends NumberPolicy
    ? number
    : Readonly<Record<Declared[K]['options'][number], boolean>>;
};

export function policySwitches(chosen: Partial<PagingPolicy> = {}): Switches {
  const policy = { ...AS_LGUEST, ...chosen };
  return ofEach((name) => {
    const { options, most } = PAGING_POLICIES[name] as Policy<string | number> & { most?: number };
    if (most !== undefined) return policy[name];
    return Object.fromEntries(options.map((option) => [option, option === policy[name]]));
  }) as Switches;
}

/** A guest's, from its layout. */
export const policyOf = ({ policy }: Lguest): Switches => policy as Switches;
