/** The traces that the benchmark replays. */

import { fileURLToPath } from 'node:url';

export const tracePath = (name: string): string =>
  fileURLToPath(new URL(`../scenarios/traces/${name}.umbra`, import.meta.url));

/** In pages: `umbra start` gives as much. */
export const GUEST_PAGES = 8192;
