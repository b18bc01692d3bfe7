/** The rules of the house that a test can check. */

import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';
import { describe, expect, test } from 'vitest';
import { COMMON, PARTS } from '../src/paging/parts.ts';
import { PROJECTS } from './projects.ts';

/** From the top down. A file imports from its own place and from those of later rows. */
const FLOORS: readonly (readonly string[])[] = [
  ['src/main.ts', 'src/index.ts'],
  ['src/explorer.ts', 'src/stepped.ts'],
  ['src/world-explorer.ts'],
  ['src/commands'],
  ['src/lab'],
  ['workers'],
  ['src/queue'],
  ['src/sweep'],
  ['src/scenario'],
  ['src/study'],
  ['src/explore'],
  ['src/report'],
  ['src/check', 'src/conformance', 'src/import'],
  ['src/machine.ts'],
  ['src/host'],
  ['src/yaml'],
  ['src/assembly.ts', 'src/direct', 'src/nested'],
  ['src/guest', 'src/mmu', 'src/paging'],
  ['src/compile-cache.ts', 'src/cost', 'src/trace'],
  ['src/files.ts', 'src/ledger.ts'],
  ['src/numbers.ts'],
  ['src/platform.ts'],
  ['shared'],
  ['src/hardware', 'src/defects.ts', 'src/wasm.ts', 'src/webassembly.d.ts'],
  ['src/cores.ts', 'src/errors.ts', 'src/worker-url.ts'],
];

/** The files that each file of the paging code may import, the nearest ones. */
const BUILT_ON: Readonly<Record<string, readonly string[]>> = {
  'steps/as-written': ['steps/repaired'],
  'steps/repaired': ['setup', 'set', 'switch'],
  setup: ['switch', 'private-switcher'],
  switch: ['flush', 'policies/eviction'],
  set: ['policies/compare', 'flush', 'switch', 'switcher', 'stack'],
  'policies/reclaim': ['policies/compare', 'flush'],
  'policies/compare': ['flush', 'stack', 'policies/declared'],
  'policies/eviction': ['policies/declared'],
  'policies/declared': [],
  flush: ['pin', 'switcher'],
  pin: ['fault'],
  fault: ['policies/prefault'],
  'policies/prefault': ['stack', 'policies/declared'],
  stack: ['gpte', 'entries'],
  gpte: [],
  'private-switcher': ['switcher', 'entries'],
  switcher: ['entries'],
  entries: [],
};

/** Where no code may read the time: a run must not depend on it. */
const TIMELESS = [
  ...['shared', 'src/hardware', 'src/paging', 'src/direct', 'src/nested'],
  ...['src/mmu', 'src/guest', 'src/host'],
];

const MOST_LINES = 400;

/** The ceiling of each count. Lower it whenever possible, never raise it. */
const WORST = {
  lineColumns: 145,
  linesWiderThan100: 67,
  /** Comments with words of DIALECT. */
  dialectLines: 220,
  /** The same, and DIALECT_OF_TITLES, of comments and titles in test. */
  dialectLinesOfTests: 0,
  functionLines: 87,
  functionsOver60: 8,
  /** `...{ a, b }` in an object, for layout: misspelt names are not found in it. */
  spreadLiterals: 0,
};

/** Words for which the field has a noun: "the running CPU", "the result", "the caller". */
const DIALECT = new RegExp(
  [
    String.raw`^\W*What\b`,
    String.raw`\b([Ww]ho(ever)?|[Nn]obody|[Ss]omebody|[Aa]nybody|the turn|in hand)\b`,
    String.raw`\b([Ii]t is (asked|looked|told)|what (\w+ )?(comes?|came) (to|of))\b`,
    String.raw`\b((is|are) to (be|have|come|go|do|take|run)|look(s|ed)? at|done again)\b`,
  ].join('|'),
);

/** "is reported", "continues", "fails", "with a message", "an invalid token", "yields". */
const DIALECT_OF_TITLES =
  /\b((is|are) told|go(es)? on|goes wrong|in words|that (is|are) none|gives? way)\b/;

interface Source {
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
}

const sources: readonly Source[] = ['src', 'shared', 'workers', 'bench']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(path, 'utf8');
    return { path, text, code: text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '') };
  });

