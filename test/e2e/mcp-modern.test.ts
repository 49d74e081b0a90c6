import { beforeAll, describe, expect, test } from 'vitest';
import { clientFailures, type Failures, requiredScenarios, serverFailures } from './mcp-modern.ts';

const required = await requiredScenarios();

describe('what 2026-07-28 requires of servers, at /mcp/<client>', () => {
  let failures: Failures;

  beforeAll(async () => {
    failures = await serverFailures();
  });

  test.each(required.server)('%s', (scenario) => {
    expect(failures.get(scenario)).toEqual([]);
  });
});

describe('what 2026-07-28 requires of clients, beside authorization', () => {
  test.each(required.client.filter((scenario) => !scenario.startsWith('auth/')))('%s', async (scenario) => {
    expect(await clientFailures(scenario)).toEqual([]);
  });
});
