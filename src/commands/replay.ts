/** `umbra replay`: replays a schedule that umbra explore printed, and tells its story. */

import { isDeepStrictEqual } from 'node:util';
import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { replayToken } from '../explore/replay.ts';
import type { Result } from '../explore/result.ts';
import { tellStory } from '../explore/story/tell.ts';
import { decodeToken, type Token } from '../explore/token.ts';
import { counted } from '../numbers.ts';
import { settingText } from '../report/litmus-setting.ts';
import type { Story } from '../report/story.ts';
import { storyText } from '../report/story-text.ts';
import { confirmOnThreads, engineOption } from './engine.ts';
import { ExitCode } from './exit-code.ts';
import { EXIT_CODES } from './explore.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import { titleOf } from './kept-schedules.ts';
import type { OptionsOf } from './options.ts';
import { pageFile, playerData, playerHtml } from './player-page.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { passingOf, SCHEDULE_HELP, type Schedule, scheduleOf, withSchedule } from './schedule.ts';
import { columnsOf } from './terminal.ts';

function declare() {
  const command = new Command('replay')
    .summary('Replay a schedule, and tell its story')
    .description(
      'Replay, step for step, a schedule that umbra explore or another command found. Each ' +
        'step is ' +
        'compared with the recorded one.',
    );
  return withSchedule(command)
    .option('--story', 'tell what happened: a column for each host CPU, time downward')
    .option('--all', 'show each step, not only those that matter')
    .option('--html <file>', 'write a page to step through the schedule, which opens from disk')
    .option(
      '--against [schedule]',
      'compare with a schedule of the same operations that passes; by default the one kept with it',
    )
    .addOption(engineOption())
    .addOption(
      new Option(
        '--world <file>',
        'for a token of a world: the module that exports the world; its code runs',
      ).conflicts(['last', 'test', 'html', 'all', 'against', 'engine']),
    )
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      `${SCHEDULE_HELP}\nA story says at which step it breaks, and which two accesses are to ` +
        'blame; docs/stories.md explains it and the page. A token of a world of the library ' +
        'needs --world (docs/library.md). Exit codes are those of ' +
        `umbra explore: ${ExitCode.Ok} if the schedule passes.\n\nExamples:\n` +
        '  umbra explore R2-cleared-entry-comes-back --defects R2\n' +
        '  umbra replay --last --story --against\n' +
        '  umbra replay --last --html story.html --against',
    );
}

type Options = OptionsOf<typeof declare>;

export const replayCommand = (): CommandUnknownOpts => declare().action(replay);

async function replay(
  named: string | undefined,
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const { story: toldHere = false, all = false, html, against, engine } = options;
  const asked = toldHere || html !== undefined;
  if (!asked && (all || against !== undefined)) {
    const option = all ? '--all' : '--against';
    throw new UserError(
      `${option} is about the story, and none is asked for: add --story or --html`,
    );
  }
  const writeResult = resultsOf(options, command);
  if (options.world !== undefined) {
    const { replayWorldOf } = await import('./replay-world.ts');
    const { text, result } = await replayWorldOf(named, options.world, toldHere);
    printer(options)(text, result.ending !== 'ok');
    writeResult(result);
    process.exitCode = EXIT_CODES[result.ending];
    return;
  }
  const writePage = pageFile(html);
  const schedule = scheduleOf(named, options);
  const { token, subject } = schedule;
  const beside = textAgainst(schedule, against);
  const passing = beside === undefined ? undefined : passingRun(schedule, decodeToken(beside));
  const result = replayToken(subject, token);
  const confirmed = engine === 'threads' ? await confirmOnThreads(subject, result) : '';
  const player =
    writePage && playerData(subject, result, { passing, all, tokens: [schedule.text, beside] });
  const story = asked
    ? (player?.tracks[0].story ?? tellStory(subject, result, { passing, all }))
    : undefined;
  const isWrong = result.ending !== 'ok';
  const print = printer(options);
  print(`${titleOf(token)}\n${describe(result)}${confirmed}`, isWrong);
  if (story !== undefined && toldHere) print(`\n${storyText(story, styleOf())}`, isWrong);
  if (player !== undefined) writePage?.(playerHtml(player, all));
  writeResult(reportOf(schedule, result, toldHere ? story : undefined));
  process.exitCode = EXIT_CODES[result.ending];
}

/** The token of the schedule to be compared with. */
function textAgainst({ passing }: Schedule, against: Options['against']): string | undefined {
  if (against !== true) return against && passingOf(against);
  if (passing !== undefined) return passing;
  throw new UserError(
    'no schedule that ends well is kept with this one: give --against one, or let umbra ' +
      'shrink look for it',
  );
}

/** Of the same test in the same setting, and one that ends well. */
function passingRun({ token: failing, subject }: Schedule, token: Token): Result {
  const of = ({ digest, paging, discipline, defects, kept, ...mode }: Token) => [
    ...[digest, paging, discipline, defects, kept],
    ...[mode.memory, mode.abridged, mode.betweenSteps],
  ];
  if (!isDeepStrictEqual(of(token), of(failing))) {
    throw new UserError(
      `--against is a schedule of ${token.file} in another setting, with other operations, or ` +
        `another test: expected one of ${subject.path} as the schedule to be told has it ` +
        `(${settingText(subject.setting)}); umbra shrink prints two that fit`,
    );
  }
  const result = replayToken(subject, token);
  if (result.ending === 'ok') return result;
  throw new UserError(
    `--against ends badly as well (${result.ending}: ${result.message}): expected a schedule ` +
      'that ends as it may',
  );
}

const styleOf = () => ({
  columns: columnsOf(process.stdout),
  colours: Boolean(process.stdout.isTTY) && !process.env['NO_COLOR'],
});

function reportOf(
  { text, token }: Schedule,
  { ending, message, outcome, run }: Result,
  story?: Story,
) {
  return {
    schema_version: 1,
    token: text,
    file: token.file,
    paging: token.paging,
    discipline: token.discipline,
    defects: token.defects,
    ending,
    message,
    outcome: outcome ?? null,
    steps: run.steps,
    digest: run.digest,
    ...(story && { story }),
  };
}

function describe({ ending, message, run }: Result): string {
  const switches = run.decisions.turns.length / 2;
  const how = ending === 'ok' ? 'it passes' : `${ending}: ${message}`;
  return `${run.steps} steps, ${counted(switches, 'switch')}, digest ${run.digest}\n${how}\n`;
}
