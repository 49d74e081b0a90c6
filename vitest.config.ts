import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/support/reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/conformance/**'],
    setupFiles: ['test/support/property-seed.ts'],
    // what an SDK tells of its own future is no result; whatever else is printed is
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    onConsoleLog: (text) => !text.startsWith('The generateImages method is deprecated'),
    // no test takes long; what waits for a condition on a busy machine is given time, and fails by its condition
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // a test that asserts nothing proves nothing
    expect: { requireAssertions: true, poll: { timeout: 30_000, interval: 20 } },
    pool: 'forks',
    // vitest itself would leave one of two cores to nobody
    maxWorkers: '100%',
    // files share their worker's modules, which halves the run; no test mocks or edits a module
    isolate: false,
    reporters: ['default', new ClosingLine()],
  },
});
