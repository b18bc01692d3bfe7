/** What a thread of the mutation matrix's pool does: runs of one mutant, and shrinking one failure. */

import { runUnit, warmSubject } from '../src/explore/campaign/unit.ts';
import { subjectOf } from '../src/explore/find-subject.ts';
import type { MutantRuns, MutantTask, ShrunkStory } from '../src/explore/mutants/mutants.ts';
import { shrink, sizeOf } from '../src/explore/shrink/shrink.ts';
import { decodeToken } from '../src/explore/token.ts';

/** As umbra explore does them, but on after the first failure. */
export function mutant({ path, setting, strategy, seed, runs }: MutantTask): MutantRuns {
  const work = { strategy, seed, runs, warmUp: 0 };
  const { schedules, failures } = runUnit(warmSubject(path, setting), work);
  const [first] = failures;
  return {
    ...{ runs: schedules, caught: failures.length },
    first: first && { after: first.run + 1, token: first.token! },
  };
}

export async function story(text: string): Promise<ShrunkStory> {
  const token = decodeToken(text);
  const subject = subjectOf(token);
  const shrunk = await shrink(subject, subject.replay(token));
  return { ...sizeOf(shrunk), token: shrunk.subject.tokenOf(shrunk.result) };
}
