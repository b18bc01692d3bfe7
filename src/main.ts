#!/usr/bin/env node
/** The command line, as a process. */

import './compile-cache.ts';

// The reader of the output may stop early (`umbra … | head`): the command still
// finishes, and its exit code stands. Where there is no room for it, it ends.
for (const [name, stream] of Object.entries({ stdout: process.stdout, stderr: process.stderr })) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return;
    if (name === 'stdout') process.stderr.write(`umbra: stdout cannot be written: ${message}\n`);
    process.exit(2);
  });
}

// Not before: what was imported by then would be compiled each time.
const { runCommandLine } = await import('./commands/command-line.ts');
await runCommandLine(process.argv.slice(2));
