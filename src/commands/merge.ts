/** `umbra merge`: the ledgers of a campaign's shards made into one. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import type { CampaignLedger } from '../explore/campaign/ledger.ts';
import { mergeLedgers } from '../explore/campaign/merge.ts';
import { reportOf } from '../explore/campaign/report.ts';
import { isAddress } from '../queue/address.ts';
import { tell } from './campaign.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput, QUIET_OPTION } from './json-output.ts';
import type { OptionsOf } from './options.ts';

function declare() {
  return new Command('merge')
    .summary("Merge the ledgers of a campaign's shards")
    .description(
      'Merge the ledgers of all shards of a campaign into one, the same as if it had not been ' +
        'split, and report the result.',
    )
    .argument(
      '<ledger...>',
      'written by umbra campaign --shard i/n --out LEDGER; or a queue, postgres://… or embedded',
    )
    .requiredOption('-o, --out <ledger>', 'the new ledger; a file that is not there yet')
    .option('--plan <id>', 'the campaign, if the queue has several (umbra queue status lists them)')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a schedule went wrong, ` +
        `${ExitCode.UserMistake} the ledgers do not fit together, or something is missing.\n\n` +
        'Examples:\n' +
        '  umbra campaign 5-flush --shard 1/2 --out first.sqlite\n' +
        '  umbra campaign 5-flush --shard 2/2 --out second.sqlite\n' +
        '  umbra merge first.sqlite second.sqlite -o all.sqlite\n' +
        '  umbra merge embedded -o pulled.sqlite',
    );
}

type Options = OptionsOf<typeof declare>;

export const mergeCommand = (): CommandUnknownOpts => declare().action(merge);

async function merge(paths: readonly string[], options: Options): Promise<void> {
  const { out, json } = options;
  const writeJson = jsonOutput(json);
  const ledger = paths.some(isAddress) ? await pulled(paths, options) : mergeLedgers(paths, out);
  tell(reportOf(ledger), options, writeJson);
  ledger.close();
}

async function pulled(paths: readonly string[], { out, plan }: Options): Promise<CampaignLedger> {
  if (paths.length > 1) throw new UserError('a queue has all of a campaign: give it alone');
  const [{ parseAddress }, { Queue }, { pullLedger }] = await Promise.all([
    import('../queue/address.ts'),
    import('../queue/queue.ts'),
    import('../queue/ledger.ts'),
  ]);
  const queue = await Queue.find(parseAddress(paths[0]!));
  try {
    return await pullLedger(queue, out, plan);
  } finally {
    await queue.close();
  }
}
