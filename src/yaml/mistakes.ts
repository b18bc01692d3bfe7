/**
 * What is wrong with a value, from zod's issues, in words: what was found, and what was
 * expected, which is read off the JSON Schema at that place.
 */

import * as z from 'zod';
import { UserError } from '../errors.ts';
import { hex } from '../hardware/address.ts';
import { closest, didYouMean } from './closest.ts';

export type Path = readonly (string | number)[];

export interface Mistake {
  readonly path: Path;
  /** The place is the key, not its value. */
  readonly atKey?: boolean;
  /** The place is this far into a text, counted from 0. */
  readonly column?: number;
  readonly text: string;
}

/** The parts of JSON Schema that occur in ours. */
export interface JsonSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly format?: string;
  readonly minLength?: number;
}

/** Of a number that is an address: it is shown in hexadecimal. */
export const ADDRESS = 'address';

/** Enumerations longer than this are not listed whole. */
const MOST_LISTED = 14;

/** `guests[0].program: found …`, a mistake a line; `whole`: what the value is that they are in. */
export const toldAt = (mistakes: readonly Mistake[], whole: string): UserError =>
  new UserError(mistakes.map(({ path, text }) => `${placeIn(path) || whole}: ${text}`).join('\n'));

const placeIn = (path: Path): string =>
  path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('');

/** Options of a call, defaults filled in. Throws UserError with all that is wrong with them. */
export function checkedOptions<T extends z.ZodType>(schema: T, options: unknown): z.output<T> {
  const { success, data, error } = schema.safeParse(options);
  if (success) return data;
  const told = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  throw toldAt(mistakesOf(error.issues, options, told), 'the options');
}

export function mistakesOf(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  schema: JsonSchema,
): Mistake[] {
  return issues.flatMap((issue) => mistakes(issue, [], value, schema));
}

function mistakes(
  issue: z.core.$ZodIssue,
  prefix: Path,
  value: unknown,
  schema: JsonSchema,
): Mistake[] {
  const path = [...prefix, ...(issue.path as Path)];
  const all = schemasAt(schema, path);
  const here = meant(all, valueAt(value, path));
  if (issue.code === 'unrecognized_keys') {
    const known = [...new Set(here.flatMap((one) => Object.keys(one.properties ?? {})))];
    return issue.keys.map((key) => ({
      path: [...path, key],
      atKey: true,
      text: unknown(key, known),
    }));
  }
  const found = valueAt(value, path);
  if (issue.code === 'invalid_union') {
    const branches = issue.errors.filter(
      (errors, i) => !errors.some(isOfAnotherKind) && (here.length > 1 || here[0] === all[i]),
    );
    const [branch] = branches;
    if (branches.length === 1) return branch!.flatMap((one) => mistakes(one, path, value, schema));
    if (branches.length > 1 && isMap(found)) return [noVariant(path, found, here)];
  }
  const most = here[0]?.maxItems;
  if (issue.code === 'too_big' && Array.isArray(found) && most !== undefined) {
    // The place is the first that is too many.
    const text = `found ${found.length} ${String(path.at(-1))}, expected at most ${most}`;
    return [{ path: [...path, most], text }];
  }
  const suggested = typeof found === 'string' ? didYouMean(found, here.flatMap(namesIn)) : '';
  if (found === undefined) {
    const key = String(path.at(-1));
    return [
      { path: path.slice(0, -1), text: `found no ${key}, expected ${key}: ${expected(here)}` },
    ];
  }
  const isAddress = here.every(({ format }) => format === ADDRESS);
  return [
    { path, text: `found ${show(found, isAddress)}, expected ${expected(here)}${suggested}` },
  ];
}

/** Of the kinds that a value may be, the one that its fields tell, if they tell one. */
function meant(schemas: JsonSchema[], found: unknown): JsonSchema[] {
  if (!isMap(found)) return schemas;
  const told = schemas.filter(({ required = [] }) => required.some((key) => key in found));
  return told.length === 1 ? told : schemas;
}

/** Whether a value is not even of the kind that a variant of a union is. */
const isOfAnotherKind = (issue: z.core.$ZodIssue): boolean =>
  issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');

