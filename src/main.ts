#!/usr/bin/env node
/** The command line, as a process. */

import './compile-cache.ts';

// Whoever reads our output may stop early (`umbra … | head`): the command still
// finishes, and its exit code stands.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// Not before: what was imported by then would be compiled each time.
const { runCommandLine } = await import('./commands/command-line.ts');
await runCommandLine(process.argv.slice(2));
