import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requestOf } from '../../../src/mcp/openapi/request.ts';
import { toolsOfDocument } from '../../../src/mcp/openapi/tools.ts';
import type { JsonValue } from '../../../src/model/json.ts';
import { type Gateway, post, startGatewayHere } from '../../support/gateway.ts';
import { type Api, petstore, startApi } from '../../support/openapi-api.ts';

let api: Api;
let usual: Gateway;
/** The usual one, unless a test started its own. */
let gateway: Gateway;

const big = 'x'.repeat(70_000);

beforeAll(async () => {
  api = await startApi({
    'GET /v1/pets/big': { body: JSON.stringify({ big }) },
    'GET /v1/pets/gone': { status: 404, body: '{"message":"no such pet"}' },
    'GET /v1/pets/moved': { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' },
    'GET /v1/pets/list': { body: '[1,2]' },
    'GET /v1/pets/1/photo': { type: 'image/png', body: Buffer.from([1, 2, 3]) },
    'DELETE /v1/pets/1': { status: 204 },
  });
  usual = await serve();
});

beforeEach(() => {
  gateway = usual;
  api.received.length = 0;
});

afterEach(async () => {
  if (gateway !== usual) await gateway.stop();
});

afterAll(async () => {
  await usual.stop();
  await api.close();
});

async function serve(more: object = {}, openapi: object = {}) {
  gateway = await startGatewayHere({
    mcp: {
      client_configs: [
        {
          name: 'pets',
          connection_type: 'openapi',
          openapi_config: {
            spec: petstore(api.url),
            security_credentials: { key: { value: 'key-12345678' } },
            ...openapi,
          },
          tools_to_execute: ['*'],
          ...more,
        },
      ],
    },
  });
  return gateway;
}

async function rpc(method: string, params: object, headers: Record<string, string> = {}) {
  const accept = { accept: 'application/json', ...headers };
  const answer = await post(`${gateway.url}/mcp`, { jsonrpc: '2.0', id: 1, method, params }, accept);
  return (await answer.json()) as { result?: Record<string, unknown>; error?: { message: string } };
}

const call = async (name: string, args: object, headers?: Record<string, string>) =>
  (await rpc('tools/call', { name: `pets-${name}`, arguments: args }, headers)).result;

test('an API is listed and called at /mcp as every server is', async () => {
  const listed = await rpc('tools/list', {});
  expect((listed.result as { tools: { name: string }[] }).tools.map(({ name }) => name)).toEqual([
    'pets-createPet',
    'pets-deletePet',
    'pets-get_pets_petId',
    'pets-pets_list',
    'pets-photo',
  ]);
  const result = await call('get_pets_petId', { petId: 'a/b c' });
  const asked = { method: 'GET', url: '/v1/pets/a%2Fb%20c', body: '' };
  expect(result).toMatchObject({ structuredContent: asked, content: [{ type: 'text', text: JSON.stringify(asked) }] });
  expect(api.received.at(-1)?.headers).toMatchObject({ 'x-key': 'key-12345678' });
});

test('arguments go where the document says', async () => {
  await call('pets_list', {
    limit: 5,
    tags: ['a', 'b&c'],
    ids: [1, 2],
    where: { kind: 'cat' },
    'X-Trace': 't1',
    session: 's 1',
  });
  const [asked] = api.received;
  expect(asked?.url).toBe('/v1/pets?limit=5&tags=a&tags=b%26c&ids=1%2C2&where%5Bkind%5D=cat');
  expect(asked?.headers).toMatchObject({ 'x-trace': 't1', cookie: 'session=s%201' });
  await call('createPet', { body: { name: 'Rex', nick: null } });
  expect(api.received[1]).toMatchObject({ method: 'POST', body: '{"name":"Rex","nick":null}' });
  expect(api.received[1]?.headers['content-type']).toBe('application/json');
});

test.each<[string, boolean, unknown, string]>([
  ['simple', false, ['a', 'b c'], 'a,b%20c'],
  ['simple', false, { R: 1, G: '=' }, 'R,1,G,%3D'],
  ['simple', true, { R: 1, G: '=' }, 'R=1,G=%3D'],
  ['label', false, ['a', 'b'], '.a,b'],
  ['label', true, ['a', 'b'], '.a.b'],
  ['label', true, { R: 1, G: 2 }, '.R=1.G=2'],
  ['label', false, 'a', '.a'],
  ['matrix', false, ['a', 'b'], ';it=a,b'],
  ['matrix', true, ['a', 'b'], ';it=a;it=b'],
  ['matrix', false, { R: 1, G: 2 }, ';it=R,1,G,2'],
  ['matrix', true, { R: 1, G: 2 }, ';R=1;G=2'],
  ['matrix', true, 5, ';it=5'],
])('a path parameter of the style %s, exploded %s, writes %j as %s', (style, explode, value, written) => {
  const parameters = [{ name: 'it', in: 'path', required: true, style, explode, schema: {} }];
  const spec = { openapi: '3.1.0', paths: { '/a/{it}': { get: { parameters } } } };
  const [tool] = toolsOfDocument(spec, { clientName: 'pets', includeDeprecated: false }).tools;
  if (!tool) throw new Error('no tool');
  // a value that JSON has
  const args = { it: value as JsonValue };
  const nothing = { headers: {}, query: {}, cookies: {} };
  expect(requestOf(tool, args, 'http://api', nothing).url.href).toBe(`http://api/a/${written}`);
});

test('an operation that wants no credentials gets none', async () => {
  expect(await call('deletePet', { petId: '1' })).toMatchObject({
    content: [{ type: 'text', text: 'HTTP 204, without content' }],
  });
  expect(api.received[0]?.headers['x-key']).toBeUndefined();
});

test('headers of the config and those that the caller may pass on are sent, the document’s keys above them', async () => {
  await serve({ headers: { 'X-Static': 'env-free', 'x-key': 'other' }, allowed_extra_headers: ['x-tenant'] });
  await call('get_pets_petId', { petId: '1' }, { 'x-tenant': 'acme', 'x-else': 'no' });
  expect(api.received[0]?.headers).toMatchObject({
    'x-static': 'env-free',
    'x-tenant': 'acme',
    'x-key': 'key-12345678',
  });
  expect(api.received[0]?.headers['x-else']).toBeUndefined();
});

describe('answers', () => {
  test('an error status is a failed tool with the words of the API', async () => {
    expect(await call('get_pets_petId', { petId: 'gone' })).toEqual({
      content: [{ type: 'text', text: 'HTTP 404 Not Found: {"message":"no such pet"}' }],
      isError: true,
    });
  });

  test('more than 64 KiB is cut, and says so', async () => {
    const result = await call('get_pets_petId', { petId: 'big' });
    const {
      content: [{ text }],
    } = result as { content: [{ text: string }] };
    expect(text.length).toBeLessThan(66_000);
    expect(text).toMatch(/\[cut: the answer is longer than 65536 bytes\]$/);
    expect(result).not.toHaveProperty('structuredContent');
  });

  test('a redirect is not followed: it would carry keys elsewhere', async () => {
    expect(await call('get_pets_petId', { petId: 'moved' })).toMatchObject({ isError: true });
  });

  test('a list is text, an image is an image', async () => {
    expect(await call('get_pets_petId', { petId: 'list' })).toEqual({ content: [{ type: 'text', text: '[1,2]' }] });
    expect(await call('photo', { petId: '1' })).toMatchObject({
      content: [{ type: 'image', mimeType: 'image/png', data: 'AQID' }],
    });
  });

  test('a missing argument, or one that leads to another path, is told to the model', async () => {
    expect(await call('get_pets_petId', {})).toMatchObject({
      isError: true,
      content: [{ text: "the argument 'petId' is missing" }],
    });
    expect(await call('get_pets_petId', { petId: '..' })).toMatchObject({ isError: true });
    expect(api.received).toEqual([]);
  });
});

const stateOf = async () => {
  const answer = await fetch(`${gateway.url}/api/mcp/clients`);
  const { clients } = (await answer.json()) as { clients: { state: string; last_failure?: { message: string } }[] };
  return clients[0];
};

test.each([
  [
    'no document',
    { spec: undefined, spec_file: 'nowhere.json' },
    /spec_file .*nowhere\.json cannot be read \(ENOENT\)/,
  ],
  ['no address', { spec: { openapi: '3.1.0', paths: { '/a': { get: {} } } } }, /set openapi_config\.base_url/],
  ['no OpenAPI', { spec: '{"hello":1}' }, /Invalid OpenAPI spec/],
])('a client with %s fails with words that help', async (_, openapi, message) => {
  await serve({}, openapi);
  const client = await stateOf();
  expect(client?.state).not.toBe('healthy');
  expect(client?.last_failure?.message).toMatch(message);
});

test('a key never shows in errors of the API', async () => {
  const closed = await startApi();
  await closed.close();
  await serve({}, { spec: petstore(closed.url) });
  const answer = await rpc('tools/call', { name: 'pets-get_pets_petId', arguments: { petId: '1' } });
  expect(JSON.stringify(answer)).not.toContain('key-12345678');
  expect(gateway.output()).not.toContain('key-12345678');
});

describe('G15 a document from elsewhere', () => {
  test('is read from the host that was named, and its own relative server is that host', async () => {
    const document = { ...petstore(''), servers: [{ url: '/v1' }] };
    const host = await startApi({ 'GET /docs/api.json': { body: JSON.stringify(document) } });
    await serve({}, { spec: undefined, spec_url: `${host.url}/docs/api.json` });
    expect(await call('get_pets_petId', { petId: '7' })).toMatchObject({ structuredContent: { url: '/v1/pets/7' } });
    await host.close();
  });

  test('may not lead the gateway to another address inside', async () => {
    const host = await startApi({ 'GET /api.json': { body: JSON.stringify(petstore(api.url)) } });
    await serve({}, { spec: undefined, spec_url: `${host.url}/api.json` });
    const answer = await rpc('tools/call', { name: 'pets-get_pets_petId', arguments: { petId: '7' } });
    expect(JSON.stringify(answer)).toContain('private or local network');
    expect(api.received).toEqual([]);
    await host.close();
  });

  test('leads there once the address is named', async () => {
    const host = await startApi({ 'GET /api.json': { body: JSON.stringify(petstore('http://10.0.0.1')) } });
    await serve({}, { spec: undefined, spec_url: `${host.url}/api.json`, base_url: `${api.url}/base/` });
    await call('get_pets_petId', { petId: '7' });
    expect(api.received.map(({ url }) => url)).toEqual(['/base/pets/7']);
    await host.close();
  });
});
