/** Programs that come with umbra: traces of 32-bit Debian binaries. The same place when built. */

import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** The first four are what `umbra start` runs by itself. */
export const SAMPLES = ['pigz', 'ls', 'sort', 'wc', 'pipeline'] as const;

type Sample = (typeof SAMPLES)[number];

export const samplePath = (name: Sample): string =>
  join(dirname(findPackageJSON(import.meta.url)!), 'scenarios', 'traces', `${name}.umbra`);

/** A path as it is; the name of a sample, of which there is no file, is that sample's. */
export const tracePath = (pathOrName: string): string =>
  SAMPLES.includes(pathOrName as Sample) && !existsSync(pathOrName)
    ? samplePath(pathOrName as Sample)
    : pathOrName;
