/** Programs as litmus tests, with the outcomes that the model computes. */

import { createHash } from 'node:crypto';
import type { PagingName } from '../../hardware/entry.ts';
import { hex } from '../../numbers.ts';
import { type Litmus, parseLitmus } from '../litmus/litmus.ts';
import { FAULT } from '../litmus/tokens.ts';
import { lettersOf } from './alphabets.ts';
import { litmusText, type Outcomes, PAGE_NUMBERS, understood } from './guest.ts';
import { legalPrograms } from './legality.ts';
import { type Expected, expect, type Outcome, type Sight } from './model.ts';
import { type Configuration, type Program, programsOf } from './programs.ts';

export interface GeneratedTest {
  /** A file name by the test's content alone, so that the same program is the same test. */
  readonly name: string;
  readonly text: string;
}

interface Parts {
  readonly configuration: Configuration;
  readonly paging: PagingName;
  /** The kind of its failure. */
  readonly about?: string;
  readonly defect?: string | undefined;
}

export function testOf(
  program: Program,
  { configuration, paging, about = 'Generated.', defect }: Parts,
): GeneratedTest {
  const litmus = understood(program, configuration, paging);
  const parts = {
    name: litmus.vcpus.map(({ texts }) => texts.join(', ') || 'nothing').join(' beside '),
    about,
    ...(defect !== undefined && { defect }),
    outcomes: outcomesOf(expect(litmus, PAGE_NUMBERS)),
  };
  const digest = createHash('sha256').update(JSON.stringify([configuration, program]));
  return {
    name: `gen-${digest.digest('hex').slice(0, 10)}.yaml`,
    text: litmusText(program, configuration, paging, parts),
  };
}

/** Every legal program as a litmus test, once each, in the order of programsOf. */
export function* testsOf(
  alphabet: string,
  operations: number,
  { configuration, paging }: Pick<Parts, 'configuration' | 'paging'>,
): Generator<{ readonly name: string; readonly litmus: Litmus }, void, void> {
  const programs = programsOf(lettersOf(alphabet, paging), configuration, operations);
  for (const program of legalPrograms(programs, configuration, paging)) {
    const { name, text } = testOf(program, { configuration, paging });
    yield { name, litmus: parseLitmus(text, name) };
  }
}

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

const conditionOf = (sights: readonly Sight[], { values, dirty }: Outcome): string =>
  sights
    .flatMap((sight, i) => {
      const value = values[i];
      return value === undefined ? [] : atomsOf(sight, value, dirty.includes(i));
    })
    .join(' and ');

function atomsOf(sight: Sight, value: number, isDirty: boolean): string[] {
  if (sight.kind === 'word') return [`word ${hex(sight.page, 2)}:0 == ${hex(value, 2)}`];
  if (sight.kind === 'register') {
    const isAddress = sight.name === 'cr2' && value !== 0;
    const text = value === FAULT ? 'fault' : isAddress ? hex(value) : hex(value, 2);
    return [`vcpu ${sight.vcpu} ${sight.name} == ${text}`];
  }
  const entry = `${sight.table} ${hex(sight.va)}`;
  if (value < 0) return [`${entry} is none`];
  const rights = `${value % 2 === 1 ? '' : 'not '}${entry} has rw`;
  const page = `${entry} is page ${hex(Math.floor(value / 2), 2)}`;
  return [page, rights, ...(isDirty ? [`${entry} has dirty`] : [])];
}
