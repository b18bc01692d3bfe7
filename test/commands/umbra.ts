/** Running the command line as a user does. */

import { spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `umbra` with these arguments, its output through pipes. */
export function umbra(...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.ts', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { code: status, stdout, stderr };
}

/** In a folder of its own, where schedules are kept that went wrong. */
export function umbraAt(folder: string, ...args: readonly string[]): Ran {
  const { UMBRA_STATE: _, ...env } = process.env;
  const main = resolve('src/main.ts');
  const options = { encoding: 'utf8', maxBuffer: 1 << 28, cwd: folder, env } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  return { code: status, stdout, stderr };
}

/** A line of shell in which `umbra` is the command. */
export function shell(line: string): Ran {
  const script = `umbra() { "${process.execPath}" src/main.ts "$@"; }; ${line}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

/** Whether a terminal can be had for a command. */
export const hasTerminal =
  process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

/** At a terminal of so many columns. */
export function atTerminal(columns: number, ...args: readonly string[]): Ran {
  const command = `stty cols ${columns}; exec ${process.execPath} src/main.ts ${args.join(' ')}`;
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const { status, stdout, stderr } = spawnSync('script', ['-qec', command, '/dev/null'], options);
  return { code: status, stdout, stderr };
}

/** At a terminal, and Ctrl-C as soon as the command has said something like `sign`. */
export async function interrupted(sign: RegExp, ...args: readonly string[]): Promise<Ran> {
  // exec: a shell that waits for the command would be ended by Ctrl-C itself, and its exit code told.
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
