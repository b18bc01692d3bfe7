/** `umbra queue`: the contents, progress and results of a queue. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { grouped } from '../numbers.ts';
import type { Queue } from '../queue/queue.ts';
import type { PlanState } from '../queue/results.ts';
import { tableText } from '../report/text-table.ts';
import { ExitCode } from './exit-code.ts';
import {
  JSON_OPTION,
  jsonOutput,
  type OutputOptions,
  output,
  printer,
  QUIET_OPTION,
} from './json-output.ts';
import { tableColumns } from './terminal.ts';
import { QUEUE_OPTION } from './units.ts';
import { WATCH_OPTION, type WatchOptions } from './watch.ts';

/** What those below have, some one and some the other. */
interface Options extends OutputOptions, WatchOptions {
  readonly queue?: string;
  readonly html?: string;
  readonly all?: true;
}

/** The last ones are told. */
const MOST_ROUNDS = 10;

const PLAN = 'the start of its id; optional if there is only one plan';

const HTML_OPTION = ['--html <file>', 'write it as a page of the report'] as const;

export function queueCommand(): CommandUnknownOpts {
  return new Command('queue')
    .summary('Show, watch and clear a queue of units')
    .description(
      'Show the plans in a queue that umbra campaign and others have filled, and their results.',
    )
    .addCommand(
      below('status', 'List plans, their progress, and workers', '')
        .option(...JSON_OPTION)
        .action(on(status)),
    )
    .addCommand(
      below(
        'watch',
        'Watch a plan until it is done: units, workers, rate, time left, failures as they come',
        ' --watch',
      )
        .option(...WATCH_OPTION)
        .option(HTML_OPTION[0], 'also write it as a page of the report, anew as the plan goes on')
        .action(
          on(async (queue, name, options) =>
            (await import('./queue-watch.ts')).watch(queue, name, options),
          ),
        ),
    )
    .addCommand(
      below(
        'report',
        'Show the results of a plan so far; for a campaign, all that umbra campaign shows',
        ' --html plan.html',
      )
        .option(...JSON_OPTION)
        .option(...HTML_OPTION)
        .option(...QUIET_OPTION)
        .action(on(report)),
    )
    .addCommand(
      below('cancel', 'Stop a plan; the command that made it resumes it', '').action(on(cancel)),
    )
    .addCommand(
      below('purge', 'Remove a plan with all of its units and results', ' --all')
        .option('--all', 'all plans')
        .action(on(purge)),
    )
    .addHelpText('after', `${CODES}\n\nExamples:\n  umbra queue status --queue embedded`);
}

const CODES =
  `\nExit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a failure in the plan, ` +
  `${ExitCode.UserMistake} a mistake in the input, ${ExitCode.Interrupted} Ctrl-C.`;

const below = (name: string, summary: string, example: string) =>
  new Command(name)
    .summary(summary)
    .description(`${summary}.`)
    .argument('[plan]', PLAN)
    .option(QUEUE_OPTION[0], 'the queue: postgres://…, embedded or embedded:FOLDER')
    .addHelpText(
      'after',
      `${CODES}\n\nExamples:\n  umbra queue ${name} --queue embedded${example}`,
    );

type Action = (queue: Queue, name: string | undefined, options: Options) => Promise<void>;

const on =
  (action: Action) =>
  (name: string | undefined, options: Options): Promise<void> =>
    onQueue(options, (queue) => action(queue, name, options));

async function onQueue(
  { queue: text }: Options,
  work: (queue: Queue) => Promise<void>,
): Promise<void> {
  if (text === undefined) {
    throw new UserError('which queue? Give --queue, or UMBRA_QUEUE in the environment');
  }
  const [{ parseAddress }, { Queue: Opened }] = await Promise.all([
    import('../queue/address.ts'),
    import('../queue/queue.ts'),
  ]);
  const queue = await Opened.find(parseAddress(text));
  try {
    await work(queue);
  } finally {
    await queue.close();
  }
}

const exitCodeOf = ({ failures, buried }: Pick<PlanState, 'failures' | 'buried'>): ExitCode =>
  failures > 0 || buried > 0 ? ExitCode.Failed : ExitCode.Ok;

