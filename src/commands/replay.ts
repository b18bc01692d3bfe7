/** `umbra replay`: do a schedule again that umbra explore printed. */

import { Command } from 'commander';
import { type Result, subjectOf } from '../explore/search.ts';
import { decodeToken } from '../explore/token.ts';
import { ExitCode } from './exit-code.ts';
import { EXIT_CODES } from './explore.ts';
import { JSON_OPTION, jsonOutput } from './json-output.ts';

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Do a schedule again, step for step, from the line that umbra explore printed. Each step ' +
        'is compared with the one that was recorded.',
    )
    .argument('<token>', 'the line, from umbra… on')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nThe litmus file must be where it was, as it was. Exit codes are those of umbra explore: ' +
        `${ExitCode.Ok} if the schedule ends well.\n`,
    )
    .action((text: string, { json }: { readonly json?: string }) => {
      const writeJson = jsonOutput(json);
      const token = decodeToken(text);
      const result = subjectOf(token).replay(token);
      if (json !== '-') process.stdout.write(describe(result));
      const { ending, message, outcome, run } = result;
      writeJson({
        schema_version: 1,
        ...{ file: token.file, paging: token.paging, discipline: token.discipline },
        ...{ defects: token.defects, ending, message, outcome: outcome ?? null },
        ...{ steps: run.steps, digest: run.digest },
      });
      process.exitCode = EXIT_CODES[ending];
    });
}

function describe({ ending, message, run }: Result): string {
  const switches = run.decisions.turns.length / 2;
  const how = ending === 'ok' ? 'it ends as it may' : `${ending}: ${message}`;
  return `${run.steps} steps, ${switches} times another CPU's turn, digest ${run.digest}\n${how}\n`;
}
