#!/usr/bin/env node
/**
 * The command line. A command is a function in commands/ that returns a commander
 * Command whose action sets `process.exitCode`; here they are put together, and what
 * goes wrong in them is told apart by whose mistake it is.
 */

import '../shared/compile-cache.ts';
import { Command, CommanderError } from 'commander';
import { UserError } from '../shared/errors.ts';
import { ExitCode } from './commands/exit-code.ts';
import { columnsOf, wrap } from './commands/terminal.ts';

/** Loaded when they are wanted: together they are most of what umbra is. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).startCommand(),
  run: async () => (await import('./commands/run.ts')).runCommand(),
  stress: async () => (await import('./commands/stress.ts')).stressCommand(),
  litmus: async () => (await import('./commands/litmus.ts')).litmusCommand(),
  explore: async () => (await import('./commands/explore.ts')).exploreCommand(),
  replay: async () => (await import('./commands/replay.ts')).replayCommand(),
  shrink: async () => (await import('./commands/shrink.ts')).shrinkCommand(),
  campaign: async () => (await import('./commands/campaign.ts')).campaignCommand(),
  merge: async () => (await import('./commands/merge.ts')).mergeCommand(),
  mutants: async () => (await import('./commands/mutants.ts')).mutantsCommand(),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  conformance: async () => (await import('./commands/conformance.ts')).conformanceCommand(),
  compare: async () => (await import('./commands/compare.ts')).compareCommand(),
  costs: async () => (await import('./commands/costs.ts')).costsCommand(),
  defects: async () => (await import('./commands/defects.ts')).defectsCommand(),
};

const program = new Command('umbra')
  .description("A laboratory for lguest's shadow page tables on a simulated multiprocessor.")
  .showSuggestionAfterError()
  .showHelpAfterError('(umbra --help, or umbra COMMAND --help, says what there is)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'umbra:')) })
  .exitOverride();
const wanted = COMMANDS[process.argv[2] ?? ''];
for (const load of wanted === undefined ? Object.values(COMMANDS) : [wanted]) {
  program.addCommand((await load()).copyInheritedSettings(program));
}

// Whoever reads our output may stop early (`umbra … | head`): the command still
// finishes, and its exit code stands.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Say what went wrong; returns the exit code. */
function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has printed it already. Help that was asked for is no mistake.
    return error.exitCode === 0 ? ExitCode.Ok : ExitCode.UserMistake;
  }
  if (error instanceof UserError) {
    for (const paragraph of error.message.split('\n')) {
      console.error(wrap(`umbra: ${paragraph}`, columnsOf(process.stderr)));
    }
    return ExitCode.UserMistake;
  }
  console.error('umbra: this is a bug in umbra itself.');
  console.error(error);
  return ExitCode.Bug;
}
