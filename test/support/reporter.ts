import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { shared } from './shared.ts';

/**
 * Ends the run with one line that any runner can read: `N passed, N failed, N skipped`. A file that did not load and
 * an error outside all tests count as failed, so that a red run never says "0 failed".
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const countOf = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandled.length;
    const skipped = tests.length - countOf('passed') - countOf('failed');
    const lines = [`${countOf('passed')} passed, ${countOf('failed') + broken} failed, ${skipped} skipped`];
    if (!shared) lines.unshift(`recorded traffic not found beside the checkout: ${skipped} tests skipped`);
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}
