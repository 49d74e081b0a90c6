import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, startGatewayHere } from '../../support/gateway.ts';
import { type Api, petstore, startApi } from '../../support/openapi-api.ts';

let api: Api;
let gateway: Gateway;

beforeAll(async () => {
  api = await startApi({
    'GET /api.yaml': () => ({ type: 'application/yaml', body: YAML }),
    'GET /huge.json': { body: ' '.repeat(6 * 1024 * 1024) },
    'GET /missing.json': { status: 404, body: '' },
  });
  gateway = await startGatewayHere({});
});

afterAll(async () => {
  await gateway.stop();
  await api.close();
});

const YAML = `openapi: 3.1.0
info: {title: Small, version: "1"}
servers: [{url: /base}]
paths:
  /things/{id}:
    get: {operationId: thing}
`;

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/api/mcp/${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), text, answer: parsed(text) };
}

const parsed = (text: string): Record<string, unknown> => (text.startsWith('{') ? JSON.parse(text) : {});
const preview = (body: unknown, headers?: Record<string, string>) => ask('POST', 'openapi/preview', body, headers);
const messageOf = ({ answer }: { answer: Record<string, unknown> }) =>
  (answer.error as { message: string } | undefined)?.message;

describe('preview', () => {
  test('tells what a document would become, without making a client', async () => {
    const { answer } = await preview({ spec: JSON.stringify(petstore('https://pets.example')) });
    expect(answer).toMatchObject({
      title: 'Pets',
      version: '2.1',
      openapi_version: '3.0.3',
      base_url: 'https://pets.example/v1',
      tool_count: 5,
      unsupported: [{ operation_id: 'upload' }, { operation_id: 'remote' }],
      security_schemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } },
    });
    expect(answer).not.toHaveProperty('spec');
    expect((answer.tools as object[])[0]).toMatchObject({
      name: 'pets_list',
      method: 'GET',
      path: '/pets',
      deprecated: false,
      annotations: { readOnlyHint: true },
    });
    expect((await ask('GET', 'clients')).answer).toMatchObject({ total_count: 0 });
  });

  test('reads the document from its address, and gives it', async () => {
    const { answer } = await preview({ spec_url: `${api.url}/api.yaml` });
    expect(answer).toMatchObject({ title: 'Small', base_url: `${api.url}/base`, spec: YAML });
  });

  test('deprecated operations and another base are counted in where asked', async () => {
    const spec = petstore('https://pets.example');
    const { answer } = await preview({ spec, base_url: 'https://other.example', include_deprecated: true });
    expect(answer).toMatchObject({ tool_count: 6, base_url: 'https://other.example/' });
  });

  test.each([
    [{}, 400, 'spec or spec_url is required'],
    [[], 400, 'Invalid request payload'],
    [{ spec: 'hello: 1' }, 400, 'neither "openapi": "3.x" nor "swagger": "2.0"'],
    [{ spec_url: 'ftp://a.example' }, 400, 'openapi_config.spec_url is not an http(s) URL'],
    [{ spec: ' '.repeat(6 * 1024 * 1024) }, 413, 'larger than 5 MiB'],
  ])('%j is refused', async (body, status, message) => {
    const answer = await preview(body);
    expect(answer.status).toBe(status);
    expect(messageOf(answer)).toContain(message);
  });

  test.each([
    ['/huge.json', 413, 'larger than 5 MiB'],
    ['/missing.json', 400, 'could not load spec_url: '],
  ])('a document at %s is refused', async (path, status, message) => {
    const answer = await preview({ spec_url: `${api.url}${path}` });
    expect(answer.status).toBe(status);
    expect(messageOf(answer)).toContain(message);
  });

  test('G15 a foreign page is refused', async () => {
    expect((await preview({ spec: YAML }, { origin: 'https://evil.example' })).status).toBe(403);
  });
});

describe('a client by API', () => {
  const body = (openapi_config: object, more: object = {}) => ({
    name: 'pets',
    connection_type: 'openapi',
    openapi_config,
    tools_to_execute: ['*'],
    ...more,
  });

  test.each([
    [{}, /one of spec, spec_file or spec_url is required/],
    [{ spec_file: '/etc/passwd' }, /^openapi_config\.spec_file is only supported in config\.json/],
    [{ spec: '{"openapi":"3.0.0","paths":{}}' }, /^No operation in the spec can be exposed as a tool$/],
    [{ spec: YAML }, /^The spec declares no absolute server URL; set openapi_config\.base_url$/],
  ])('%j is refused', async (openapi, message) => {
    const answer = await ask('POST', 'client', body(openapi));
    expect(answer.status).toBe(400);
    expect(messageOf(answer)).toMatch(message);
  });

  test('another way to log in than by headers is refused', async () => {
    const answer = await ask(
      'POST',
      'client',
      body({ spec: petstore(api.url) }, { auth_type: 'oauth', oauth_config: {} }),
    );
    expect(answer.status).toBe(400);
  });

  test('is made, shown without its document and keys, changed by patches, and gives its document', async () => {
    const credentials = { key: { value: 'key-12345678' } };
    const made = await ask('POST', 'client', body({ spec: petstore(api.url), security_credentials: credentials }));
    expect(made.answer).toMatchObject({ status: 'success' });
    const id = made.answer.mcp_client_id;
    const listed = await ask('GET', 'clients?connection_type=openapi');
    const [client] = listed.answer.clients as [{ config: { openapi_config: object }; tools: object[]; state: string }];
    expect(client.state).toBe('healthy');
    expect(client.tools).toHaveLength(5);
    expect(client.config.openapi_config).toMatchObject({
      has_spec: true,
      security_credentials: { key: { value: `key-${'*'.repeat(24)}5678` } },
    });
    expect(listed.text).not.toContain('key-12345678');
    expect(client.config.openapi_config).not.toHaveProperty('spec');

    const patch = { include_deprecated: true, security_credentials: { key: { value: `key-${'*'.repeat(24)}5678` } } };
    expect((await ask('PUT', `client/${id}`, { openapi_config: patch })).status).toBe(200);
    await fetch(`${gateway.url}/v1/mcp/tool/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"id":"1","type":"function","function":{"name":"pets-get_pets_petId","arguments":"{\\"petId\\":\\"1\\"}"}}',
    });
    expect(api.received.at(-1)?.headers['x-key']).toBe('key-12345678');

    const document = await ask('GET', `client/${id}/openapi-spec`);
    expect(document.type).toMatch(/^application\/json/);
    expect(document.answer).toMatchObject({ info: { title: 'Pets' } });
    expect((await ask('GET', 'client/nobody/openapi-spec')).status).toBe(404);
    expect((await ask('DELETE', `client/${id}`)).status).toBe(200);
  });

  test('with a document at an address gives it as it is there', async () => {
    const made = await ask('POST', 'client', body({ spec_url: `${api.url}/api.yaml` }, { name: 'small' }));
    const document = await ask('GET', `client/${made.answer.mcp_client_id}/openapi-spec`);
    expect([document.text, document.type]).toEqual([YAML, expect.stringMatching(/^application\/yaml/)]);
  });
});
