import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Gateway, post, startGatewayHere } from '../../support/gateway.ts';
import { type HttpServer, startHttpServer } from '../../support/mcp-servers/http.mjs';

let gateway: Gateway;
let server: HttpServer;

beforeAll(async () => {
  server = await startHttpServer();
  const client = {
    name: 'web',
    client_id: 'web-id',
    connection_type: 'http',
    connection_string: `http://127.0.0.1:${server.port}/mcp`,
    tools_to_execute: ['*'],
  };
  gateway = await startGatewayHere({ mcp: { client_configs: [client] } });
  await eventually(
    async () => (await shown()).state,
    (state) => state === 'healthy',
  );
});

afterAll(async () => {
  await gateway.stop();
  await server.close();
});

async function edit(body: object) {
  const response = await fetch(`${gateway.url}/api/mcp/client/web-id`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { status, message, error } = (await response.json()) as {
    status: string;
    message?: string;
    error?: { message: string };
  };
  return { code: response.status, status, message: message ?? error?.message };
}

async function shown(): Promise<{ state: string; config: Record<string, unknown> }> {
  const { clients } = (await (await fetch(`${gateway.url}/api/mcp/clients`)).json()) as {
    clients: [{ state: string; config: Record<string, unknown> }];
  };
  return clients[0];
}

test('a new way of connecting is told, and whether it works', async () => {
  expect(await edit({ needs_session_stickiness: false })).toEqual({
    code: 200,
    status: 'success',
    message: 'MCP client edited successfully. From now on each call opens a connection of its own.',
  });
  expect(await edit({ needs_session_stickiness: true })).toMatchObject({
    status: 'success',
    message: expect.stringContaining('one connection is shared by all calls'),
  });
});

test('where the server cannot be connected in the new way the change is kept, and the answer is a partial success', async () => {
  server.refuse(503, 'resting');
  const answer = await edit({ needs_session_stickiness: false });
  server.refuse(0);
  expect(answer).toMatchObject({ code: 200, status: 'partial_success' });
  expect(answer.message).toMatch(/^MCP client edited successfully\. However, the server could not be connected: /);
  expect((await shown()).config.needs_session_stickiness).toBe(false);
});

test('a plain change is told as before, and nothing that is fixed changes', async () => {
  expect(
    await edit({ tools_to_execute: ['echo'], connection_string: 'http://elsewhere/', auth_type: 'oauth' }),
  ).toEqual({
    code: 200,
    status: 'success',
    message: 'MCP client edited successfully',
  });
  expect((await shown()).config).toMatchObject({
    tools_to_execute: ['echo'],
    connection_string: expect.stringContaining('http'),
    auth_type: 'headers',
  });
});

test.each([-1, 153_722_868])('tool_sync_interval of %d minutes is refused', async (minutes) => {
  expect(await edit({ tool_sync_interval: minutes })).toMatchObject({
    code: 400,
    message: 'tool_sync_interval must be between 0 and 153722867 minutes',
  });
});

test('a client that is not there is not found', async () => {
  const response = await post(`${gateway.url}/api/mcp/client/none/reconnect`, {});
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { message: 'MCP client not found' } });
});
