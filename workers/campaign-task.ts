/** A worker of a campaign's pool: runs one unit, on a board that it keeps warm. */

import { UserError } from '../src/errors.ts';
import { runUnit, type UnitResult, type Work, warmSubject } from '../src/explore/campaign/unit.ts';
import { type Litmus, parseLitmus } from '../src/explore/litmus/litmus.ts';
import { digestOf } from '../src/explore/litmus/meaning.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import type { Setting } from '../src/explore/setting.ts';

export interface CampaignTask {
  readonly path: string;
  /** Of the test as it was when the campaign was planned. */
  readonly digest: string;
  readonly setting: Setting;
  readonly work: Work;
  /** The text of the file; undefined to read it. */
  readonly text?: string;
}

/** Undefined when the file is gone, or not any more what it was. */
export function unit({ path, digest, setting, work, text }: CampaignTask): UnitResult | undefined {
  const litmus = litmusAt(path, text);
  if (litmus === undefined || digestOf(litmus) !== digest) return undefined;
  return runUnit(warmSubject(path, setting, litmus), work);
}

function litmusAt(path: string, text: string | undefined): Litmus | undefined {
  try {
    return text === undefined ? readLitmus(path) : parseLitmus(text, path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
