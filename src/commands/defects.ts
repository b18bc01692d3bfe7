/** `umbra defects`: lists the defects of the code as written, and where they are. */

import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
} from '@commander-js/extra-typings';
import { ALL_DEFECTS, DEFECT_CLASSES, DEFECTS, type Defect, type DefectId } from '../defects.ts';
import { didYouMean } from '../yaml/closest.ts';
import { ExitCode } from './exit-code.ts';
import { columnsOf, wrap } from './terminal.ts';

export function defectsCommand(): CommandUnknownOpts {
  return new Command('defects')
    .summary('List the defects of the C code, each of which is a switch')
    .description(
      'List the defects of the C code, each of which is a switch: id, place in the C code, what ' +
        'is wrong, and the consequence.',
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} listed.\n\nExamples:\n  umbra defects\n  umbra start ` +
        '--defects none',
    )
    .action(({ json }: { readonly json?: true }) => {
      process.stdout.write(json ? `${JSON.stringify(asJson(), null, 2)}\n` : asText());
      process.exitCode = ExitCode.Ok;
    });
}

/** By id; `confirmedBy` is null where no test has seen it. */
const asJson = (): Record<string, unknown> =>
  Object.fromEntries(
    ALL_DEFECTS.map((id) => [id, { ...DEFECTS[id], confirmedBy: DEFECTS[id].confirmedBy ?? null }]),
  );

function asText(): string {
  const columns = columnsOf(process.stdout);
  const section = (letter: string): string[] =>
    ALL_DEFECTS.filter((id) => id.startsWith(letter)).map((id) => {
      const { title, where, consequence, confirmedBy }: Defect = DEFECTS[id];
      const seen = confirmedBy === undefined ? 'not yet seen' : `seen by ${confirmedBy}`;
      const heading = `${id.padEnd(4)} ${title} (${where})`;
      const text = `${consequence}; ${seen}`;
      return `${wrap(heading, columns, 5)}\n     ${wrap(text, columns - 5, 5)}\n`;
    });
  return Object.entries(DEFECT_CLASSES)
    .flatMap(([letter, title]) => [`${title}:\n`, ...section(letter)])
    .join('\n');
}

/** The value of --defects: `all`, `none`, or ids with commas between them. */
export function parseDefects(text: string): readonly DefectId[] {
  if (text === 'all') return ALL_DEFECTS;
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const id = ALL_DEFECTS.find((known) => known.toLowerCase() === name.trim().toLowerCase());
    if (id === undefined) {
      throw new InvalidArgumentError(
        `'${name}' is no defect${didYouMean(name, ALL_DEFECTS) || '.'} umbra defects lists them; ` +
          'all or none, alone, will do too.',
      );
    }
    return id;
  });
}
