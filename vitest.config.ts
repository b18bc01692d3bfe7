import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { everyExpect } from './test/every-expect.ts';

export default defineConfig({
  plugins: [everyExpect()],
  test: {
    include: ['test/**/*.test.ts'],
    // No test passes without having looked at something, and no expect is there for nothing.
    setupFiles: [fileURLToPath(new URL('test/expects-ran.ts', import.meta.url))],
    expect: { requireAssertions: true },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most files keep one core busy; vitest would leave one of two free.
    maxWorkers: '100%',
    // Schedules that go wrong are not kept, and printed as tokens; but in the tests about that.
    env: { UMBRA_STATE: '' },
  },
});
