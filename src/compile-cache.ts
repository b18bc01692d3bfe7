/**
 * Keeps compiled code between runs: without it, loading the same files in each thread takes most of
 * the time to boot a machine, and loading them here most of the time until a command begins.
 * Imported for its effect, before the modules to cache.
 */

import { enableCompileCache } from 'node:module';

const { directory } = enableCompileCache();
// Workers are told by this alone.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE = directory;
