import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 280_000,
    pool: 'forks',
    // two processors: a suite, its servers and the gateway are enough for them
    fileParallelism: false,
  },
});
