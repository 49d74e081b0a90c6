import { expect, test } from 'vitest';
import { runStdioCycles } from '../support/stdio-cycles.ts';

test('G3 G9 60 lives of stdio servers leave no process, lose no tool and show no wrong list', async () => {
  const report = await runStdioCycles(60);
  expect(report).toMatchObject({ faults: [], zombies: 0, serversLeft: 0 });
  expect(report.processesAtEnd).toBeLessThanOrEqual(report.processesAtStart);
  expect(report.serversStarted).toBeGreaterThanOrEqual(60);
}, 120_000);
