import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILT, type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { type ReferenceServer, referenceFile, startReferenceServer } from './reference-server.ts';
import { type Failures, requiredScenarios, run } from './suite.ts';

const REVISION = '2026-07-28';
const required = await requiredScenarios(REVISION);
const file = await referenceFile();
/** Only the reference server has the tools that the suite calls here: they ask in the newer era's way. */
const needsReference = (scenario: string) => scenario === 'server-stateless' || scenario.startsWith('input-required-');
const servers = file ? required.server : required.server.filter((scenario) => !needsReference(scenario));

describe(`what ${REVISION} requires of servers, at /mcp/<client>`, () => {
  let reference: ReferenceServer;
  let gateway: GatewayProcess;
  let failures: Failures;

  beforeAll(async () => {
    reference = await startReferenceServer(file);
    const rules = { name: 'reference', tools_to_execute: ['*'] };
    const client = { ...rules, connection_type: 'http', connection_string: reference.url };
    gateway = await startGateway({ mcp: { client_configs: [client] } }, {}, BUILT);
    failures = await run('next', ['server', '--url', `${gateway.url}/mcp/reference`, '--requirements', REVISION]);
  });

  afterAll(async () => {
    await gateway?.stop();
    await reference?.close();
  });

  test.each(servers)('%s', (scenario) => {
    expect(failures.get(scenario)).toEqual([]);
  });
});

describe(`what ${REVISION} requires of clients, beside authorization`, () => {
  const command = `${process.execPath} --import tsx test/conformance/older-client.ts`;

  test.each(required.client.filter((scenario) => !scenario.startsWith('auth/')))('%s', async (scenario) => {
    const args = ['client', '--scenario', scenario, '--spec-version', REVISION, '--command', command];
    expect((await run('next', args)).get(scenario)).toEqual([]);
  });
});
