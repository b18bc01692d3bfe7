/** A worker of the mutation matrix's pool: runs of one mutant, and shrinking one failure. */

import { runUnit, warmSubject } from '../src/explore/campaign/unit.ts';
import { subjectOf } from '../src/explore/find-subject.ts';
import { parseLitmus } from '../src/explore/litmus/litmus.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import type { MutantRuns, MutantTask, ShrunkStory } from '../src/explore/mutants/mutants.ts';
import { replayToken, tokenOf } from '../src/explore/replay.ts';
import { shrink, sizeOf } from '../src/explore/shrink/shrink.ts';
import { decodeToken } from '../src/explore/token.ts';

/** Undefined where the file is to be read. */
interface Text {
  readonly text?: string;
}

/** As umbra explore does them, but on after the first failure. */
export function mutant({
  path,
  setting,
  strategy,
  seed,
  runs,
  text,
}: MutantTask & Text): MutantRuns {
  const work = { strategy, seed, runs, warmUp: 0 };
  const litmus = text === undefined ? readLitmus(path) : parseLitmus(text, path);
  const { schedules, failures } = runUnit(warmSubject(path, setting, litmus), work);
  const [first] = failures;
  return {
    runs: schedules,
    caught: failures.length,
    first: first && { after: first.run + 1, token: first.token! },
  };
}

export interface StoryTask extends Text {
  readonly token: string;
}

export async function story({ token: packed, text }: StoryTask): Promise<ShrunkStory> {
  const token = decodeToken(packed);
  const subject = subjectOf(token, text === undefined ? {} : { text });
  const shrunk = await shrink(subject, replayToken(subject, token));
  return { ...sizeOf(shrunk), token: tokenOf(shrunk.subject, shrunk.result) };
}
