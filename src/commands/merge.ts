/** `umbra merge`: the ledgers of a campaign's shards made into one. */

import { Command } from 'commander';
import { mergeLedgers } from '../explore/campaign/merge.ts';
import { reportOf } from '../explore/campaign/report.ts';
import { tell } from './campaign.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput } from './json-output.ts';

interface Options {
  readonly out: string;
  readonly json?: string;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description(
      'Make the ledgers of all shards of a campaign into one, the same as if it had not been ' +
        'split, and tell what it came to.',
    )
    .argument('<ledger...>', 'written by umbra campaign --shard i/n --out LEDGER')
    .requiredOption('-o, --out <ledger>', 'the new ledger; a file that is not there yet')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a schedule went wrong, ` +
        `${ExitCode.UserMistake} the ledgers do not fit together, or something is missing.\n\n` +
        'Example: umbra merge 1.sqlite 2.sqlite 3.sqlite -o all.sqlite',
    )
    .action((paths: readonly string[], { out, json }: Options) => {
      const writeJson = jsonOutput(json);
      const ledger = mergeLedgers(paths, out);
      tell(reportOf(ledger), json, writeJson);
      ledger.close();
    });
}
