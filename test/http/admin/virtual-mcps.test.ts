import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGatewayHere, testServer } from '../../support/gateway.ts';

let gateway: Gateway;

const CLIENT_ID = 'client-id-1';

const config = {
  mcp: {
    client_configs: [testServer('ref', { client_id: CLIENT_ID }), testServer('other', { disabled: true })],
    virtual_mcps: [{ name: 'From file', tools: [{ mcp_client_name: 'ref', tool_names: ['echo'] }] }],
  },
};

beforeAll(async () => {
  gateway = await startGatewayHere(config);
});

afterAll(() => gateway.stop());

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/api/mcp/virtual-mcps${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

const refused = (status: number, message: unknown) =>
  expect.objectContaining({ status, answer: expect.objectContaining({ error: { message } }) });

const created = async (body: object) => {
  const { status, answer } = await ask('POST', '', body);
  expect(status).toBe(201);
  return answer.virtual_mcp as { id: number; endpoint_slug: string };
};

test('those of the config file are listed, with a slug and a numeric id', async () => {
  const { answer } = await ask('GET', '?search=from');
  expect(answer).toEqual({
    virtual_mcps: [
      {
        id: expect.any(Number),
        name: 'From file',
        endpoint_slug: 'from-file',
        enabled: true,
        tools: [{ mcp_client_name: 'ref', tool_names: ['echo'] }],
        virtual_key_ids: [],
      },
    ],
    count: 1,
    total_count: 1,
    limit: 25,
    offset: 0,
  });
});

test('one is made, read, changed and removed', async () => {
  const tools = [{ mcp_client_id: CLIENT_ID, tool_names: ['*'] }];
  const { id } = await created({ name: 'Dev Tools', description: 'For work', tools });
  const read = await ask('GET', `/${id}`);
  expect(read.answer.virtual_mcp).toMatchObject({
    name: 'Dev Tools',
    endpoint_slug: 'dev-tools',
    enabled: true,
    tools,
  });
  const changed = await ask('PUT', `/${id}`, { name: 'Tools', enabled: false, endpoint_slug: 'elsewhere' });
  expect(changed.answer.virtual_mcp).toMatchObject({
    id,
    name: 'Tools',
    endpoint_slug: 'dev-tools',
    enabled: false,
    description: 'For work',
    tools,
  });
  const kept = JSON.parse(readFileSync(join(gateway.appDir, 'virtual-mcps.json'), 'utf8'));
  expect(kept.virtual_mcps.map(({ name }: { name: string }) => name)).toEqual(['Tools']);
  expect(await ask('DELETE', `/${id}`)).toEqual({ status: 200, answer: { success: true } });
  expect((await ask('GET', `/${id}`)).status).toBe(404);
});

test.each([
  [{}, 'name is required'],
  [{ name: ' ' }, 'name is required'],
  [{ name: 'a', tools: [{ mcp_client_id: 'nobody', tool_names: ['*'] }] }, 'invalid MCP client IDs: nobody'],
  [{ name: 'a', tools: [{ tool_names: ['*'] }] }, expect.stringContaining('mcp_client_id or mcp_client_name')],
  [{ name: 'a', tools: [{ mcp_client_name: 'ref', tool_names: ['*', 'x'] }] }, expect.stringContaining('wildcard')],
  [{ name: 'a', endpoint_slug: 'a b' }, expect.stringContaining('letters, digits')],
  [[], 'invalid request body'],
])('%o is refused', async (body, message) => {
  expect(await ask('POST', '', body)).toEqual(refused(400, message));
});

test.each([
  [{ name: 'From file' }, 'a virtual MCP with this name or endpoint already exists'],
  [{ name: 'b', endpoint_slug: 'from-file' }, "endpoint_slug 'from-file' is taken by virtual MCP 'From file'"],
  [{ name: 'Ref' }, "endpoint_slug 'ref' is taken by MCP client 'ref'"],
])('%o clashes', async (body, message) => {
  expect(await ask('POST', '', body)).toEqual(refused(409, message));
});

test('a client cannot take the slug of a virtual MCP', async () => {
  const response = await fetch(`${gateway.url}/api/mcp/client`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(testServer('fresh', { endpoint_slug: 'from-file', disabled: true })),
  });
  expect(response.status).toBe(409);
});

test('virtual keys are refused with words until there are some', async () => {
  const { id } = await created({ name: 'Keyed' });
  expect(await ask('POST', `/${id}/virtual-keys/vk-1`)).toEqual(
    refused(404, expect.stringContaining('virtual key not found')),
  );
  expect(await ask('DELETE', '/999/virtual-keys/vk-1')).toEqual(refused(404, 'virtual MCP not found'));
});

test.each([
  ['GET', ''],
  ['POST', ''],
  ['PUT', '/1'],
  ['DELETE', '/1'],
  ['POST', '/1/virtual-keys/a'],
])('G15 %s %s from a foreign page is refused', async (method, path) => {
  const body = method === 'GET' ? undefined : {};
  expect((await ask(method, path, body, { origin: 'https://evil.example' })).status).toBe(403);
});
