/**
 * What was compiled is kept between runs: without it most of the time that a machine takes to
 * boot goes into loading the same files in each of its threads, and most of the time until a
 * command begins into loading them here. Imported for its effect, before what is to be kept.
 */

import { enableCompileCache } from 'node:module';

const { directory } = enableCompileCache();
// Workers are told by this alone.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE = directory;
