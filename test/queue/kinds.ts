/** Kinds of units for tests. */

import { KINDS, type Kind } from '../../src/queue/kinds.ts';

const file = new URL('units-worker.ts', import.meta.url).href;
const quiet = () => ({ size: 1, failures: 0 });

export const TEST_KINDS: Readonly<Record<string, Kind>> = {
  campaign: { ...KINDS['campaign']!, file, name: 'leisurely' },
  odd: { file, name: 'odd', counts: 'units', tell: quiet },
  leaves: { file, name: 'leaves', counts: 'leaves', splits: true, tell: quiet },
};
