/** Where a worker's file is: in workers/, TypeScript from source and JavaScript when built. */

import { extname } from 'node:path';

/** `name`: of the file, without its ending. */
export const workerUrl = (name: string): URL =>
  new URL(`../workers/${name}${extname(import.meta.url)}`, import.meta.url);
