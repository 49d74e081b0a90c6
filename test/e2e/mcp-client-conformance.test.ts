import { beforeAll, expect, test } from 'vitest';
import { conformanceSuite, type Suite } from './mcp-conformance.ts';

let suite: Suite;

beforeAll(async () => {
  suite = await conformanceSuite();
});

// The suite's core: 18 scenarios, 14 of them about logins; and logins by the specification of 2025-03-26.
test.each([
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
  'auth/2025-03-26-oauth-metadata-backcompat',
  'auth/2025-03-26-oauth-endpoint-fallback',
])('the MCP conformance scenario %s passes with the gateway as the client', async (scenario) => {
  expect(await suite.runClient(scenario)).toBeUndefined();
});
