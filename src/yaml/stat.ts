/** What a name that a user gave leads to. */

import { type Stats, statSync } from 'node:fs';

/** Undefined where there is nothing, or nothing that may be looked at: a name may be a token, or too long. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
