/** What was found, clustered by kind and cause, and the smallest of each as a litmus test. */

import { createHash } from 'node:crypto';
import type { Litmus } from '../litmus/litmus.ts';
import { FAULT } from '../litmus/software.ts';
import { litmusText, type Outcomes, PAGE_NUMBERS, textsOf } from './guest.ts';
import type { KeptFind } from './ledger.ts';
import { type Expected, expect, type Outcome, type Sight } from './model.ts';
import { type GeneratePlan, type Space, spaceText } from './plan.ts';
import { understood } from './trial.ts';

export interface Cluster {
  readonly kind: string;
  readonly cause: string;
  /** Programs that failed so. */
  readonly programs: number;
  /** In which spaces. */
  readonly spaces: readonly Space[];
  /** The one with the fewest operations, and of those the first. */
  readonly smallest: KeptFind;
}

/** The largest first. */
export function clustersOf(plan: GeneratePlan, finds: readonly KeptFind[]): Cluster[] {
  const groups = Map.groupBy(finds, ({ kind, cause }) => JSON.stringify([kind, cause]));
  return [...groups.values()]
    .map((own): Cluster => {
      const [smallest] = own.toSorted((a, b) => sizeOf(a) - sizeOf(b) || a.unit - b.unit);
      const { kind, cause } = smallest!;
      const spaces = [...new Set(own.map(({ space }) => space))].toSorted((a, b) => a - b);
      return {
        ...{ kind, cause, smallest: smallest! },
        programs: own.reduce((n, { count }) => n + count, 0),
        spaces: spaces.map((space) => plan.spaces[space]!),
      };
    })
    .toSorted((a, b) => b.programs - a.programs);
}

const sizeOf = ({ program }: KeptFind): number => program.flat().length;

export interface GeneratedTest {
  /** Without a folder. */
  readonly name: string;
  readonly text: string;
}

/** With the outcomes that the model has computed. */
export function testOf({ program, kind, cause }: KeptFind, space: Space): GeneratedTest {
  const { configuration, setting } = space;
  const litmus = understood(program, configuration, setting.paging);
  const expected = expect(litmus, PAGE_NUMBERS);
  const [defect] = setting.defects.length === 1 ? setting.defects : [];
  const parts = {
    name: program.map((_, vcpu) => columnText(litmus, vcpu)).join(' beside '),
    about: `Generated; found as ${kind} (${spaceText(space)})${cause && `, by ${cause}`}.`,
    ...(defect !== undefined && { defect }),
    outcomes: outcomesOf(expected),
  };
  const text = litmusText(program, configuration, setting.paging, parts);
  // Of what it does alone: the same program found in another way is the same test.
  const digest = createHash('sha256').update(JSON.stringify([configuration, program]));
  return { name: `gen-${digest.digest('hex').slice(0, 10)}.yaml`, text };
}

const columnText = ({ vcpus }: Litmus, vcpu: number): string =>
  vcpus[vcpu]!.texts.join(', ') || 'nothing';

function outcomesOf({ sights, outcomes }: Expected): Outcomes[] {
  const mistake: Outcomes = {
    when: 'not alive',
    is: 'forbidden',
    because: 'nothing here is a mistake of the guest',
  };
  return [
    mistake,
    ...outcomes.map(
      (outcome): Outcomes => ({
        when: conditionOf(sights, outcome),
        is: 'allowed',
        because: 'an order of the operations one after the other',
      }),
    ),
  ];
}

const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;
const addressText = (va: number): string => `0x${va.toString(16).padStart(8, '0')}`;

const conditionOf = (sights: readonly Sight[], { values, dirty }: Outcome): string =>
  sights
    .flatMap((sight, i) => {
      const value = values[i];
      return value === undefined ? [] : atomsOf(sight, value, dirty.includes(i));
    })
    .join(' and ');

function atomsOf(sight: Sight, value: number, isDirty: boolean): string[] {
  if (sight.kind === 'word') return [`word ${hex(sight.page)}:0 == ${hex(value)}`];
  if (sight.kind === 'register') {
    const isAddress = sight.name === 'cr2' && value !== 0;
    const text = value === FAULT ? 'fault' : isAddress ? addressText(value) : hex(value);
    return [`vcpu ${sight.vcpu} ${sight.name} == ${text}`];
  }
  const entry = `${sight.table} ${addressText(sight.va)}`;
  if (value < 0) return [`${entry} is none`];
  const rights = `${value % 2 === 1 ? '' : 'not '}${entry} has rw`;
  const page = `${entry} is page ${hex(Math.floor(value / 2))}`;
  return [page, rights, ...(isDirty ? [`${entry} has dirty`] : [])];
}

/** In a line. */
export const columnsText = ({ program }: Pick<KeptFind, 'program'>): string =>
  program
    .map((column, i) => textsOf(column, i, program.length).join('; ') || 'nothing')
    .join('  ∥  ');
