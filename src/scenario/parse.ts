/** A scenario file, read: a valid one, or all that is wrong with it by line and column. */

import { basename, dirname, extname } from 'node:path';
import { parseYaml, type Validated } from '../yaml/document.ts';
import { type Mistake, mistakesOf, toldAt } from '../yaml/mistakes.ts';
import { textOf } from '../yaml/text-of.ts';
import { crossFieldMistakes } from './cross-fields.ts';
import { type Scenario, scenarioJsonSchema, scenarioSchema } from './schema.ts';

/** A scenario, and where it comes from: paths in it count from there. */
export interface ScenarioFile {
  readonly scenario: Scenario;
  readonly name: string;
  readonly folder: string;
}

/** Throws UserError with every mistake of the file, one a line. */
export function readScenario(path: string): ScenarioFile {
  const hint =
    'give a scenario file, or the name of one that comes with umbra (umbra run lists them)';
  return parseScenario(textOf(path, hint), path);
}

/** `path` is where the text is from. */
export function parseScenario(text: string, path: string): ScenarioFile {
  const folder = dirname(path);
  const scenario = parseYaml(text, path, 'a scenario', (value) => validate(value, folder));
  return { scenario, name: scenario.name ?? basename(path, extname(path)), folder };
}

/**
 * A scenario that is no file but a value, of the same form; paths in it count from `folder`. Throws
 * UserError with every mistake, one a line, each with its place in the value.
 */
export function checkScenario(value: unknown, folder: string): ScenarioFile {
  const { valid, mistakes } = validate(value, folder);
  if (valid !== undefined && mistakes.length === 0) {
    return { scenario: valid, name: valid.name ?? 'machine', folder };
  }
  throw toldAt(mistakes, 'the scenario');
}

function validate(value: unknown, folder: string): Validated<Scenario> {
  const parsed = scenarioSchema.safeParse(value);
  if (parsed.success) {
    return { valid: parsed.data, mistakes: crossFieldMistakes(parsed.data, folder) };
  }
  const mistakes = mistakesOf(parsed.error.issues, value, scenarioJsonSchema());
  // What is left without the mistakes may have others that show only together.
  const rest = scenarioSchema.safeParse(without(value, mistakes));
  if (!rest.success) return { mistakes };
  // Without the number of CPUs nothing can be said of a plan for them.
  const isTold = ({ path }: Mistake): boolean =>
    (path[0] === 'hotplug' && mistakes.some((one) => one.path[0] === 'cpus')) ||
    mistakes.some((one) => one.path.slice(0, 2).every((step, i) => path[i] === step));
  const more = crossFieldMistakes(rest.data, folder).filter((mistake) => !isTold(mistake));
  return { mistakes: [...mistakes, ...more] };
}

/** The stand-in for an element of a list that has a mistake. */
const STAND_INS: Readonly<Record<string, unknown>> = {
  guests: { program: { builtin: 'touch' } },
  hotplug: { cpu: 0, after: 0xffff_ffff, for: 1 },
};

/** A copy without the mistakes: defaults stand in, or for elements of lists what is above. */
function without(value: unknown, mistakes: readonly Mistake[]): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  for (const { path } of mistakes) {
    const [field, index] = path;
    if (typeof field !== 'string') continue;
    const list = copy[field];
    if (typeof index === 'number' && Array.isArray(list) && field in STAND_INS) {
      list[index] = STAND_INS[field];
    } else {
      delete copy[field];
    }
  }
  return copy;
}
