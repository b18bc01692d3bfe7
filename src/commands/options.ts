/** Options that several commands have, and the numbers in them. */

import {
  type Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
  type OptionValues,
} from '@commander-js/extra-typings';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { PRESET_NAMES } from '../cost/presets.ts';
import { UserError } from '../errors.ts';
import { MEMORY_MODELS } from '../explore/engine/run-mode.ts';
import { MAX_VCPUS } from '../guest/kernel/layout.ts';
import type { PagingName } from '../hardware/entry.ts';
import { hostCpusOf, readPlacement } from '../host/placement.ts';
import {
  isReplay,
  POLICIES,
  type PolicyName,
  placementFile,
  policies,
  REPLAY_DESCRIPTION,
  type ReplayName,
} from '../host/policy.ts';
import { parseThreshold } from '../report/threshold.ts';
import { MOST_SLICE } from '../scenario/schema.ts';
import type { Slice } from '../scenario/spec.ts';
import { parseDefects } from './defects.ts';

/** Options that a group is added to: none. */
export type None = Record<never, never>;

/** The options of a command or of a group of them, by what declares it. */
export type OptionsOf<Declare extends (...args: never[]) => { opts(): object }> = Readonly<
  ReturnType<ReturnType<Declare>['opts']>
>;

/**
 * A group of options that several commands share. Its type is written once here: else each command
 * would infer it again, option by option.
 */
export const group =
  <Args extends unknown[], Own extends OptionValues>(
    add: (command: Command) => Command<Args, Own>,
  ) =>
  <A extends unknown[], O extends OptionValues, G extends OptionValues>(
    command: Command<A, O, G>,
  ): Command<[...A, ...Args], O & Own, G> =>
    add(command as never) as never;

/** The same for every command, and every command below it: where its options may stand as well. */
export function withConfig(command: CommandUnknownOpts): CommandUnknownOpts {
  for (const below of command.commands) withConfig(below);
  if (command.commands.length > 0) return command;
  return command.option(
    '--config <file>',
    'take options from this file (by default umbra.yaml, if it exists)',
  );
}

/** The first of these options, by default of all, that is on the command line. */
const givenOf = (
  command: CommandUnknownOpts,
  names: readonly string[] = command.options
    .map((option) => option.attributeName())
    .filter((name) => name !== 'config'),
): string | undefined =>
  command.options.find((option) => {
    const name = option.attributeName();
    return names.includes(name) && command.getOptionValueSource(name) === 'cli';
  })?.long;

/**
 * Throws UserError for an option on the command line of a command that only lists what there is,
 * since `what` is to be run was not given.
 */
export function mustBeBare(command: CommandUnknownOpts, what: string): void {
  const given = givenOf(command);
  if (given === undefined) return;
  throw new UserError(
    `${given} is about a run, and ${what} to run is not given: umbra ${command.name()} alone ` +
      'lists them',
  );
}

/** Throws UserError for these options on the command line without another, which they are for. */
export function mustGoWith(command: CommandUnknownOpts, other: string, names: string[]): void {
  if (command.getOptionValue(other)) return;
  const given = givenOf(command, names);
  if (given === undefined) return;
  const needed = command.options.find((option) => option.attributeName() === other)!.long;
  throw new UserError(`${given} is for ${needed}: give both, or neither`);
}

const PAGINGS = ['nonpae', 'pae'] as const satisfies readonly PagingName[];

export const pagingOption = () =>
  new Option('--paging <form>', 'page tables with two levels (nonpae) or three (pae)').choices(
    PAGINGS,
  );

export const disciplineOption = () =>
  new Option('--discipline <name>', 'which locks the paging code takes').choices(DISCIPLINES);

export const memoryOption = () =>
  new Option(
    '--memory <model>',
    'sc: plain stores reach memory at once; tso: they wait in store buffers, as on x86',
  )
    .choices(MEMORY_MODELS)
    .default('sc');

export const policyOption = () =>
  new Option('--policy <name>', 'where a vCPU continues after its time slice, or replay:FILE')
    .choices(POLICIES)
    .argParser(parsePolicy);

function parsePolicy(text: string): PolicyName | ReplayName {
  const name = POLICIES.find((policy) => policy === text);
  if (name !== undefined) return name;
  if (isReplay(text)) return text;
  throw new InvalidArgumentError(`Allowed choices are ${POLICIES.join(', ')}, replay:FILE.`);
}