const within = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}/`);

const placeOf = (path: string): string | undefined =>
  FLOORS.flat().find((place) => within(path, place));

const floorOf = (place: string): number => FLOORS.findIndex((row) => row.includes(place));

/** The project's files that a file imports. */
const importsOf = ({ path, code }: Source): string[] =>
  Array.from(code.matchAll(/\bfrom\s*'(\.[^']*)'|\bimport\s*\(?\s*'(\.[^']*)'/g), (match) =>
    posix.normalize(posix.join(dirname(path), match[1] ?? match[2]!)),
  );

const edges = sources.flatMap((source) =>
  importsOf(source).map((to) => ({ from: source.path, to })),
);

/** Files whose code matches a pattern, but for those allowed to. */
const having = (pattern: RegExp, allowed: readonly string[] = []): string[] =>
  sources
    .filter(({ path, code }) => pattern.test(code) && !allowed.includes(path))
    .map(({ path }) => path);

/** Lines of each of its functions, and how often it spreads a literal into an object. */
function shapeOf({ path, text }: Source): { functions: number[]; spreadLiterals: number } {
  const functions: number[] = [];
  let spreadLiterals = 0;
  const ofFunction = ({ start, end }: Node): void => {
    functions.push(text.slice(start, end).split('\n').length);
  };
  new Visitor({
    FunctionDeclaration: ofFunction,
    FunctionExpression: ofFunction,
    ArrowFunctionExpression: ofFunction,
    ObjectExpression({ properties }) {
      const spread = properties.filter(
        (one) => one.type === 'SpreadElement' && one.argument.type === 'ObjectExpression',
      );
      spreadLiterals += spread.length;
    },
  }).visit(parseSync(path, text).program);
  return { functions, spreadLiterals };
}

const commentsOf = (text: string): readonly string[] => text.match(/^\s*(\/?\*|\/\/).*$/gm) ?? [];

/** Titles of `test`, `it` and `describe`, also of `test.each(…)(…)` and the like. */
function titlesOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const titles: string[] = [];
  new Visitor({
    CallExpression({ callee, arguments: [title] }) {
      const calls = text.slice(callee.start, callee.end);
      const isText = title?.type === 'Literal' || title?.type === 'TemplateLiteral';
      if (isText && /^(test|it|describe)\b/.test(calls)) {
        titles.push(text.slice(title.start + 1, title.end - 1));
      }
    },
  }).visit(parseSync(path, text).program);
  return titles;
}

test('the sources and their imports are found', () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(edges.length).toBeGreaterThan(100);
});

describe('imports', () => {
  test('start from a source with a place in the order', () => {
    const lost = sources.filter(({ path }) => !within(path, 'bench') && !placeOf(path));
    expect(lost.map(({ path }) => path)).toEqual([]);
  });

  test('lead to files that exist', () => {
    expect(edges.filter(({ to }) => !existsSync(to))).toEqual([]);
  });

  test('go down, or stay where they are', () => {
    const up = edges.filter(({ from, to }) => {
      if (within(from, 'bench')) return false;
      const [above, below] = [placeOf(from)!, placeOf(to)];
      return below === undefined || (above !== below && floorOf(above) >= floorOf(below));
    });
    expect(up).toEqual([]);
  });

  test('go down within the explorer: searches, tests and worlds, the engine and its strategies', () => {
    const floors = [
      ['story', 'mutants', 'generate', 'campaign', 'races', 'shrink', 'verify'],
      ['litmus', 'worlds'],
      ['engine', 'strategies'],
    ];
    const floorWithin = (path: string): number =>
      floors.findIndex((row) => row.some((place) => within(path, `src/explore/${place}`)));
    const up = edges.filter(({ from, to }) => {
      const [above, below] = [floorWithin(from), floorWithin(to)];
      return above >= 0 && below >= 0 && above > below;
    });
    expect(up).toEqual([]);
  });

  test('follow the order of the parts within the paging code', () => {
    const below = (part: string): string[] =>
      BUILT_ON[part]!.flatMap((next) => [next, ...below(next)]);
    const partOf = (path: string): string => /^src\/paging\/(.*)\.ts$/.exec(path)?.[1] ?? '';
    const wrong = edges.filter(
      ({ from, to }) => partOf(from) && partOf(to) && !below(partOf(from)).includes(partOf(to)),
    );
    expect(wrong).toEqual([]);
  });

  test('are listed for every file of the paging code, and each file has its part', () => {
    const inParts = Object.values(PARTS).flatMap(({ files }): readonly string[] => files);
    const files = globSync('src/paging/**/*.ts').map((path) => path.slice(11).replace(/\.ts$/, ''));
    const own = files.filter((name) => name !== 'parts').toSorted();
    expect([...inParts, ...COMMON].toSorted()).toEqual(own);
    expect(Object.keys(BUILT_ON).toSorted()).toEqual(own);
  });
});

describe('the code that runs in a browser', () => {
  const LEAF = 'src/platform.ts';
  /** The page, and the workers that it starts. */
  const BEGINNINGS = [
    'src/lab/page/main.ts',
    'src/lab/engine/platform.ts',
    'src/lab/engine/explorer-worker.ts',
    'src/lab/engine/machine-worker.ts',
    'workers/host-cpu.ts',
  ];
  const reached = new Set<string>();
  const reach = (path: string): void => {
    if (path === LEAF || reached.has(path)) return;
    reached.add(path);
    const source = sources.find((one) => one.path === path);
    // Imports of types are erased.
    const code = source!.code.replaceAll(/\bimport type [^;]*;/g, '');
    for (const to of importsOf({ ...source!, code })) if (to.endsWith('.ts')) reach(to);
  };
  for (const path of BEGINNINGS) reach(path);

  test('is most of the engine', () => {
    expect(reached.size).toBeGreaterThan(150);
    expect(reached).toContain('src/paging/fault.ts');
  });

  test('uses Node in the leaf only', () => {
    const asking = having(
      /'node:|\bsetImmediate\b|\bBuffer\.\w+\(|\bprocess\.(env|pid|hrtime|std\w+|argv)\b/,
    );
    expect(asking.filter((path) => reached.has(path))).toEqual([]);
  });
});

test('every test file is in one project, and every pattern of a project matches files', () => {
  const filesOf = (patterns: readonly string[]): string[] =>
    patterns.flatMap((pattern) => globSync(pattern));
  const { unit, ...others } = PROJECTS;
  const named = Object.values(others).flatMap(({ include }) => include);
  expect(named.filter((pattern) => filesOf([pattern]).length === 0)).toEqual([]);
  const inOthers = filesOf(named);
  expect(inOthers.filter((path, i) => inOthers.indexOf(path) !== i)).toEqual([]);
  expect(filesOf(unit.exclude).toSorted()).toEqual(inOthers.toSorted());
});

describe('bans', () => {
  test('no enum: Node strips types and does not compile', () => {
    expect(having(/\benum\s+\w+\s*\{/)).toEqual([]);
  });

  test('no template literal with a quote, a plus and a line break in it', () => {
    expect(having(/" \+\n"/)).toEqual([]);
  });

  test('no default exports, except in declarations of foreign modules', () => {
    const exporting = having(/\bexport\s+default\b/);
    expect(exporting.filter((path) => !path.endsWith('.d.ts'))).toEqual([]);
  });

  test('no barrels', () => {
    expect(having(/\bexport\s+(type\s+)?(\*|\{[^}]*\})[^;]*\bfrom\b/)).toEqual([]);
  });

  test('no test of a defect outside the code that builds steps, machines and checks', () => {
    const asking = having(/\bdefects\.[URD]\d/).filter((path) => !within(path, 'bench'));
    expect(asking.filter((path) => !within(path, 'src/check'))).toEqual([]);
  });

  test('no random numbers except from a seed', () => {
    expect(having(/\bMath\.random\b/)).toEqual([]);
  });

  test('no recursive mkdir: it does not end where no folder can be made', () => {
    expect(having(/\bmkdir(Sync)?\([^)]*recursive/)).toEqual([]);
  });

  test('no clock where a run must be repeatable', () => {
    const asking = having(/\bDate\.now\b|\bnew Date\b|\bperformance\.now\b|\bhrtime\b/);
    expect(asking.filter((path) => TIMELESS.some((place) => within(path, place)))).toEqual([]);
  });

  test('no atomics except in the leaf', () => {
    expect(having(/\bAtomics\./, ['shared/words.ts'])).toEqual([]);
  });

  test('no plural of what may be one: counted() says which', () => {
    expect(having(/\}`? (schedules|units|programs)\b(?!\/s)/)).toEqual([]);
  });

  test('no BigInt arrays: they cost ten times a WebAssembly call', () => {
    expect(having(/\bBigU?[iI]nt64Array\b/)).toEqual([]);
  });
});

