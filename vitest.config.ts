import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most files keep one core busy; vitest would leave one of two free.
    maxWorkers: '100%',
    // Schedules that go wrong are not kept, and printed as tokens; but in the tests about that.
    env: { UMBRA_STATE: '' },
  },
});
