/** Runs command lines given as JSON, one after the other, with a form feed before each. */

import '../../src/compile-cache.ts';

const { runCommandLine } = await import('../../src/commands/command-line.ts');
for (const args of JSON.parse(process.argv[2]!) as string[][]) {
  process.stdout.write('\f');
  await runCommandLine(args);
}
