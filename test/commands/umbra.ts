/** Running the command line as a user does. */

import { spawnSync } from 'node:child_process';

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

/** A line of shell in which `umbra` is the command. */
export function shell(line: string): Ran {
  const script = `umbra() { "${process.execPath}" src/main.ts "$@"; }; ${line}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}
