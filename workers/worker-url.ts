/** Where a worker's file is: beside this one, TypeScript from source and JavaScript when built. */

import { extname } from 'node:path';

/** `name`: of the file, without its ending. */
export const workerUrl = (name: string): URL =>
  new URL(`${name}${extname(import.meta.url)}`, import.meta.url);
