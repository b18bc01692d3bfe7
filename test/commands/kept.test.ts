/** Failing schedules are kept, have several names, and are invalidated only by a changed test. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratch } from '../scratch.ts';
import { type Ran, shell, spaced, umbra, umbraAt, umbraWith } from './umbra.ts';

const NAME = 'R10-one-pgdir-two-cpus';
const FILE = `litmus/6-switcher/${NAME}.yaml`;
const FORM = ['--defects', 'R10', '--discipline', 'guest-lock', '--paging', 'nonpae'];
const OOPS = 'oops: fault in the Switcher in nothing usable at 0x';

const folder = scratch('kept');

const at = (...args: readonly string[]): Promise<Ran> => umbraAt(folder, ...args);
const pastedIn = (text: string): string[] =>
  Array.from(
    text.matchAll(/^(?:\s*|R\d+ +)umbra (replay \S+(?: --story --against)?)$/gm),
    ([, it]) => it!,
  );
const kept = (): string[] => readdirSync(join(folder, '.umbra'));

let found: Ran;
let lines: string[];
beforeAll(async () => {
  found = await at('explore', NAME, ...FORM, '--json', 'found.json');
  lines = pastedIn(found.stdout);
});

describe('a schedule that umbra explore finds', () => {
  test('prints short lines, and each repeats its schedule', async () => {
    expect(found).toMatchObject({ code: 4, stderr: '' });
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length).toBeLessThan(80);
    const ran = await Array.fromAsync(lines, (line) => at(...line.split(' ')));
    expect(ran.map(({ code }) => code)).toEqual([4, 4, 0, 4]);
    expect(ran[0]!.stdout).toMatch(`${NAME} (guest-lock, nonpae, with R10)\n`);
    expect(ran[2]!.stdout).toContain('\nit passes\n');
    expect(spaced(ran[3]!.stdout)).toContain('In the schedule that passes,');
  });

  test('is the last one kept, as it was shrunk', async () => {
    const last = await at('replay', '--last');
    expect(last.code).toBe(4);
    expect(last.stdout).toBe((await at(...lines[1]!.split(' '))).stdout);
  });

  test('is a text file with the whole token, which git ignores', async () => {
    const text = readFileSync(join(folder, '.umbra/last.txt'), 'utf8');
    const json = JSON.parse(readFileSync(join(folder, 'found.json'), 'utf8'));
    const { shrunk } = json.found[0].failure;
    expect(text).toContain(`${NAME} (guest-lock, nonpae, with R10)\n${OOPS}`);
    expect(text).toContain(`umbra replay ${shrunk.token}\n`);
    expect(text).toContain(`umbra replay ${shrunk.passing.token}\n`);
    expect(readFileSync(join(folder, '.umbra/.gitignore'), 'utf8')).toBe('*\n');
    expect((await umbra('replay', shrunk.token)).stdout).toContain(OOPS);
  });

  test('is inspected and shrunk by the same names', async () => {
    expect((await at('inspect', '--last', '--step', '9')).stdout).toMatch(/^after step 9, /);
    const [asFound] = lines;
    const again = await at('shrink', asFound!.split(' ')[1]!);
    expect(again.code).toBe(4);
    expect(pastedIn(again.stdout)).toEqual(lines.slice(1));
    expect((await at('replay', '--last')).stdout).toContain(OOPS);
  });
});

describe('a schedule is named', () => {
  test.each([
    ['by the file of --json', 'replay found.json'],
    ['by what was printed', 'replay printed.txt'],
    ['by a file from stdin', 'replay - < .umbra/last.txt'],
    ['by JSON from stdin', 'replay - < found.json'],
    ['by the folder of --out', 'replay run'],
    ['by the folder of a replay', 'replay replayed'],
  ])('%s', async (_, line) => {
    writeFileSync(join(folder, 'printed.txt'), found.stdout);
    if (!existsSync(join(folder, 'run'))) {
      await at('shrink', '--last', '--out', 'run');
      await at('replay', '--last', '--out', 'replayed');
    }
    const main = join(process.cwd(), 'src/main.ts');
    const { stdout, code } = line.includes('<')
      ? shell(`cd ${folder} && "${process.execPath}" ${main} ${line}`)
      : await at(...line.split(' '));
    // Shrinking once more may find another schedule of the same size, which is then the last.
    const isLast = !/found\.json|printed\.txt/.test(line);
    const named = isLast ? '--last' : lines[1]!.split(' ')[1]!;
    expect(stdout).toBe((await at('replay', named)).stdout);
    expect(code).toBe(4);
  });

  test('by the output of umbra explore in a pipe', async () => {
    const main = `"${process.execPath}" ${join(process.cwd(), 'src/main.ts')}`;
    const explore = `${main} explore ${NAME} ${FORM.join(' ')}`;
    const env = `cd ${folder} && unset UMBRA_STATE`;
    expect(shell(`${env}; ${explore} | ${main} replay -`)).toMatchObject({
      code: 4,
      stderr: '',
      stdout: (await at('replay', '--last')).stdout,
    });
  });

  test.each([
    [[], /there is no schedule to look at: give a token, a file .* or --last/],
    [['--last', 'found.json'], /--last and found\.json are two schedules: give one/],
    [['nowhere.txt'], /nowhere\.txt is no token, and no such file or folder is there/],
    [['empty'], /empty is a folder, and umbra \w+ takes a schedule/],
    [['test.yaml'], /test\.yaml is a litmus test, and umbra \w+ takes a schedule/],
    [['R2'], /'R2' is no token: .* begin with umbra\d\./],
    [['--last', '--test', 'test.yaml'], /test\.yaml is not the test that the token was printed of/],
  ])('%j, which is an error', async (args, words) => {
    mkdirSync(join(folder, 'empty'), { recursive: true });
    cpSync('litmus/1-fault/R2-dirty-erased.yaml', join(folder, 'test.yaml'));
    for (const command of ['replay', 'inspect', 'shrink']) {
      const { code, stdout, stderr } = await at(command, ...args);
      expect(spaced(stderr)).toMatch(words);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
  });

  test('as the last, where there is none', async () => {
    const { code, stderr } = await umbraAt(join(folder, 'empty'), 'replay', '--last');
    expect(spaced(stderr)).toContain('nothing that went wrong is kept in this folder');
    expect(code).toBe(2);
  });
});

describe('a token fits its test', () => {
  const here = join(folder, 'mine.yaml');
  const elsewhere = join(folder, 'elsewhere');
  let token: string;
  beforeAll(async () => {
    cpSync(FILE, here);
    mkdirSync(elsewhere);
    const { stdout } = await at('explore', 'mine.yaml', ...FORM, '--no-shrink', '--json', '-');
    token = JSON.parse(stdout).found[0].failure.token;
  });
  const change = (from: string | RegExp, to: string): void =>
    writeFileSync(here, readFileSync(FILE, 'utf8').replace(from, to));

  test.each([
    ['its comments', /^/, '# Something else.\n\n'],
    ['its name', /^name: .*$/m, 'name: another'],
    ['its reasons', /because: .*$/gm, 'because: so it is'],
    ['its layout', 'on: A', 'on:   "A"'],
    ['a default, now spelt out', /^guest:$/m, 'guest:\n  pages: 64'],
    ['the notation of a number', /0x00400000/g, '0x400000'],
  ])('also after a change of %s', async (_, from, to) => {
    change(from, to);
    expect(readFileSync(here, 'utf8')).not.toBe(readFileSync(FILE, 'utf8'));
    expect(await at('replay', token)).toMatchObject({ code: 4, stderr: '' });
  });

  test.each([
    ['an operation', /load (0x\w+) -> r0/, 'load $1 -> r1'],
    ['an entry', 'page 0x20', 'page 0x21'],
    ['a judgement', 'is: forbidden', 'is: interesting'],
    ['the host CPUs', /^guest:$/m, 'cpus: 3\nguest:'],
  ])('not after a change of %s', async (_, from, to) => {
    change(from, to);
    expect(readFileSync(here, 'utf8')).not.toBe(readFileSync(FILE, 'utf8'));
    const { code, stdout, stderr } = await at('replay', token);
    expect(spaced(stderr)).toContain('mine.yaml has changed since the token was printed');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('after the file moved: with --test FILE, beside the token, or shipped with umbra', async () => {
    change(/^/, '# Moved.\n');
    rmSync(join(elsewhere, 'x.txt'), { force: true });
    cpSync(here, join(elsewhere, 'mine.yaml'));
    rmSync(here);
    expect(spaced((await at('replay', token)).stderr)).toContain(
      'mine.yaml, the test that the token is of, is not there: say with --test FILE where it is',
    );
    expect((await at('replay', token, '--test', 'elsewhere/mine.yaml')).code).toBe(4);
    // Beside the file that holds the token.
    writeFileSync(join(elsewhere, 'x.txt'), token);
    expect((await at('replay', 'elsewhere/x.txt')).code).toBe(4);
    // One that comes with umbra, from any folder.
    const { stdout } = await umbra('explore', FILE, ...FORM, '--no-shrink', '--json', '-');
    const shipped = JSON.parse(stdout).found[0].failure.token;
    expect(await umbraAt(elsewhere, 'replay', shipped)).toMatchObject({ code: 4, stderr: '' });
  });
});

describe('what other commands find', () => {
  const one = ['--paging', 'nonpae', '--discipline', 'guest-lock'];
  test.each([
    ['litmus', [NAME, '--defects', 'R10', ...one, '--runs', '20']],
    ['campaign', [NAME, '--defects', 'R10', ...one, '--runs', '20']],
    ['campaign', [NAME, '--defects', 'R10', ...one, '--runs', '20', '--quiet']],
    ['mutants', ['--only', 'R15', '--strategy', 'random', '--runs', '2']],
    ['explore', [NAME, '--defects', 'R10', ...one, '--races', '--runs', '3']],
  ])('%s keeps its failures, too', async (command, args) => {
    const { stdout } = await at(command, ...args);
    const told = pastedIn(stdout);
    expect(told.length).toBeGreaterThan(0);
    for (const line of told.slice(0, 2)) {
      expect(line.length).toBeLessThan(80);
      expect([0, 1, 3, 4]).toContain((await at(...line.split(' '))).code);
    }
  });
});

describe('where nothing can be kept', () => {
  test.each([
    ['a place that is a file', 'package.json/state'],
    ['nowhere', ''],
  ])('%s, the token is printed', async (_, state) => {
    const args = ['explore', FILE, ...FORM, '--no-shrink'];
    const { stdout, code } = await umbraWith({ UMBRA_STATE: state }, ...args);
    expect(stdout).toMatch(/^umbra replay umbra\d+\.[\w-]{200,}$/m);
    expect(code).toBe(4);
  });

  test('the oldest are removed when there are many', async () => {
    const state = join(folder, 'many');
    mkdirSync(state);
    for (let i = 0; i < 510; i++) {
      writeFileSync(join(state, `old-${i.toString(16).padStart(6, '0')}.txt`), 'old');
    }
    writeFileSync(join(state, 'mine.txt'), 'not of umbra');
    await umbraWith({ UMBRA_STATE: state }, 'explore', FILE, ...FORM, '--no-shrink');
    const left = readdirSync(state);
    expect(left.filter((name) => name.startsWith('old-')).length).toBe(499);
    expect(left).toContain('mine.txt');
    expect(left.filter((name) => name.startsWith(NAME))).toHaveLength(1);
  });
});

test('nothing is left beside the kept files', () => {
  expect(
    kept().filter((name) => !/^(\.gitignore|last\.txt|[\w.-]+-[0-9a-f]{6}\.txt)$/.test(name)),
  ).toEqual([]);
});