async function status(queue: Queue, name: string | undefined, options: Options): Promise<void> {
  const writeJson = jsonOutput(options.json);
  const [{ planStates, findPlan, shortId, buriedUnits }, { workersOf }] = await Promise.all([
    import('../queue/results.ts'),
    import('../queue/status.ts'),
  ]);
  const plans = name === undefined ? await planStates(queue) : [await findPlan(queue, name)];
  const workers = await workersOf(queue);
  const killers = new Map<string, readonly string[]>();
  for (const { id, buried } of plans) if (buried > 0) killers.set(id, await buriedUnits(queue, id));
  const print = printer(options);
  const head = ['plan', 'state', 'done', 'of', 'failed', 'command'];
  const rows = plans.map(({ id, state, done, units, failures, title }) => [
    ...[shortId(id), state, grouped(done), grouped(units), grouped(failures), title],
  ]);
  const align = ['left', 'left', 'right', 'right', 'right', 'left'] as const;
  const columns = tableColumns();
  print(plans.length === 0 ? 'no plan\n' : `${tableText({ head, align, rows }, { columns })}\n`);
  for (const [id, lines] of killers) {
    for (const line of lines) print(`FOUND: plan ${shortId(id)}: ${line}\n`, true);
  }
  print(
    workers.length === 0
      ? 'no workers\n'
      : `\n${tableText(
          {
            head: ['machine', 'process', 'at work', 'of', 'units done'],
            rows: workers.map(({ host, pid, busy, jobs, units }) => [
              ...[host, String(pid), ...[busy, jobs, units].map(grouped)],
            ]),
          },
          { columns },
        )}\n`,
  );
  const { roundsOf, roundText } = await import('../queue/rounds.ts');
  const rounds = name === undefined ? await roundsOf(queue, MOST_ROUNDS) : [];
  for (const round of rounds) print(`${roundText(round)}\n`, round.isBad);
  writeJson({ schema_version: 1, plans, workers, given_up: [...killers.values()].flat(), rounds });
  process.exitCode = plans.some((plan) => exitCodeOf(plan) !== ExitCode.Ok)
    ? ExitCode.Failed
    : ExitCode.Ok;
}

async function report(queue: Queue, name: string | undefined, options: Options): Promise<void> {
  const writeJson = jsonOutput(options.json);
  const writeHtml = output(options.html, { option: '--html', what: 'page' });
  const [{ findPlan }, { snapshotOf, statusLine }, { planPage }] = await Promise.all([
    import('../queue/results.ts'),
    import('../queue/status.ts'),
    import('../queue/page.ts'),
  ]);
  const plan = await findPlan(queue, name);
  const now = (await snapshotOf(queue, plan.id))!;
  const print = printer(options);
  if (plan.kind === 'campaign') {
    const [{ ledgerSoFar }, { reportOf }, { tell }] = await Promise.all([
      import('../queue/ledger.ts'),
      import('../explore/campaign/report.ts'),
      import('./campaign.ts'),
    ]);
    const ledger = await ledgerSoFar(queue, plan.id);
    tell(reportOf(ledger), options, writeJson);
    ledger.close();
  } else {
    print(`${plan.title}: ${plan.state}, ${statusLine(now)}\n`, plan.failures > 0);
    for (const { place, says } of now.failed)
      print(`unit ${place ?? '–'}: ${says ?? 'failed'}\n`, true);
    if (plan.state === 'done') print(`the same command tells what came of it: ${plan.title}\n`);
    writeJson({ schema_version: 1, plan, failed: now.failed });
  }
  for (const line of now.killers) print(`FOUND: ${line}\n`, true);
  writeHtml(await planPage(queue, now));
  process.exitCode = exitCodeOf(plan);
}

async function cancel(queue: Queue, name: string | undefined): Promise<void> {
  const { findPlan } = await import('../queue/results.ts');
  const { id, title } = await findPlan(queue, name);
  const { rowCount } = await queue.database.query(
    `UPDATE umbra.plan SET state = 'cancelled', ended = now()
     WHERE id = $1 AND state IN ('open', 'standing')`,
    [id],
  );
  process.stdout.write(
    `${title}: ` +
      `${rowCount === 0 ? 'it is not open' : 'cancelled; units that are at work will be done'}\n`,
  );
}

async function purge(queue: Queue, name: string | undefined, { all }: Options): Promise<void> {
  const [{ findPlan, planStates }, { purgePlan }] = await Promise.all([
    import('../queue/results.ts'),
    import('../queue/plan.ts'),
  ]);
  const plans = all ? await planStates(queue) : [await findPlan(queue, name)];
  for (const { id, title } of plans) {
    await purgePlan(queue, id);
    process.stdout.write(`${title}: removed\n`);
  }
}
