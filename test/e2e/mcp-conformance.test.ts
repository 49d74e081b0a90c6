import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, startGatewayHere } from '../support/gateway.ts';
import { serverFile } from '../support/mcp-clients.ts';
import { type EverythingLike, startEverythingLike } from '../support/mcp-servers/everything-like.mjs';
import { type ConformanceGateway, conformanceGateway, conformanceSuite, type Suite } from './mcp-conformance.ts';

/** What a server with nothing but tools can pass. */
const TOOLS_ONLY = [
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
];

/** The rest of the released suite, with the two scenarios that only `--suite all` runs. */
const WHOLE = [
  ...TOOLS_ONLY,
  'logging-set-level',
  'completion-complete',
  'tools-call-with-logging',
  'tools-call-sampling',
  'tools-call-elicitation',
  'json-schema-2020-12',
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
  'server-sse-polling',
  'resources-list',
  'resources-read-text',
  'resources-read-binary',
  'resources-templates-read',
  'resources-subscribe',
  'resources-unsubscribe',
  'prompts-list',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-embedded-resource',
  'prompts-get-with-image',
];

let suite: Suite;

beforeAll(async () => {
  suite = await conformanceSuite();
});

describe('MCP conformance at /mcp', () => {
  let gateway: ConformanceGateway;

  beforeAll(async () => {
    gateway = await conformanceGateway();
  });

  afterAll(() => gateway?.close());

  test.each(TOOLS_ONLY)('the scenario %s passes', async (scenario) => {
    expect(await suite.run(gateway.url, scenario)).toBeUndefined();
  });
});

describe('MCP conformance at /mcp/<client>', () => {
  let upstream: EverythingLike;
  let gateway: Gateway;

  beforeAll(async () => {
    upstream = await startEverythingLike();
    const args = [serverFile('everything-like.mjs')];
    gateway = await startGatewayHere({
      mcp: {
        client_configs: [
          { name: 'http', connection_type: 'http', connection_string: upstream.url, tools_to_execute: ['*'] },
          {
            name: 'stdio',
            connection_type: 'stdio',
            stdio_config: { command: process.execPath, args },
            tools_to_execute: ['*'],
          },
        ],
      },
    });
  });

  afterAll(async () => {
    await gateway?.stop();
    await upstream?.close();
  });

  const cases = ['http', 'stdio'].flatMap((client) => WHOLE.map((scenario) => [scenario, client] as const));

  test.each(cases)('the scenario %s passes over %s', async (scenario, client) => {
    expect(await suite.run(`${gateway.url}/mcp/${client}`, scenario)).toBeUndefined();
  });
});

/** The suite's own `everything-server.ts` of the same release, which is not in its npm package, where it is at hand. */
const reference = process.env.BIFROST_E2E_REFERENCE_SERVER;

describe.runIf(reference)("MCP conformance at /mcp/<client>, with the suite's reference server behind it", () => {
  const port = '4749';
  let gateway: Gateway;
  let stop = () => {};

  beforeAll(async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', reference ?? ''], {
      env: { ...process.env, PORT: port },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    stop = () => child.kill();
    // it says so once it listens
    await new Promise((listening) => child.stdout.once('data', listening));
    const connection_string = `http://127.0.0.1:${port}/mcp`;
    const client = { name: 'reference', connection_type: 'http', connection_string, tools_to_execute: ['*'] };
    gateway = await startGatewayHere({ mcp: { client_configs: [client] } });
  });

  afterAll(async () => {
    await gateway?.stop();
    stop();
  });

  test.each(WHOLE)('the scenario %s passes', async (scenario) => {
    expect(await suite.run(`${gateway.url}/mcp/reference`, scenario)).toBeUndefined();
  });
});
