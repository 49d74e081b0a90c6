import { describe, expect, test } from 'vitest';
import { toolManager } from '../../src/config/schema.ts';
import { settlesWithin } from '../../src/mcp/timing.ts';
import { timerMs } from '../../src/model/timer-ms.ts';
import { callOf, firstText, startedClients, stdioConfig } from '../support/mcp-clients.ts';

const started = startedClients();
const slow = callOf('ref-slow', { ms: 50, value: 'in time' });
const stepwise = callOf('ref-progress', { steps: 3, everyMs: 20 });

describe('a limit that no timer can hold is as long as one can', () => {
  test.each(['30d', 1e300])('for all clients: %s', async (limit) => {
    const manager = toolManager.parse({ tool_execution_timeout: limit });
    const { clients } = await started([stdioConfig('ref')], { toolManager: manager });
    expect(firstText(await clients.call(slow))).toBe('in time');
    expect(firstText(await clients.call(stepwise))).toBe('done');
  });

  test('for one client', async () => {
    const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '30d' })]);
    expect(firstText(await clients.call(slow))).toBe('in time');
  });

  test('for whatever is waited for', async () => {
    expect(await settlesWithin(new Promise((resolve) => setTimeout(resolve, 20)), Number.POSITIVE_INFINITY)).toBe(true);
    expect(timerMs(1e12)).toBe(2_147_483_647);
    expect(timerMs(30_000)).toBe(30_000);
  });
});

test.each([-5, 0, '0s'])('a limit of its own that is none (%s) leaves a client under that of all', async (limit) => {
  const manager = toolManager.parse({ tool_execution_timeout: '400ms' });
  const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: limit })], { toolManager: manager });
  await expect(clients.call(callOf('ref-hang'))).rejects.toThrow('timed out after 400ms');
});
