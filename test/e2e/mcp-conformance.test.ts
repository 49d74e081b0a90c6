import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConformanceGateway, conformanceGateway, conformanceSuite, type Suite } from './mcp-conformance.ts';

let suite: Suite;
let gateway: ConformanceGateway;

beforeAll(async () => {
  suite = await conformanceSuite();
  gateway = await conformanceGateway();
});

afterAll(() => gateway?.close());

// Every scenario of the suite that a server with nothing but tools can pass.
test.each([
  'server-initialize',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-error',
  'tools-call-with-progress',
  'server-sse-multiple-streams',
  'dns-rebinding-protection',
])('the MCP conformance scenario %s passes at /mcp', async (scenario) => {
  expect(await suite.run(gateway.url, scenario)).toBeUndefined();
});
