/** `umbra defects`: what is wrong with the code as written, and where. */

import { Command, InvalidArgumentError } from 'commander';
import { ALL_DEFECTS, DEFECTS, type DefectId } from '../../shared/defects.ts';
import { ExitCode } from './exit-code.ts';
import { columnsOf, wrap } from './terminal.ts';

export function defectsCommand(): Command {
  return new Command('defects')
    .description(
      'List the defects of the C code that are switches here: id, place in the seed, what is ' +
        'wrong, and what comes of it. A test produces each consequence.',
    )
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample: umbra start --defects none\n')
    .action(({ json }: { readonly json?: true }) => {
      process.stdout.write(json ? `${JSON.stringify(DEFECTS, null, 2)}\n` : asText());
      process.exitCode = ExitCode.Ok;
    });
}

function asText(): string {
  const columns = columnsOf(process.stdout);
  return ALL_DEFECTS.map((id) => {
    const { title, where, consequence } = DEFECTS[id];
    const heading = `${id.padEnd(4)} ${title} (${where})`;
    return `${wrap(heading, columns, 5)}\n     ${wrap(consequence, columns - 5, 5)}\n`;
  }).join('\n');
}

/** The value of --defects: `all`, `none`, or ids with commas between them. */
export function parseDefects(text: string): readonly DefectId[] {
  if (text === 'all') return ALL_DEFECTS;
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const id = ALL_DEFECTS.find((known) => known.toLowerCase() === name.trim().toLowerCase());
    if (id === undefined) {
      throw new InvalidArgumentError(
        `'${name}' is no defect; umbra defects lists them, and all and none will do too.`,
      );
    }
    return id;
  });
}
