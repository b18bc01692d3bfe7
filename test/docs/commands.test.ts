/** Every command of README and docs runs, and comes to what its page says. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandsOf, type Ended, Session } from './session.ts';

/** Run elsewhere, or by what runs these tests. */
const ELSEWHERE = [
  ...['npm ci', 'npm ci && npm test', 'npm install umbra'],
  ...['npx vitest run test/paging', 'npm run types && npm run lint'],
];

/** What takes minutes is run on less: its beginning, and what stands for it here. */
const SHORTER: readonly (readonly [RegExp, string])[] = [
  [/^npm ci && npm start/, 'npm start'],
  [/--seconds \d+/, '--seconds 2'],
  [/--ops 1e9/, '--ops 1e5'],
  [/--runs 10000/, '--runs 200'],
  [/(study migration)(?! --out).*/, '$1 --seeds 1 --experiment shared'],
  [/(study migration) --out/, '$1 --seeds 1 --experiment shared --out'],
  [/(study disciplines).*/, '$1 --seeds 1 --experiment separate'],
  [/(study shootdown) --seeds \d+/, '$1 --seeds 1 --experiment participants'],
  [/(study claims) --seeds \d+/, '$1 --seeds 2 --experiment notifier'],
  [/(study strategies).*/, '$1 --seeds 1 --experiment modification'],
  [/^npm run bench$/, 'npm run bench -- --filter "TLB hit, load"'],
  [/--filter fault/, '--filter "TLB hit, load"'],
  [/(--filter "TLB hit, load")/, '$1 --isolates 2'],
  [/conformance test\/vectors$/, 'conformance test/vectors/pae/random-0000.jsonl'],
  [/(--log-file=\S+) your-program/, '$1 /bin/true'],
  // Another shell's text means nothing to bash.
  [/^source <\((umbra completion zsh)\)/, '$1'],
];

const shortened = (command: string): string =>
  SHORTER.reduce((text, [long, short]) => text.replace(long, short), command);

/** A story in which the steps are to blame that the tutorial looks at. */
function breaksAsInspected(): RegExp {
  const [, from, to] = /--step (\d+) --diff (\d+)/.exec(readFileSync('docs/tutorial.md', 'utf8'))!;
  return new RegExp(`It breaks at step ${to}, [\\s\\S]*To blame: step ${from}, `);
}

interface Outcome {
  readonly code?: number | readonly number[];
  readonly says?: RegExp;
}

/** By a command's beginning, where there is more to say of it than that it ends well. */
const COMES_TO: Readonly<Record<string, Outcome>> = {
  'start scenarios/traces/ls.umbra --cpus 2 --policy pinned': { says: /migrations +0 / },
  'start scenarios/traces/ls.umbra --cpus 2 --policy ping-pong': { says: /migrations +[1-9]/ },
  'start scenarios/traces/pigz.umbra --vcpus 4 ': { says: /came back/ },
  'start scenarios/traces/pigz.umbra --vcpus 4': { code: 1, says: /The host died|killed/ },
  'start --cpus 2 --trace': { says: /none lost/ },
  'stress --defects R6 --until-failure': { code: 1, says: /umbra stress .*--seed/ },
  'run mistaken.yaml': { code: 2 },
  'run expected.yaml': { says: /As expected: / },
  'run as-written-two-vcpus': { says: /As expected: the host died\./ },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --discipline': {
    says: /nothing wrong/,
  },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --defects R2 --discipline guest-lock --paging nonpae --races':
    { says: /2\. order race on an entry/ },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --defects R2 --discipline guest-lock --paging nonpae --race 2':
    { code: 1, says: /harm: violation/ },
  'generate --ops 2 --paging': { says: /368 of 368 programs, .*; nothing wrong/ },
  'generate --ops 3 --alphabet core': { says: /^3 operations, core, AA, pae, lock-free: / },
  'generate --ops 2 --defects R5 --until-failure': { code: 1, says: /found-R5\/gen-\w+\.yaml/ },
  'explore mine.yaml': { says: /nothing wrong/ },
  explore: { code: [1, 3, 4, 5, 6], says: /it passes|was seen to pass/ },
  replay: { code: [1, 4], says: /(forbidden|oops): / },
  'replay --last --story --against': { code: 1, says: breaksAsInspected() },
  'replay --last --story': { code: 1, says: /none -> page 0x20 rw user accessed/ },
  'inspect --last --step 226 --diff 267': {
    says: /\+ +0x00400000 → page 0x20, PRESENT RW USER ACCESSED/,
  },
  'costs before.json after.json': { says: /Cycles at the costs of core2 [\s\S]*before\.json/ },
  'mutants mine.yaml': { says: /^R13 +umbra replay /m },
  'compare before.json after.json': { code: [0, 1] },
  '--filter fault --json after.json': { code: [0, 1] },
};

function outcomeOf(command: string): Outcome {
  const [, rest] = /^npm run (?:-s )?(?:umbra|bench) -- (.*)$/.exec(command) ?? [];
  const known = Object.keys(COMES_TO)
    .filter((begin) => rest?.startsWith(begin))
    .toSorted((a, b) => b.length - a.length);
  return known.length === 0 ? {} : COMES_TO[known[0]!]!;
}

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const hasValgrind = has('valgrind');
if (!hasValgrind) console.warn('there is no Valgrind: commands that take it are skipped');

/** Without Valgrind there is no log to import, and no program to start. */
const canRun = (command: string): boolean =>
  hasValgrind || !/valgrind|your-program|import lackey/.test(command);

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const commandsHere = (page: string): readonly string[] =>
  commandsOf(page).filter((command) => !ELSEWHERE.includes(command));
const withCommands = pages.filter((page) => commandsHere(page).length > 0);

describe.each(withCommands)('%s', (page) => {
  const session = new Session(page);
  afterAll(() => session.close());

  test.each(commandsHere(page).filter(canRun))('%s', (command) => {
    const ended = session.run(shortened(command));
    expect(ended, said(ended)).toSatisfy((it) => isAsTold(it, outcomeOf(command)));
  });
});

function isAsTold({ code, stdout }: Ended, { code: wanted = 0, says = /(?:)/ }: Outcome): boolean {
  return [wanted].flat().includes(code!) && says.test(stdout.replaceAll(/\n {2,}/g, ' '));
}

const said = ({ code, stdout, stderr }: Ended): string =>
  `exit code ${code}\n${stderr}\n${stdout.slice(-2000)}`;

test('what is said of commands here is said of commands that there are', () => {
  const all = withCommands.flatMap(commandsHere);
  const outcomes = new Set(all.map(outcomeOf));
  expect(Object.entries(COMES_TO).filter(([, outcome]) => !outcomes.has(outcome))).toEqual([]);
});

test.each(pages)('links of %s lead somewhere', (page) => {
  const links = readFileSync(page, 'utf8').matchAll(/\]\((?!\w+:)([^)#\s]+)(?:#[^)]*)?\)/g);
  const lost = Array.from(links, ([, link]) => link!).filter(
    (link) => !existsSync(join(dirname(page), link)),
  );
  expect(lost).toEqual([]);
});
