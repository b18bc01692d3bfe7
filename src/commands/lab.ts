/** `umbra lab`: the engine in a browser, on a page of this machine. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { makeFolder } from '../files.ts';
import { type Files, labSite, serveLab } from '../lab/site.ts';
import { counted } from '../numbers.ts';
import { ExitCode } from './exit-code.ts';
import { heedInterrupt } from './interrupt.ts';
import { printer, QUIET_OPTION } from './json-output.ts';
import { integer, type OptionsOf } from './options.ts';

const MOST_PORT = 65_535;

function declare() {
  return new Command('lab')
    .summary('Explore schedules and run machines in a browser')
    .description(
      'Serve a page on which a browser runs the engine: choose or edit a litmus test, switch ' +
        'defects and disciplines, explore, and step through a failure; run a machine on workers ' +
        'of the browser and watch its faults, migrations and tables. Ctrl-C stops it.',
    )
    .option('--port <n>', 'port on 127.0.0.1; 0 is any free port', integer(0, MOST_PORT), 0)
    .option(
      '--build <folder>',
      'write the page into this folder instead, for a host of static files that can send two ' +
        'headers',
    )
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      `\nThe headers, and a lesson of an hour: docs/lab.md, docs/teaching.md.\n\nExit code: ` +
        `${ExitCode.Ok} served until Ctrl-C, or written; ${ExitCode.UserMistake} a mistake in ` +
        'the input.\n\nExamples:\n' +
        '  umbra lab --port 8080\n' +
        '  umbra lab --build site',
    );
}

type Options = OptionsOf<typeof declare>;

export const labCommand = (): CommandUnknownOpts => declare().action(lab);

async function lab({ port, build, ...options }: Options): Promise<void> {
  using interruption = heedInterrupt();
  if (build !== undefined) makeFolder(build, ADVICE);
  const files = await labSite();
  const print = printer(options);
  if (build !== undefined) {
    print(`${build}: ${counted(writeSite(files, build), 'file')}\n`);
    return;
  }
  const serving = await serveLab(files, port);
  print(`${serving.url}\nCtrl-C ends it.\n`);
  await new Promise<void>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve());
    if (interruption.signal.aborted) resolve();
  });
  await serving.close();
}

const ADVICE = 'give --build a folder to be made';

/** Returns how many files it has. Throws UserError where they cannot be written. */
function writeSite(files: Files, folder: string): number {
  for (const name of files.keys()) makeFolder(dirname(join(folder, name)), ADVICE);
  try {
    for (const [name, body] of files) writeFileSync(join(folder, name), body);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${folder} cannot be written: ${code}; ${ADVICE}`);
  }
  return files.size;
}
