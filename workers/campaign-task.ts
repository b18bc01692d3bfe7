/** What a thread of a campaign's pool does: one unit, on the board that it keeps warm. */

import { existsSync } from 'node:fs';
import { runUnit, type UnitResult, type Work, warmSubject } from '../src/explore/campaign/unit.ts';
import { digestOf, type Setting } from '../src/explore/subject.ts';

export interface CampaignTask {
  readonly path: string;
  /** Of the litmus file as it was when the campaign was planned. */
  readonly digest: string;
  readonly setting: Setting;
  readonly work: Work;
}

/** Undefined when the file is gone, or not any more what it was. */
export function unit({ path, digest, setting, work }: CampaignTask): UnitResult | undefined {
  if (!existsSync(path) || digestOf(path) !== digest) return undefined;
  return runUnit(warmSubject(path, setting), work);
}
