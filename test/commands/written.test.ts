/** Output files are whole or absent, and where the user named them. */

import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratch } from '../scratch.ts';
import { interrupted, shell, spaced, umbra } from './umbra.ts';

const folder = scratch('written');

const LOG = 'test/import/tiny-child.lackey.gz';

/** Each writes a file at the path that replaces OUT. */
const WRITERS = {
  'import -o': `umbra import lackey ${LOG} -q -o OUT`,
  '--trace': 'umbra start ls -q --trace OUT',
  '--json': 'umbra start ls -q --json OUT',
  'report -o': 'umbra start ls -q --json run.json && umbra report run.json -o OUT',
};

describe.each(Object.entries(WRITERS))('%s', (name, line) => {
  const at = (file: string): string => join(folder, `${file}-${name.replaceAll(' ', '')}`);
  const lineFor = (out: string): string =>
    line.replace('OUT', out).replaceAll('run.json', at('run.json'));

  test('replaces the target of a link, and leaves the link', async () => {
    writeFileSync(at('target'), 'old');
    symlinkSync(at('target'), at('link'));
    for (const command of lineFor(at('link')).split(' && ')) {
      const { code, stderr } = await umbra(...command.split(' ').slice(1));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('target')).length).toBeGreaterThan(100);
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  test('writes into a pipe, which stays one', () => {
    const [pipe, copy] = [at('pipe'), at('copy')];
    execFileSync('mkfifo', [pipe]);
    const { code, stderr } = shell(lineFor(`${pipe} & cat ${pipe} > ${copy}; wait $!`));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readFileSync(copy).length).toBeGreaterThan(100);
  });
});

describe.runIf(process.platform === 'linux')('where nothing can be written, nothing runs:', () => {
  const nowhere = '/proc/umbra';
  test.each([
    ['start', 'ls', '--out', nowhere],
    ['run', 'false-sharing', '--out', join(nowhere, 'below')],
    ['start', 'ls', '--json', `${nowhere}.json`],
    ['start', 'ls', '--trace', `${nowhere}.dat`],
    ['explore', 'R6-no-shootdown', '--out', nowhere],
    ['explore', 'R6-no-shootdown', '--html', `${nowhere}.html`],
    ['litmus', 'R6-no-shootdown', '--runs', '1', '--out', nowhere],
    ['stress', '--runs', '1', '--out', nowhere],
    ['replay', '--last', '--out', nowhere],
  ])('umbra %s %s %s %s', async (...args) => {
    const { code, stdout, stderr } = await umbra(...args.filter((one) => one !== undefined));
    expect(spaced(stderr)).toMatch(
      /^umbra: \/proc\/umbra\S* (the \w+ )?cannot be (made|written).*\(ENOENT\); give --/,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

test.runIf(process.platform === 'linux').each(['campaign', 'verify'])(
  'umbra %s --out where no ledger can be: nothing runs',
  async (name) => {
    const { code, stdout, stderr } = await umbra(name, 'R6-no-shootdown', '--out', '/proc/umbra');
    expect(stderr).toMatch(/^umbra: \/proc\/umbra: the ledger cannot be used \(unable/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  },
);

test('a removed working folder gives a message, not a stack', () => {
  const main = join(process.cwd(), 'src/main.ts');
  const gone = mkdtempSync(join(folder, 'gone-'));
  const { code, stderr } = shell(
    `cd ${gone}; rmdir ${gone}; "${process.execPath}" ${main} start ls --out x`,
  );
  expect(spaced(stderr)).toBe(
    'umbra: the working folder is not there any more: go to another one ',
  );
  expect(code).toBe(2);
});

test('a full stdout gives a message, not a stack', () => {
  const { code, stderr } = shell('umbra defects > /dev/full');
  expect(stderr).toMatch(/^umbra: stdout cannot be written: ENOSPC.*\n$/);
  expect(code).toBe(2);
});

test('an interrupted command says how much was done', async () => {
  const line = ['explore', 'R6-no-shootdown', '--runs', '100000000', '--paging', 'pae'];
  const { code, stdout } = await interrupted(/schedules/, ...line);
  expect(stdout).toMatch(/interrupted; [\d,]+ schedules? done, in 1 of 3 settings/);
  expect(code).toBe(130);
});
