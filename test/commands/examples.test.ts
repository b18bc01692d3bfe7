/**
 * Runs every example of every --help in an empty folder, one after the other, with smaller amounts.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratch } from '../scratch.ts';
import { commandsBelow } from './all-commands.ts';
import { plainWords, type Ran, umbraAt } from './umbra.ts';

/** Commands that take minutes run on less. */
const SHORTER: readonly (readonly [RegExp, string])[] = [
  [/lab --port \d+/, 'lab --build other'],
  [/mutants --markdown/, 'mutants --only R15 --strategy random --runs 2 --markdown'],
  [/mutants --only R2,R9/, 'mutants --only R9 --runs 5'],
  [/(mutants message-passing)/, '$1 --only R9 --runs 5'],
  [/--races$/, '--races --runs 9 --discipline guest-lock --paging nonpae'],
  [/--seconds \d+/, '--seconds 1'],
  [/litmus 6-switcher/, 'litmus R9-same-cpu-another-vcpu'],
  [/--runs \d{3,}/, '--runs 20'],
  [/(campaign \S+)(?!.*--runs)/, '$1 --runs 9'],
  [/campaign (litmus|5-flush)/, 'campaign R15-two-reasons-to-die'],
  [/verify R14-started-vcpu/, 'verify R4-both-allocate-the-table'],
  [/(verify R4-both\S+)/, '$1 --discipline guest-lock'],
  [/^(umbra verify .*)/, '$1 --paging nonpae'],
  [/cpus=1\.\.4/, 'cpus=2'],
  [/sweep swap-storm/, 'sweep false-sharing'],
  // It may end before a vCPU moves, unless each does after every time slice.
  [/run cow-storm --expect/, 'run false-sharing --policy ping-pong --expect'],
  // Its first machines are large, and run to their end.
  [/--ops \d{4,}/, '--ops 10000 --seed 4'],
  [/(study \w+)$/, '$1 --seeds 1 --experiment interval'],
  [/--seeds \d+/, '--seeds 1'],
  [/(umbra (?:sweep|ab) (?!.*--expect).*)$/, '$1 --repeat 1'],
  [/(generate .*)$/, '$1 --seconds 1'],
  [/(conformance)( --json|$)/, `$1 ${resolve('test/vectors/pae/random-0000.jsonl')}$2`],
  // Another run of the same.
  [/npm run bench -- --json after.json/, 'cp before.json after.json'],
  [/npm run bench --/, 'npm run bench -- --filter "TLB hit, load" --isolates 2'],
];

/** By the start of the command: other exit codes it may have. */
const ENDS: Readonly<Record<string, readonly number[]>> = {
  'umbra litmus 6-switcher --defects R9': [1],
  'umbra explore R2-cleared-entry-comes-back --defects R2': [1],
  'umbra explore R10-one-pgdir-two-cpus --defects R10': [4],
  'umbra explore R4-both-allocate-the-table --defects R4 --races': [0, 1],
  'umbra replay --last': [1],
  'umbra shrink --last': [4],
  'umbra stress --defects R16 --until-failure': [1],
  // A second may be too short for a unit.
  'umbra generate --defects R5 --until-failure': [0, 1, 7],
  'umbra generate': [0, 7],
  // Fewer than six runs decide nothing.
  'umbra ab': [7],
  // On 20 schedules each.
  'umbra mutants': [0, 1],
  'umbra compare': [0, 1],
};

const folder = scratch('examples');
mkdirSync(join(folder, '.config/fish/completions'), { recursive: true });
// Started by root, PostgreSQL runs as another user, which needs access to its data.
chmodSync(folder, 0o711);

/** Two spaces and an explanation may follow the command. */
const examplesIn = (help: string): string[] => {
  const [, block = ''] = help.split(/^Examples:$/m);
  return block
    .split('\n\n')[0]!
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim().split(/ {2,}/)[0]!);
};

async function run(example: string): Promise<Ran> {
  const line = SHORTER.reduce((text, [long, short]) => text.replace(long, short), example);
  const [program, ...words] = plainWords(line) ?? [];
  if (program === 'umbra') return umbraAt(folder, ...words);
  const main = `"${process.execPath}" "${resolve('src/main.ts')}"`;
  const bench = `"${process.execPath}" "${resolve('bench/main.ts')}"`;
  const script = [`umbra() { ${main} "$@"; }`, `npm() { shift 3; ${bench} "$@"; }`, line].join(
    '\n',
  );
  const { UMBRA_STATE: _, ...env } = process.env;
  const options = { cwd: folder, encoding: 'utf8', env: { ...env, HOME: folder } } as const;
  const ended = spawnSync('bash', ['-c', script], { ...options, maxBuffer: 1 << 28 });
  return { ...ended, code: ended.status };
}

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const missing = ['valgrind', 'zsh', 'fish'].filter((program) => !has(program));
const canRun = (line: string): boolean =>
  !missing.some((program) => line.includes(`${program} `) && !line.includes('completion fish'));

describe.each(await commandsBelow())('umbra $name', ({ help }) => {
  const examples = examplesIn(help);

  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  test.each(examples.filter(canRun))('%s', async (line) => {
    const [, ends = [0]] = Object.entries(ENDS).find(([begin]) => line.startsWith(begin)) ?? [];
    const { code, stdout, stderr } = await run(line);
    expect(ends, `${code}\n${stderr}\n${stdout.slice(-2000)}`).toContain(code);
  });
});
