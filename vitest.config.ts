import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/support/reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    setupFiles: ['test/support/property-seed.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // files share their worker's modules, which halves the run; no test mocks or edits a module
    isolate: false,
    reporters: ['default', new ClosingLine()],
  },
});
