/**
 * The value of an option that is not on the command line: from the environment, else from a file,
 * else the default.
 *
 * The file is YAML: options by their long names, for all commands that have them, and under the
 * name of a command options for that one alone.
 */

import { existsSync } from 'node:fs';
import {
  type CommandUnknownOpts,
  InvalidArgumentError,
  type Option,
} from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { didYouMean } from '../yaml/closest.ts';
import { parseYaml, type Validated } from '../yaml/document.ts';
import type { Mistake, Path } from '../yaml/mistakes.ts';
import { textOf } from '../yaml/text-of.ts';

/** Read if it is there, and neither --config nor UMBRA_CONFIG names another. */
export const USUAL_FILE = 'umbra.yaml';

/** The file's own name is no setting in it. */
const CONFIG = 'config';

/** How an option is called in the file, and UMBRA_…, in capitals, in the environment. */
const nameOf = (option: Option): string => option.long!.replace(/^--(no-)?/, '');
const variableOf = (option: Option): string =>
  `UMBRA_${nameOf(option).toUpperCase().replaceAll('-', '_')}`;

/** Options that may be set: each by one name, which of a pair with `--no-…` is the first's. */
const settable = (command: CommandUnknownOpts): readonly Option[] =>
  command.options.filter((option) => nameOf(option) !== CONFIG);

/** The command as it is typed, behind `umbra`. */
export function pathOf(command: CommandUnknownOpts): string {
  const { parent } = command;
  const isTop = parent === null || parent.name() === 'umbra';
  return isTop ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

/**
 * Give the options of a parsed command that the command line did not give what environment and
 * file say; not an option that cannot be used with one on the command line. `loadAll` is asked for
 * all commands if there is a file, since it may be about any. UserError for values that are none,
 * each with its place.
 */
export async function configure(
  command: CommandUnknownOpts,
  loadAll: () => Promise<readonly CommandUnknownOpts[]>,
): Promise<void> {
  const path = fileFor(command);
  const settings = path === undefined ? undefined : readSettings(path, command, await loadAll());
  for (const option of settable(command)) {
    const attribute = option.attributeName();
    const source = command.getOptionValueSource(attribute);
    if (source !== undefined && source !== 'default') continue;
    const variable = variableOf(option);
    const text = process.env[variable];
    const value = text === undefined ? settings?.get(nameOf(option)) : interpret(option, text);
    if (value instanceof Misfit) throw new UserError(`${variable}: ${value.message}`);
    if (value === undefined) continue;
    const other = conflicting(command, option);
    if (other !== undefined && isTyped(command, other)) continue;
    if (other !== undefined) {
      const where = text === undefined ? path! : variable;
      throw new UserError(`${where}: ${option.long} cannot be used with ${other.long}, also set`);
    }
    command.setOptionValueWithSource(attribute, value, text === undefined ? CONFIG : 'env');
  }
}

/** An option that was given, and that one of the two says cannot be used with the other. */
const conflicting = (command: CommandUnknownOpts, option: Option): Option | undefined =>
  command.options.find((other) => {
    const source = command.getOptionValueSource(other.attributeName());
    const isGiven = other !== option && source !== undefined && source !== 'default';
    return isGiven && (excludes(option, other) || excludes(other, option));
  });

const excludes = (option: Option, other: Option): boolean =>
  // Commander has no accessor for what `conflicts` was given.
  (option as unknown as { readonly conflictsWith: readonly string[] }).conflictsWith.includes(
    other.attributeName(),
  );

const isTyped = (command: CommandUnknownOpts, option: Option): boolean =>
  command.getOptionValueSource(option.attributeName()) === 'cli';

function fileFor(command: CommandUnknownOpts): string | undefined {
  const named = (command.opts() as { readonly config?: string }).config;
  const path = named ?? process.env['UMBRA_CONFIG'];
  return path ?? (existsSync(USUAL_FILE) ? USUAL_FILE : undefined);
}

/** The file's values for a command, by option. */
type Settings = ReadonlyMap<string, unknown>;

function readSettings(
  path: string,
  running: CommandUnknownOpts,
  all: readonly CommandUnknownOpts[],
): Settings {
  const text = textOf(path, 'give --config the configuration, a YAML file');
  return parseYaml(text, path, 'a configuration', (value) => validate(value ?? {}, running, all));
}

/** Checks all of the file; returns the values for the running command. */
function validate(
  file: unknown,
  running: CommandUnknownOpts,
  all: readonly CommandUnknownOpts[],
): Validated<Settings> {
  if (!isMap(file)) {
    return { mistakes: [{ path: [], text: 'found no map, expected options and commands' }] };
  }
  const commands = new Map(all.map((command) => [pathOf(command), command]));
  const name = pathOf(running);
  const mistakes: Mistake[] = [];
  const forAll = new Map<string, unknown>();
  const own = new Map<string, unknown>();
  /** The option of a field in one of these commands: the running one, if it has such an option. */
  const read = (
    at: Path,
    given: unknown,
    of: readonly CommandUnknownOpts[],
    into: Map<string, unknown>,
  ): void => {
    const key = String(at.at(-1));
    const has = of.filter((command) => optionOf(command, key) !== undefined);
    const judges = has.some((command) => pathOf(command) === name) ? [commands.get(name)!] : has;
    if (judges.length === 0) {
      const known = [
        ...of.flatMap(settable).map(nameOf),
        ...(at.length === 1 ? commands.keys() : []),
      ];
      const what = at.length === 1 ? 'an option or a command' : `an option of umbra ${at[0]}`;
      const text = `found ${key}, expected ${what}${didYouMean(key, known)}`;
      mistakes.push({ path: at, atKey: true, text });
      return;
    }
    const values = judges.map((judge) => interpret(optionOf(judge, key)!, textIn(given)));
    const value = values.find((one) => !(one instanceof Misfit)) ?? values[0];
    if (value instanceof Misfit) mistakes.push({ path: at, text: value.message });
    else into.set(key, value);
  };
  for (const [key, given] of Object.entries(file)) {
    const command = commands.get(key);
    if (command === undefined) {
      read([key], given, all, forAll);
    } else if (isMap(given)) {
      const into = key === name ? own : new Map<string, unknown>();
      for (const field of Object.keys(given)) read([key, field], given[field], [command], into);
    } else {
      mistakes.push({ path: [key], text: `found no map, expected options of umbra ${key}` });
    }
  }
  return { valid: new Map([...forAll, ...own]), mistakes };
}

const optionOf = (command: CommandUnknownOpts, name: string): Option | undefined =>
  settable(command).find((option) => nameOf(option) === name);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As it would stand on the command line, a list with commas; nothing else is a value. */
function textIn(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const texts = value.map(textIn);
    return texts.includes(undefined) ? undefined : texts.join(',');
  }
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

/** Why a text is no value of an option. */
class Misfit {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  false: false,
  '0': false,
};

/** The parser of an option. */
function interpret(option: Option, text: string | undefined): unknown {
  const isFlag = !option.required && !option.optional;
  if (text === undefined) {
    return new Misfit(
      `found no value, expected ${isFlag ? 'true or false' : 'a text or a number'}`,
    );
  }
  if (isFlag) return FLAGS[text] ?? new Misfit(`found '${text}', expected true or false`);
  try {
    return option.parseArg?.(text, undefined) ?? text;
  } catch (error) {
    if (error instanceof InvalidArgumentError)
      return new Misfit(`found '${text}'. ${error.message}`);
    throw error;
  }
}
