/**
 * Fields of a scenario that are varied: `policy=pinned,random`, `guests.vcpus=1,2,4`, `cpus=1..8`.
 */

import { parse, stringify } from 'yaml';
import { UserError } from '../errors.ts';
import { didYouMean } from '../yaml/closest.ts';
import type { JsonSchema, Path } from '../yaml/mistakes.ts';
import { checkScenario, type ScenarioFile } from './parse.ts';
import { scenarioJsonSchema } from './schema.ts';

/** One field, and the values that it takes. */
export interface Varied {
  /** As it was given. */
  readonly field: string;
  /** Where it is; a name behind a list is that of all its elements. */
  readonly path: Path;
  readonly values: readonly unknown[];
}

/** A scenario with one value of each field that is varied. */
export interface Variation {
  /** The values by their fields, as they are shown. */
  readonly levels: Readonly<Record<string, string | number>>;
  readonly file: ScenarioFile;
}

/** Of one field. */
const MOST_VALUES = 64;
const MOST_VARIATIONS = 1000;

/** Fields that make no other machine; seeds are what runs of one setting differ in. */
const NO_MACHINE = ['name', 'description', 'expect', 'seed'];

/** `FIELD=VALUE,VALUE…`; throws UserError for what has not that form. */
export function parseVaried(text: string): Varied {
  const [, field, list] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(text) ?? [];
  if (field === undefined || list === undefined) {
    throw new UserError(
      `found --vary '${text}', expected FIELD=VALUE,VALUE…, as in policy=pinned,random`,
    );
  }
  return { field, path: pathOf(field), values: valuesOf(field, list) };
}

/** `guests[0].program.size`; a field that guests alone have is that of all of them. */
function pathOf(field: string): Path {
  const path = [...field.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) =>
    index === undefined ? name! : Number(index),
  );
  if (path.length === 0 || !/^\w+(\[\d+\]|\.\w+)*$/.test(field)) {
    throw new UserError(
      `found the field '${field}' in --vary, expected its path, as in cpus or guests[0].vcpus`,
    );
  }
  const { properties = {} } = scenarioJsonSchema();
  const [first] = path as [string];
  const known = Object.keys(properties).filter((name) => !NO_MACHINE.includes(name));
  const ofGuests = Object.keys(guestSchema(properties).properties ?? {}).filter(
    (name) => !NO_MACHINE.includes(name),
  );
  if (first === 'seed' && path.length === 1) {
    throw new UserError(
      'found seed in --vary, expected another field: each setting is run with the same seeds, ' +
        'which --seed and --repeat choose',
    );
  }
  if (known.includes(first)) return path;
  if (ofGuests.includes(first)) return ['guests', ...path];
  throw new UserError(
    `found the field '${first}' in --vary, expected one of ${known.join(', ')}, or of all guests ` +
      `${ofGuests.join(', ')}${didYouMean(first, [...known, ...ofGuests])}`,
  );
}

const guestSchema = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema =>
  properties['guests']!.items!;

/** As in a list of YAML: numbers, names, maps and lists; `1..8` is each of them. */
function valuesOf(field: string, list: string): unknown[] {
  const values = read(field, list).flatMap((value) => {
    const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(String(value)) ?? [];
    if (from === undefined || to === undefined) return [value];
    const count = Number(to) - Number(from) + 1;
    if (count < 1 || count > MOST_VALUES) {
      throw new UserError(
        `found ${field}=${value} in --vary, which is ${Math.max(0, count)} values, expected 1 to ` +
          `${MOST_VALUES}${field === 'slice' ? '; to draw from a range, give {least: N, most: M}' : ''}`,
      );
    }
    return Array.from({ length: count }, (_, i) => Number(from) + i);
  });
  const texts = values.map(shown);
  const twice = texts.find((text, i) => texts.indexOf(text) !== i);
  if (twice !== undefined) {
    throw new UserError(`found ${field}=${twice} twice in --vary, expected each value once`);
  }
  if (values.length > MOST_VALUES) {
    throw new UserError(
      `found ${values.length} values of ${field} in --vary, expected at most ${MOST_VALUES}`,
    );
  }
  return values;
}

function read(field: string, list: string): unknown[] {
  const expected = `expected values with commas between them, as in a list of YAML`;
  let values: unknown;
  try {
    values = parse(`[${list}]`);
  } catch (error) {
    const [problem] = (error as Error).message.split(/ at line \d+|\n/);
    throw new UserError(`found ${field}=${list} in --vary (${problem}), ${expected}`);
  }
  if (!Array.isArray(values) || values.length === 0 || values.includes(null)) {
    throw new UserError(`found ${field}=${list} in --vary, ${expected}`);
  }
  return values;
}

/** As it was given, or might have been. */
const shown = (value: unknown): string | number =>
  typeof value === 'number' || typeof value === 'string'
    ? value
    : stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();

/**
 * Every combination of the values, the last field's the fastest. Throws UserError where one of
 * them is no
 * scenario, with what is wrong and what is possible.
 */
export function variationsOf(file: ScenarioFile, varied: readonly Varied[]): Variation[] {
  const fields = varied.map(({ field }) => field);
  const twice = fields.find((field, i) => fields.indexOf(field) !== i);
  if (twice !== undefined) {
    throw new UserError(`found --vary ${twice} twice, expected all of its values in one`);
  }
  const count = varied.reduce((product, { values }) => product * values.length, 1);
  if (count > MOST_VARIATIONS) {
    throw new UserError(`found ${count} settings, expected at most ${MOST_VARIATIONS}`);
  }
  const choices = varied.reduce<Chosen[][]>(
    (all, one) => all.flatMap((so) => one.values.map((value) => [...so, { ...one, value }])),
    [[]],
  );
  return choices.map((chosen) => ({
    levels: Object.fromEntries(chosen.map(({ field, value }) => [field, shown(value)])),
    file: check(file, chosen),
  }));
}

interface Chosen extends Varied {
  readonly value: unknown;
}

function check({ scenario, name, folder }: ScenarioFile, chosen: readonly Chosen[]): ScenarioFile {
  const told = `with ${chosen.map(({ field, value }) => `${field}=${shown(value)}`).join(', ')}`;
  try {
    const changed = chosen.reduce<unknown>(
      (value, one) => put(value, one.path, one.value, one.field),
      scenario,
    );
    return { ...checkScenario(changed, folder), name };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message.replaceAll(/^/gm, `${told}: `));
  }
}

/** A copy with another value there. What stands in the way of a field makes room for it. */
function put(at: unknown, path: Path, value: unknown, field: string): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = Array.isArray(at) ? at : [];
    if (step >= list.length) {
      throw new UserError(
        `found ${field}, expected a number below ${list.length}: there are ${list.length} of them`,
      );
    }
    return list.with(step, put(list[step], rest, value, field));
  }
  if (Array.isArray(at)) return at.map((one) => put(one, path, value, field));
  // A preset of costs may stand for a map that names it.
  const others = typeof at === 'string' ? { preset: at } : isMap(at) ? at : {};
  return { ...others, [step]: put(others[step], rest, value, field) };
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
