import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILT, type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { serverFile } from '../support/mcp-clients.ts';
import { type OwnNames, startOwnNames } from './own-names.ts';
import { type ReferenceServer, referenceFile, startReferenceServer } from './reference-server.ts';
import { type Failures, run } from './suite.ts';

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

/** The released suite (30), and the two scenarios that only `--suite all` runs. */
const WHOLE = [
  ...TOOLS_ONLY,
  'logging-set-level',
  'completion-complete',
  'tools-call-with-logging',
  'tools-call-sampling',
  'tools-call-elicitation',
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
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
  'json-schema-2020-12',
  'server-sse-polling',
];

let reference: ReferenceServer;
let gateway: GatewayProcess;
let ownNames: OwnNames;

beforeAll(async () => {
  reference = await startReferenceServer(await referenceFile());
  const rules = { tools_to_execute: ['*'] };
  const stdio_config = { command: process.execPath, args: [serverFile('everything-like.mjs')] };
  gateway = await startGateway(
    {
      mcp: {
        client_configs: [
          { ...rules, name: 'reference', connection_type: 'http', connection_string: reference.url },
          { ...rules, name: 'stdio', connection_type: 'stdio', stdio_config },
        ],
      },
    },
    {},
    BUILT,
  );
  ownNames = await startOwnNames(gateway.url, 'reference');
});

afterAll(async () => {
  await ownNames?.close();
  await gateway?.stop();
  await reference?.close();
});

describe.each([
  ['the reference server over HTTP', 'reference'],
  ['a server over stdio', 'stdio'],
])('MCP conformance at /mcp/<client>, with %s behind it', (_, client) => {
  let failures: Failures;
  beforeAll(async () => {
    failures = await run('released', ['server', '--suite', 'all', '--url', `${gateway.url}/mcp/${client}`]);
  });

  test.each(WHOLE)('%s', (scenario) => {
    expect(failures.get(scenario)).toEqual([]);
  });
});

describe('MCP conformance at /mcp', () => {
  let failures: Failures;
  beforeAll(async () => {
    failures = await run('released', ['server', '--url', ownNames.url]);
  });

  test.each(TOOLS_ONLY)('%s', (scenario) => {
    expect(failures.get(scenario)).toEqual([]);
  });
});
