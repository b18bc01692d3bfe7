/** Schedules as a page to step through, as commands write it. */

import { subjectOf } from '../explore/find-subject.ts';
import { replayToken } from '../explore/replay.ts';
import type { Result } from '../explore/result.ts';
import { type Playing, playerOf } from '../explore/story/player.ts';
import type { Subject } from '../explore/subject.ts';
import { decodeToken } from '../explore/token.ts';
import { sourceOf } from '../platform.ts';
import type { PlayerData } from '../report/player/data.ts';
import { playerPage } from '../report/player/page.ts';
import { outputFile } from './output-file.ts';

/** How to write the page, on request; a path that cannot be written is refused at once. */
export const pageFile = (path: string | undefined): ((html: string) => void) | undefined =>
  path === undefined
    ? undefined
    : outputFile(path, 'story', 'give --html a file in a folder that exists');

/** With the tokens of the schedule and of the one beside it. */
export const playerData = (
  subject: Subject,
  result: Result,
  options: Omit<Playing, 'sourceOf'>,
): PlayerData => playerOf(subject, result, { ...options, sourceOf });

export function playerHtml(data: PlayerData, all = false): string {
  const [{ token }, beside] = data.tracks;
  const more = `${all ? ' --all' : ''}${beside === undefined ? '' : ` --against ${beside.token}`}`;
  return playerPage(data, `umbra replay ${token} --story${more}`);
}

/** Of a schedule that was just found, and one that passes. */
export function pageOfTokens(failing: string, passing: string | undefined): string {
  const token = decodeToken(failing);
  const subject = subjectOf(token);
  const result = replayToken(subject, token);
  const beside = passing === undefined ? undefined : replayToken(subject, decodeToken(passing));
  return playerHtml(playerData(subject, result, { passing: beside, tokens: [failing, passing] }));
}
