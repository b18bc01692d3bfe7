/** Options that several commands have, and the numbers in them. */

import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DISCIPLINES, type DisciplineName } from '../../shared/discipline.ts';
import type { PagingName } from '../../shared/entry.ts';
import { PRESET_NAMES } from '../cost/presets.ts';
import { MEMORY_MODELS } from '../explore/engine/turn.ts';
import { POLICIES, type PolicyName, policies } from '../host/policy.ts';
import { parseDefects } from './defects.ts';

/** The same for every command, and every command below it: where its options may stand as well. */
export function withConfig(command: Command): Command {
  for (const below of command.commands) withConfig(below);
  if (command.commands.length > 0) return command;
  return command.option(
    '--config <file>',
    'options from this file (by default umbra.yaml, if it is there)',
  );
}

export const pagingOption = (): Option =>
  new Option('--paging <form>', 'page tables of two or three levels').choices([
    'nonpae',
    'pae',
  ] satisfies PagingName[]);

export const disciplineOption = (): Option =>
  new Option(
    '--discipline <name>',
    'how the vCPUs of a guest are kept from harming one another',
  ).choices(DISCIPLINES satisfies readonly DisciplineName[]);

export const memoryOption = (): Option =>
  new Option(
    '--memory <model>',
    'whether plain stores are in memory at once (sc), or wait in store buffers as on x86 (tso)',
  )
    .choices(MEMORY_MODELS)
    .default('sc');

export const policyOption = (): Option =>
  new Option('--policy <name>', 'where a vCPU goes on when its time is up').choices(
    POLICIES satisfies readonly PolicyName[],
  );

export const costsOption = (): Option =>
  new Option(
    '--costs <preset>',
    'hardware by which cycles are counted (umbra costs lists what each event costs there)',
  ).choices(PRESET_NAMES);

export const defectsOption = (): Option =>
  new Option(
    '--defects <ids>',
    'defects of the C code that are on: all, none, or U4,R9,… (umbra defects lists them; ' +
      'by default all as written, none under another discipline)',
  ).argParser(parseDefects);

/** For --help: a line for each policy. */
export const policyHelp = (): string =>
  `\nPolicies:\n${POLICIES.map((name) => `  ${name.padEnd(14)} ${policies[name].description}`).join('\n')}\n`;

export const defaultCpus = (): number => Math.max(2, availableParallelism());

/** A whole number of at least `least`. */
export function integer(least: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(n) || n < least || n > 0xffff_ffff) {
      throw new InvalidArgumentError(`A whole number of at least ${least} is expected.`);
    }
    return n;
  };
}
