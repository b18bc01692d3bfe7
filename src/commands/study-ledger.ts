/** The ledger of `umbra study`, `sweep` and `ab`, beside the folder of --out until it is complete. */

import { dirname } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { makeFolder } from '../files.ts';
import { type LedgerHead, StudyLedger } from '../study/ledger.ts';

const partOf = (out: string): string => `${out}.part`;

/** `out`: undefined for one in memory. Throws UserError as `Ledger` does. */
export function ledgerOf(
  out: string | undefined,
  command: CommandUnknownOpts,
  head: LedgerHead,
): StudyLedger {
  if (out !== undefined) makeFolder(dirname(out));
  return new StudyLedger(out && partOf(out), { ...head, version: command.parent!.version()! });
}

export const interruptedText = (out: string | undefined): string =>
  out === undefined
    ? 'umbra: interrupted; with --out the same command could resume from here\n'
    : `umbra: interrupted; what was run is in ${partOf(out)}, and the same command resumes from ` +
      'there\n';