describe('shape', () => {
  test(`no source has more than ${MOST_LINES} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length - 1 > MOST_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('no count is above its ceiling', () => {
    const widths = sources.flatMap(({ text }) => text.split('\n').map((line) => line.length));
    const shapes = sources.map(shapeOf);
    const functions = shapes.flatMap(({ functions }) => functions);
    const comments = sources.flatMap(({ text }) => commentsOf(text));
    const ofTests = globSync('test/**/*.ts').flatMap((path) => [
      ...commentsOf(readFileSync(path, 'utf8')),
      ...titlesOf(path),
    ]);
    expect(ofTests.length).toBeGreaterThan(2500);
    const inDialect = ofTests.filter((line) => DIALECT.test(line) || DIALECT_OF_TITLES.test(line));
    const now = {
      lineColumns: Math.max(...widths),
      linesWiderThan100: widths.filter((columns) => columns > 100).length,
      dialectLines: comments.filter((line) => DIALECT.test(line)).length,
      dialectLinesOfTests: inDialect.length,
      functionLines: Math.max(...functions),
      functionsOver60: functions.filter((lines) => lines > 60).length,
      spreadLiterals: shapes.reduce((sum, { spreadLiterals }) => sum + spreadLiterals, 0),
    };
    const worse = Object.entries(WORST).filter(
      ([name, most]) => now[name as keyof typeof now] > most,
    );
    expect(worse, JSON.stringify({ now, inDialect })).toEqual([]);
  });

  test('every source begins with a comment on its purpose, before or after its imports', () => {
    const head = /^(#!.*\n)?(\s*import\b[^;]*;)*\s*\/\*\*/;
    expect(sources.filter(({ text }) => !head.test(text)).map(({ path }) => path)).toEqual([]);
  });
});
