/** A scenario file, read: a valid one, or all that is wrong with it by line and column. */

import { readFileSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { UserError } from '../../shared/errors.ts';
import { crossFieldMistakes } from './cross-fields.ts';
import { type Mistake, mistakesOf, type Path } from './mistakes.ts';
import { type Scenario, scenarioJsonSchema, scenarioSchema } from './schema.ts';

/** A scenario, and where it comes from: paths in it count from there. */
export interface ScenarioFile {
  readonly scenario: Scenario;
  readonly name: string;
  readonly folder: string;
}

/** Throws UserError with every mistake of the file, one a line. */
export function readScenario(path: string): ScenarioFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}; give a scenario file, or ` +
        'the name of one that comes with umbra (umbra run lists them)',
    );
  }
  return parseScenario(text, path);
}

/** `path` is where the text is from. */
export function parseScenario(text: string, path: string): ScenarioFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const said = document.errors.map(({ message, pos }) => {
      const what = message.split(/ at line \d+|\n/)[0]!;
      return `${at(pos[0])}: found what is not YAML (${what}), expected a scenario`;
    });
    throw new UserError(said.join('\n'));
  }
  const folder = dirname(path);
  const { scenario, mistakes } = validate(plainValue(document, path), folder);
  if (scenario === undefined || mistakes.length > 0) {
    const placed = mistakes.map((mistake) => ({ offset: offsetOf(document, mistake), mistake }));
    const said = placed
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ offset, mistake }) => `${at(offset)}: ${mistake.text}`);
    throw new UserError(said.join('\n'));
  }
  return { scenario, name: scenario.name ?? basename(path, extname(path)), folder };
}

/** Aliases that multiply without end are refused here. */
function plainValue(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new UserError(`${path}:1:1: found ${(error as Error).message}, expected a scenario`);
  }
}

function validate(
  value: unknown,
  folder: string,
): { readonly scenario?: Scenario; readonly mistakes: readonly Mistake[] } {
  const parsed = scenarioSchema.safeParse(value);
  if (parsed.success) {
    return { scenario: parsed.data, mistakes: crossFieldMistakes(parsed.data, folder) };
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

/** What stands in for an element of a list that has a mistake. */
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

/** Where in the text a mistake is; for what is not there, where it should be in. */
function offsetOf(document: Document, { path, atKey }: Mistake): number {
  if (atKey) {
    const parent = nodeAt(document, path.slice(0, -1));
    const pair =
      isMap(parent) &&
      parent.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1));
    if (pair && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
  }
  for (let length = path.length; length >= 0; length--) {
    const node = nodeAt(document, path.slice(0, length));
    const range = (node as { readonly range?: readonly number[] } | null | undefined)?.range;
    if (range?.[0] !== undefined) return range[0];
  }
  return 0;
}

const nodeAt = (document: Document, path: Path): unknown =>
  path.length === 0 ? document.contents : document.getIn(path, true);