/** Host CPUs where none are asked for: as many as usual, and as a placement takes. */
export const cpusFor = (policy: PolicyName | ReplayName | undefined, usual: number): number =>
  policy !== undefined && isReplay(policy)
    ? Math.max(usual, hostCpusOf(readPlacement(placementFile(policy))))
    : usual;

export const vcpusOption = () =>
  new Option('--vcpus <n>', `vCPUs of each guest, 1 to ${MAX_VCPUS}; lguest had one`).argParser(
    integer(1, MAX_VCPUS),
  );

export const sliceOption = () =>
  new Option(
    '--slice <n>',
    'operations per time slice: a number, or a range to draw from, as 500..5000',
  ).argParser(parseSlice);

/** `500`, or `500..5000`. */
function parseSlice(text: string): Slice {
  const [least, most = least] = (/^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [])
    .slice(1)
    .flatMap((digits) => (digits === undefined ? [] : Number(digits)));
  if (least === undefined || most === undefined || least < 1 || most < least || most > MOST_SLICE) {
    throw new InvalidArgumentError(
      `N or N..M is expected, from 1 to ${MOST_SLICE}, N no more than M.`,
    );
  }
  return { least, most };
}

export const costsOption = () =>
  new Option(
    '--costs <preset>',
    'hardware whose cycle costs are used (umbra costs lists them)',
  ).choices(PRESET_NAMES);

export const defectsOption = () =>
  new Option(
    '--defects <ids>',
    'defects of the C code that are on: all, none, or U4,R9,… (umbra defects lists them; ' +
      'by default all if as-written, none under another discipline)',
  ).argParser(parseDefects);

/** One after the other on the command line. */
export const several =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[] | undefined): T[] => [...(before ?? []), parse(text)];

/** `of`: what the thresholds apply to. */
export const expectOption = (of: string) =>
  new Option(
    '--expect <threshold>',
    `what ${of} must meet, as in 'faults_per_s > 1e5'; may be repeated`,
  ).argParser(several(parseThreshold));

/** For --help: a line for each policy. */
export function policyHelp(): string {
  const all = [
    ...POLICIES.map((name) => [name, policies[name].description] as const),
    ['replay:FILE', REPLAY_DESCRIPTION] as const,
  ];
  const lines = all.map(([name, description]) => `  ${name.padEnd(14)} ${description}`);
  return `\nPolicies:\n${lines.join('\n')}\n`;
}

/** A machine, and the expected result of its run. */
export const withMachine = group((command) =>
  command
    .optionsGroup('Machine:')
    .addOption(disciplineOption())
    .addOption(pagingOption())
    .option('--cpus <n>', 'host CPUs, one worker thread each', integer(1))
    .addOption(vcpusOption())
    .addOption(policyOption())
    .addOption(sliceOption())
    .option('--seed <n>', 'seed of everything that is drawn at random', integer(0))
    .addOption(defectsOption())
    .addOption(costsOption())
    .addOption(expectOption('the run')),
);

const MOST_U32 = 0xffff_ffff;

/** A whole number from `least` to `most`. */
export function integer(least: number, most = MOST_U32): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(n) || n < least || n > most) {
      const isOpen = most === MOST_U32 && !(n > most);
      const range = isOpen ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`A whole number ${range} is expected.`);
    }
    return n;
  };
}

/** Throws UserError where so many seeds from one on go beyond those that --seed takes. */
export function mustBeSeeds(first: number, count: number): void {
  const last = first + count - 1;
  if (last <= MOST_U32) return;
  throw new UserError(
    `found seeds from ${first} to ${last}, expected none above ${MOST_U32}: give a lower --seed`,
  );
}

/** So many seeds from one on, as `mustBeSeeds` has them. */
export function seedsFrom(first: number, count: number): number[] {
  mustBeSeeds(first, count);
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Threads of one process at most: each has a heap of its own. */
const MOST_AT_A_TIME = 512;

export const atATime = integer(1, MOST_AT_A_TIME);

/** A finite number above 0, and at most `most`. */
export const positive =
  (most = Number.MAX_VALUE) =>
  (text: string): number => {
    const x = Number(text);
    if (x > 0 && x <= most) return x;
    const limit = most === Number.MAX_VALUE ? '' : `, at most ${most},`;
    throw new InvalidArgumentError(`A number above 0${limit} is expected.`);
  };
