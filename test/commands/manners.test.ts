/** Common to all commands: help, sources of options, --quiet, progress, completion. */

import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeProgram } from '../../src/commands/catalogue.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, shell, spaced, umbra, umbraAt, umbraWith } from './umbra.ts';

const folder = scratch('manners');

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const TEST = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const EXPLORE = ['explore', TEST, '--paging', 'nonpae', '--discipline', 'lock-free'] as const;

const program = await makeProgram(undefined);
const commands = program.commands
  .flatMap((command) => (command.name() === 'import' ? command.commands : [command]))
  .filter((command) => !['help', 'complete'].includes(command.name()));

describe('help', () => {
  test.each(commands.map((command) => [command.name(), command] as const))(
    'of %s has examples and exit codes',
    (_, command) => {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(help).toMatch(/^Examples:$\n( {2}.*\n)* {2}.*\bumbra /m);
      expect(help).toMatch(/Exit codes?\b/);
    },
  );

  test('lists the commands in groups, one per line', async () => {
    const { stdout } = await umbra('--help');
    for (const { name } of [{ name: 'start' }, { name: 'mutants' }, { name: 'completion' }]) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +[A-Z]`, 'm'));
    }
    expect(stdout).toMatch(/^Find, replay and shrink races:$/m);
  });

  test('of a command is printed for both spellings', async () => {
    expect((await umbra('help', 'run')).stdout).toBe((await umbra('run', '--help')).stdout);
    expect((await umbra('queue', '--help')).stdout).toMatch(/^Commands:\n( {2}.*\n)* {2}help /m);
  });

  test("the version is the package's", async () => {
    expect((await umbra('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('an option', () => {
  const seedOf = async (environment: Record<string, string>, ...more: readonly string[]) => {
    const given = [...EXPLORE, '--runs', '2', '--json', '-', ...more];
    const { stdout, stderr } = await umbraWith(environment, ...given);
    expect(stderr).toBe('');
    return (JSON.parse(stdout) as { seed: number }).seed;
  };

  test('on the command line overrides the environment, which overrides the file, which overrides the default', async () => {
    const path = file('seed.yaml', 'explore:\n  seed: 11\n');
    const config = ['--config', path];
    const twelve = { UMBRA_SEED: '12' };
    expect(await seedOf({})).toBe(1);
    expect(await seedOf({}, ...config)).toBe(11);
    expect(await seedOf({ UMBRA_CONFIG: path })).toBe(11);
    expect(await seedOf(twelve, ...config)).toBe(12);
    expect(await seedOf(twelve, ...config, '--seed', '13')).toBe(13);
  });

  test('of one command overrides that of all; flags and lists are allowed', async () => {
    const path = file(
      'both.yaml',
      'seed: 5\nquiet: true\nlitmus:\n  seed: 6\ncampaign:\n  strategy: [pos, surw]\n',
    );
    const { stdout } = await umbra('litmus', TEST, '--runs', '1', '--config', path);
    expect(stdout).toBe('');
    const campaign = await umbra('campaign', TEST, '--runs', '20', '--config', path, '--json', '-');
    const report = JSON.parse(campaign.stdout) as { seed: number; strategies: string[] };
    expect(report).toMatchObject({ seed: 5, strategies: ['pos', 'surw'] });
  });

  test('that is invalid in the file is reported with line and column, all at once, and nothing runs', async () => {
    const path = file(
      'wrong.yaml',
      'seed: many\nstress:\n  secnds: 4\nnope: 3\nrun: 7\nexplore:\n  shrink: perhaps\n',
    );
    const { code, stdout, stderr } = await umbra(...EXPLORE, '--config', path);
    const said = stderr.replaceAll(/\n {2}/g, ' ');
    expect(said).toContain(`${path}:1:7: found 'many'. A whole number of at least 0 is expected.`);
    expect(said).toContain(
      `${path}:3:3: found secnds, expected an option of umbra stress; did you mean seconds?`,
    );
    expect(said).toContain(`${path}:4:1: found nope, expected an option or a command`);
    expect(said).toContain(`${path}:5:6: found no map, expected options of umbra run`);
    expect(said).toContain(`${path}:7:11: found 'perhaps', expected true or false`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('that is invalid in the environment is reported by its variable', async () => {
    const { code, stderr } = await umbraWith({ UMBRA_SEED: 'x' }, ...EXPLORE);
    expect(stderr).toContain("UMBRA_SEED: found 'x'. A whole number of at least 0 is expected.");
    expect(code).toBe(2);
  });

  test('that cannot be used with another is refused in the file, and left out beside one that is typed', async () => {
    const both = file('both-races.yaml', 'explore:\n  race: 2\n  races: true\n');
    const { code, stderr } = await umbra(...EXPLORE, '--config', both);
    expect(stderr).toContain(`${both}: --race cannot be used with --races, also set`);
    expect(code).toBe(2);
    const page = join(folder, 'left-out.html');
    const html = file('html.yaml', `explore:\n  html: ${page}\n`);
    await umbra(...EXPLORE, '--races', '--runs', '2', '--config', html);
    expect(existsSync(page)).toBe(false);
  });

  test('from a missing file is an error', async () => {
    const { code, stderr } = await umbra(...EXPLORE, '--config', join(folder, 'none.yaml'));
    expect(stderr).toContain('none.yaml cannot be read: ENOENT');
    expect(code).toBe(2);
  });

  test('the default file is read if it exists', async () => {
    const path = file('umbra.yaml', 'nope: 1\n');
    const { stderr } = await umbraAt(folder, 'start');
    rmSync(path);
    expect(stderr).toContain('umbra.yaml:1:1: found nope, expected an option or a command');
  });
});

describe('--quiet', () => {
  test('prints nothing when all is well', async () => {
    const ran = await umbra(...EXPLORE, '--runs', '20', '--quiet');
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('prints failures', async () => {
    const ran = await umbra(...EXPLORE, '--defects', 'R2', '--quiet', '--no-shrink');
    expect(ran.stdout).toMatch(/^umbra replay umbra/m);
    expect(ran.code).toBe(1);
  });

  test('of a successful run and of a failed one', async () => {
    expect(await umbra('start', 'scenarios/traces/ls.umbra', '-q')).toMatchObject({
      code: 0,
      stdout: '',
    });
    const dies = 'cpus: 1\nguests:\n  - program: { builtin: touch }\nfail_allocation_after: 20\n';
    const failed = await umbra('run', file('dies.yaml', dies), '-q');
    expect(failed.stdout).toContain('killed');
    expect(failed.code).toBe(1);
  });
});

describe.runIf(hasTerminal)('at a terminal', () => {
  test('progress has a rate and an end', async () => {
    const ran = await interrupted(/\/s, ETA/, ...EXPLORE, '--runs', '1000000');
    expect(ran.stdout).toMatch(
      /lock-free, nonpae: [\d,]+ of 1,000,000 schedules, [\d.,]+\/s, ETA \d/,
    );
    expect(ran.code).toBe(130);
  });

  test('output has colours, and none with NO_COLOR', () => {
    const help = (environment: string): string =>
      shell(`script -qec '${environment} "${process.execPath}" src/main.ts --help' /dev/null`)
        .stdout;
    expect(help('env -u NO_COLOR TERM=xterm FORCE_COLOR=')).toContain('\x1b[1m');
    expect(help('env TERM=xterm NO_COLOR=1')).not.toContain('\x1b[');
  });
});

describe('completion', () => {
  /** Bash's completions for the lines, by the generated script. */
  function offered(...lines: readonly string[]): string[][] {
    const quoted = lines.map((line) => `'${line}'`).join(' ');
    const { stdout, stderr } = shell(`source test/commands/completed.sh ${quoted}`);
    expect(stderr).toBe('');
    return stdout.split('\n\n').map((some) => some.trim().split('\n'));
  }

  test('of commands, options, choices, names and files', () => {
    const OFFERED: Readonly<Record<string, readonly string[]>> = {
      ex: ['explore'],
      'run --disc': ['--discipline'],
      'run --policy r': ['round-robin', 'random'],
      'run parallel': expect.arrayContaining(['parallel-pigz']),
      'stress --defects U1': ['U1', 'U10', 'U11', 'U12', 'U13', 'U14'],
      'campaign litmus --strategy su': ['surw'],
      'explore litmus/1-fault/R2-c': [TEST],
      'explore litm': expect.arrayContaining(['litmus/1-fault/']),
    };
    const lines = Object.keys(OFFERED);
    const found = offered(...lines).map((offers, i) => [lines[i], offers]);
    expect(Object.fromEntries(found.slice(0, -1))).toEqual(OFFERED);
  });

  test('refuses an unknown shell', async () => {
    expect((await umbra('completion', 'sh')).code).toBe(2);
  });
});

test.each([
  ['litmus', '--json', 'out.json'],
  ['run', '--cpus', '3'],
  ['study', '--seeds', '9'],
])('refuses options of a run when it only lists: %s', async (...args) => {
  const { code, stdout, stderr } = await umbra(...args);
  expect(spaced(stderr)).toMatch(/^umbra: --\w+ is about a run, and a \w+ to run is not given/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

describe('a place to write to', () => {
  test.each([
    ['verify', 'R4', '--json', 'same', '--markdown', './same'],
    ['sweep', 'scenarios/swarm.yaml', '--vary', 'slice=1,2', '--json', 'same', '--csv', 'same'],
    ['litmus', 'R4', '--json', 'same', '--out', 'same'],
    ['import', 'schedule', 'recording.txt', '--json', 'same', '-o', 'same'],
  ])('is not that of another output: %s', async (...args) => {
    const { code, stdout, stderr } = await umbra(...args);
    expect(spaced(stderr)).toMatch(
      /found \S*same for --\w+ and for --\w+, expected a place of its own/,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('is not what the command reads, also by way of a link', async () => {
    const text = readFileSync(TEST, 'utf8');
    const path = file('read.yaml', text);
    const link = join(folder, 'link.yaml');
    symlinkSync(path, link);
    const token = file('token.txt', 'umbra5.not-read-yet');
    const trace = file('trace.din', '2 401000\n0 7f0010\n');
    for (const args of [
      ['litmus', path, '--json', path],
      ['explore', path, '--runs', '1', '--html', link],
      ['campaign', link, '--out', path],
      ['import', 'memory', trace, '-o', trace],
      ['report', path, '-o', path],
      ['replay', token, '--story', '--against', path, '--json', path],
    ]) {
      const { code, stdout, stderr } = await umbra(...args);
      expect(spaced(stderr)).toMatch(/is read, and --\w+ would overwrite it/);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('may be a device that is given twice', async () => {
    const args = ['--runs', '1', '--html', '/dev/null', '--json', '/dev/null'];
    expect((await umbra(...EXPLORE, ...args)).code).toBe(0);
  });
});
