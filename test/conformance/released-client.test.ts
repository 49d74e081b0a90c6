import { beforeAll, describe, expect, test } from 'vitest';
import { type Failures, run } from './suite.ts';

/** The suite's core: 18 scenarios, 14 of them about logins. */
const CORE = [
  'initialize',
  'tools_call',
  'elicitation-sep1034-client-defaults',
  'sse-retry',
  'auth/metadata-default',
  'auth/metadata-var1',
  'auth/metadata-var2',
  'auth/metadata-var3',
  'auth/basic-cimd',
  'auth/scope-from-www-authenticate',
  'auth/scope-from-scopes-supported',
  'auth/scope-omitted-when-undefined',
  'auth/scope-step-up',
  'auth/scope-retry-limit',
  'auth/token-endpoint-auth-basic',
  'auth/token-endpoint-auth-post',
  'auth/token-endpoint-auth-none',
  'auth/pre-registration',
];

/** Logins by the specification of 2025-03-26. */
const OLDER_LOGINS = ['auth/2025-03-26-oauth-metadata-backcompat', 'auth/2025-03-26-oauth-endpoint-fallback'];

const COMMAND = `${process.execPath} test/conformance/gateway-client.mjs`;
const client = (...args: string[]) => run('released', ['client', '--command', COMMAND, '--timeout', '80000', ...args]);

describe('MCP conformance with the gateway as the client', () => {
  let failures: Failures;
  beforeAll(async () => {
    // it waits for a moment within 200 ms, which a machine busy with all the others would miss
    const [together, alone] = [await client('--suite', 'core'), await client('--scenario', 'sse-retry')];
    failures = new Map([...together, ...alone]);
  });

  test.each(CORE)('%s', (scenario) => {
    expect(failures.get(scenario)).toEqual([]);
  });

  test.each(OLDER_LOGINS)('%s', async (scenario) => {
    expect((await client('--scenario', scenario)).get(scenario)).toEqual([]);
  });
});