const unknown = (key: string, known: readonly string[]): string =>
  `found an unknown field ${key}, expected one of ${known.join(', ')}${didYouMean(key, known)}`;

/** A map that is none of several kinds: it has the telling field of none, or of more than one. */
function noVariant(path: Path, found: object, here: readonly JsonSchema[]): Mistake {
  const keys = Object.keys(found);
  const telling = here.flatMap((one) => one.required?.[0] ?? []);
  const known = here.flatMap((one) => Object.keys(one.properties ?? {}));
  const wrong = keys.find((key) => !known.includes(key));
  if (wrong !== undefined && closest(wrong, known) !== undefined) {
    return { path: [...path, wrong], atKey: true, text: unknown(wrong, [...new Set(known)]) };
  }
  const what = keys.length === 0 ? 'an empty map' : `a map with ${keys.join(' and ')}`;
  return { path, text: `found ${what}, expected one of ${telling.join(', ')} in it` };
}

/** The schemas that a place may have: several where it may be of different kinds. */
function schemasAt(schema: JsonSchema, path: Path): JsonSchema[] {
  let here = variants(schema);
  for (const step of path) {
    here = here.flatMap((one) => {
      const next = typeof step === 'number' ? one.items : (one.properties?.[step] ?? others(one));
      return next === undefined ? [] : variants(next);
    });
  }
  return here;
}

/** What the values of a map are whose keys the user chooses. */
const others = ({ additionalProperties: schema }: JsonSchema): JsonSchema | undefined =>
  typeof schema === 'object' ? schema : undefined;

const variants = (schema: JsonSchema): JsonSchema[] =>
  schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(variants);

const namesIn = ({ enum: names = [], items }: JsonSchema): readonly string[] => [
  ...names,
  ...(items?.enum ?? []),
];

const expected = (schemas: readonly JsonSchema[]): string =>
  [...new Set(schemas.map(describe))].join(', or ');

function describe(schema: JsonSchema): string {
  const { minimum, maximum, required = [], properties = {}, items } = schema;
  if (schema.format === ADDRESS) {
    const of = schema.multipleOf === undefined ? '' : ` that is a multiple of ${schema.multipleOf}`;
    return `an address from ${hex(minimum!)} to ${hex(maximum!)}${of}`;
  }
  if (schema.enum !== undefined) return oneOf(schema.enum);
  if (schema.type === 'integer') {
    const isOpen = maximum === Number.MAX_SAFE_INTEGER;
    return `a whole number ${isOpen ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`}`;
  }
  if (schema.type === 'number') return numberOf(schema);
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'string') return schema.title ?? 'a text';
  if (schema.type === undefined && schema.title !== undefined) return schema.title;
  if (schema.type === 'array') {
    const of = items?.enum === undefined ? '' : ` of ${oneOf(items.enum)}`;
    return `a list${lengthOf(schema)}${of}`;
  }
  const fields = required.length > 0 ? required : Object.keys(properties);
  if (fields.length === 0) return 'a map';
  return `a map with ${fields.join(' and ')}`;
}

function numberOf({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const least = minimum === undefined ? '' : ` of at least ${minimum}`;
  const above = exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`;
  const most = maximum === undefined ? '' : ` up to ${maximum}`;
  return `a number${least}${above}${most}`;
}

function lengthOf({ minItems = 0, maxItems }: JsonSchema): string {
  if (maxItems !== undefined) return ` of length ${minItems} to ${maxItems}`;
  return minItems === 0 ? '' : ' (not empty)';
}

const oneOf = (names: readonly string[]): string =>
  names.length <= MOST_LISTED
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} … ${names.at(-1)}`;

function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) here = (here as Record<string | number, unknown> | null)?.[step];
  return here;
}

const isMap = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MOST_SHOWN = 40;

function show(value: unknown, isAddress = false): string {
  if (isAddress && Number.isInteger(value)) return hex(Number(value));
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isMap(value)) return 'a map';
  // JSON has no infinity.
  const text = typeof value === 'number' ? `${value}` : JSON.stringify(value);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}
