/** `umbra merge`: the ledgers of a campaign's shards made into one. */

import { Command } from 'commander';
import { mergeLedgers } from '../explore/campaign/merge.ts';
import { reportOf } from '../explore/campaign/report.ts';
import { tell } from './campaign.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput, type OutputOptions, QUIET_OPTION } from './json-output.ts';

interface Options extends OutputOptions {
  readonly out: string;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .summary("Make the ledgers of a campaign's shards into one")
    .description(
      'Make the ledgers of all shards of a campaign into one, the same as if it had not been ' +
        'split, and tell what it came to.',
    )
    .argument('<ledger...>', 'written by umbra campaign --shard i/n --out LEDGER')
    .requiredOption('-o, --out <ledger>', 'the new ledger; a file that is not there yet')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a schedule went wrong, ` +
        `${ExitCode.UserMistake} the ledgers do not fit together, or something is missing.\n\n` +
        'Examples:\n' +
        '  umbra campaign 5-flush --shard 1/2 --out first.sqlite\n' +
        '  umbra campaign 5-flush --shard 2/2 --out second.sqlite\n' +
        '  umbra merge first.sqlite second.sqlite -o all.sqlite',
    )
    .action((paths: readonly string[], options: Options) => {
      const { out, json } = options;
      const writeJson = jsonOutput(json);
      const ledger = mergeLedgers(paths, out);
      tell(reportOf(ledger), options, writeJson);
      ledger.close();
    });
}
