/**
 * V8's own budget for inlining, again: the one by which schedules are explored (see
 * shared/inlining.ts). Flags are the whole process's, and what boots a machine that runs freely
 * has set others, so an isolate that is to do without says so before its code is compiled.
 */

import { setFlagsFromString } from 'node:v8';

/** As V8 has them where nobody says anything. */
const OWN = {
  'max-inlined-bytecode-size-cumulative': 920,
  'max-inlined-bytecode-size-absolute': 4600,
  'max-inlined-bytecode-size': 460,
  'max-inlined-bytecode-size-small': 27,
} as const;

export function inlineAsV8Does(): void {
  for (const [flag, bytes] of Object.entries(OWN)) setFlagsFromString(`--${flag}=${bytes}`);
}
