/** Runs the command line as a user does. */

import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Text without its line breaks, which depend on the terminal's width. */
export const spaced = (text: string): string => text.replace(/\s+/g, ' ');

const OPTIONS = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
const ran = ({ status, stdout, stderr }: SpawnSyncReturns<string>): Ran => ({
  code: status,
  stdout,
  stderr,
});

/** `umbra` with these arguments, in this process; one call at a time. */
export async function umbra(...args: readonly string[]): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  const streams = ['stdout', 'stderr'] as const;
  for (const name of streams) {
    process[name].write = (text: string | Uint8Array): boolean => {
      said[name] += text;
      return true;
    };
  }
  try {
    await runCommandLine(args);
    return { code: Number(process.exitCode ?? 0), ...said };
  } finally {
    process.exitCode = undefined;
    // The exit code of before is inherited.
    for (const name of streams) Reflect.deleteProperty(process[name], 'write');
  }
}

/** Runs it in a process of its own, which is killed once its ledger has a unit. */
export async function killedAtFirstUnit(ledger: string, ...args: readonly string[]): Promise<void> {
  const given = ['src/main.ts', ...args, '--out', ledger];
  const child = spawn(process.execPath, given, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const size = (): number => statSync(ledger, { throwIfNoEntry: false })?.size ?? 0;
  // The tables alone, and then a unit's rows.
  while (size() === 0 && child.exitCode === null) await setTimeout(5);
  const empty = size();
  while (size() <= empty && child.exitCode === null) await setTimeout(5);
  child.kill('SIGKILL');
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
}

/** Words of a command line without other shell syntax than single quotes; else undefined. */
export const plainWords = (line: string): string[] | undefined =>
  /^ *(?:(?:[\w./,:=-]+|'[^']*')(?: +|$))*$/.test(line)
    ? Array.from(line.matchAll(/'([^']*)'|[^ ]+/g), ([word, quoted]) => quoted ?? word)
    : undefined;

/** With these variables in the environment; undefined: without. */
export async function umbraWith(
  variables: Readonly<Record<string, string | undefined>>,
  ...args: readonly string[]
): Promise<Ran> {
  const set = (all: typeof variables): void => {
    for (const [name, value] of Object.entries(all)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  const before = Object.fromEntries(Object.keys(variables).map((one) => [one, process.env[one]]));
  set(variables);
  try {
    return await umbra(...args);
  } finally {
    set(before);
  }
}

/** In a folder of its own, in which failing schedules are kept. */
export async function umbraAt(folder: string, ...args: readonly string[]): Promise<Ran> {
  const here = process.cwd();
  process.chdir(folder);
  try {
    return await umbraWith({ UMBRA_STATE: undefined }, ...args);
  } finally {
    process.chdir(here);
  }
}

/** As `umbra`, in a process of its own, where the process is what is tested. */
export const umbraProcess = (...args: readonly string[]): Ran =>
  ran(spawnSync(process.execPath, ['src/main.ts', ...args], OPTIONS));

/** A line of shell in which `umbra` is the command. */
export function shell(line: string): Ran {
  const script = `umbra() { "${process.execPath}" src/main.ts "$@"; }; ${line}`;
  return ran(spawnSync('bash', ['-c', script], OPTIONS));
}

/** Whether a terminal can be allocated for a command. */
export const hasTerminal =
  process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

/** The output of each command line, run at a terminal of this many columns. */
export function atTerminal(columns: number, lines: readonly (readonly string[])[]): string[] {
  const worker = `test/commands/lines-worker.ts '${JSON.stringify(lines)}'`;
  const command = `stty cols ${columns}; exec ${process.execPath} ${worker}`;
  const { stdout } = ran(spawnSync('script', ['-qec', command, '/dev/null'], OPTIONS));
  return stdout.split('\f').slice(1);
}

/** At a terminal, with Ctrl-C as soon as the output contains `sign`. */
export async function interrupted(sign: RegExp, ...args: readonly string[]): Promise<Ran> {
  // exec: Ctrl-C would end a waiting shell, and the exit code would be the shell's.
  const command = ['stty cols 100; exec', process.execPath, 'src/main.ts', ...args].join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null']);
  let said = '';
  let done = false;
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (!done && sign.test(said)) {
      done = true;
      child.stdin.write('\x03');
    }
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout: said, stderr: '' };
}

/** SIGTERM as soon as the output, a pipe, contains `sign`. */
export async function terminated(sign: RegExp, ...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, ['src/main.ts', ...args]);
  const said = { stdout: '', stderr: '' };
  child.stderr.on('data', (data: Buffer) => {
    said.stderr += data.toString();
  });
  child.stdout.on('data', (data: Buffer) => {
    const before = sign.test(said.stdout);
    said.stdout += data.toString();
    if (!before && sign.test(said.stdout)) child.kill('SIGTERM');
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...said };
}
