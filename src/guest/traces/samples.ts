/** Programs that come with umbra: traces of 32-bit Debian binaries. The same place when built. */

import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

export const SAMPLES = ['pigz', 'ls', 'sort', 'wc'] as const;

export const samplePath = (name: (typeof SAMPLES)[number] | 'pipeline'): string =>
  join(dirname(findPackageJSON(import.meta.url)!), 'scenarios', 'traces', `${name}.umbra`);
