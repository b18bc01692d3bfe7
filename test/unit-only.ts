/**
 * A unit test that starts a process or a thread fails: it belongs to another project (projects.ts).
 */

import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const refuse = (what: string) =>
  function refused(): never {
    throw new Error(`a unit test starts a ${what}: name its file in test/projects.ts`);
  };

for (const name of ['exec', 'execFile', 'fork', 'spawn'] as const) {
  Object.assign(childProcess, { [name]: refuse('process'), [`${name}Sync`]: refuse('process') });
}
Object.assign(threads, { Worker: refuse('thread') });
syncBuiltinESMExports();
