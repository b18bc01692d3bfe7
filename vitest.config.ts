import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { everyExpect } from './test/every-expect.ts';
import { LongestFirst, PROJECTS } from './test/projects.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * What Node loads by itself: all but the tests, whose every expect is marked. Vite would make each use of
 * an import a look-up, and schedules took twice the time.
 */
const AS_IT_IS = new RegExp(
  `^${RegExp.escape(here('.'))}(?!node_modules/|.*\\.test\\.ts$|test/expects-ran\\.ts$)`,
);

// No test passes without having looked at something, and no expect is there for nothing.
const SETUP = [here('src/compile-cache.ts'), here('test/expects-ran.ts')];

const project = (name: keyof typeof PROJECTS, more: object = {}) => ({
  extends: true as const,
  test: { name, ...PROJECTS[name], ...more },
});

export default defineConfig({
  plugins: [everyExpect()],
  test: {
    projects: [
      project('outside'),
      project('machine'),
      project('unit', { setupFiles: [...SETUP, here('test/unit-only.ts')] }),
    ],
    sequence: { sequencer: LongestFirst },
    // Not in a process for each file, which takes time to begin, to load the code and to warm it.
    isolate: false,
    setupFiles: SETUP,
    // A poll waits as long as a slow machine may take.
    expect: { requireAssertions: true, poll: { timeout: 60_000 } },
    server: { deps: { external: [AS_IT_IS] } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most files keep one core busy, and some wait: for a database, a browser, who is to be killed.
    maxWorkers: availableParallelism() + 1,
    // Schedules that go wrong are not kept, and printed as tokens; but in the tests about that. Each
    // thread of a command loads and warms the code anew: one will do, where a test asks for no more.
    env: { UMBRA_STATE: '', UMBRA_THREADS: '1', UMBRA_JOBS: '1' },
  },
});
