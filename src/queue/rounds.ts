/** Rounds of umbra work --forever that are over, as they are told. */

import { counted } from '../numbers.ts';
import type { Queue } from './queue.ts';

export interface RoundTold {
  readonly round: number;
  readonly title: string;
  readonly schedules: number;
  readonly failures: number;
  readonly notes: readonly string[];
  readonly ended: Date;
  readonly isBad: boolean;
}

/** The last ones, the oldest first. */
export async function roundsOf({ database }: Queue, most: number): Promise<RoundTold[]> {
  const { rows } = await database.query<Omit<RoundTold, 'isBad'> & { readonly schedules: string }>(
    `SELECT round, title, schedules, failures, notes, ended FROM umbra.round
     WHERE ended IS NOT NULL ORDER BY round DESC LIMIT $1`,
    [most],
  );
  return rows.toReversed().map((row) => ({
    ...row,
    schedules: Number(row.schedules),
    isBad: row.failures > 0 || row.notes.some((note) => /^(THE CANARY|FOUND)/.test(note)),
  }));
}

/** In a line. */
export function roundText({
  round,
  title,
  schedules,
  failures,
  notes,
  isBad,
}: Omit<RoundTold, 'ended'>): string {
  const went = failures > 0 ? `${failures} FAILED` : 'nothing wrong';
  const verdict = isBad && failures === 0 ? `A FAILURE: ${went} in it` : went;
  return (
    `round ${round}: ${title}: ${counted(schedules, 'schedule')}, ` +
    `${verdict}; ${notes.join('; ')}`
  );
}
