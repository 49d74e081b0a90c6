import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Gateway, startGatewayHere, testServer } from '../../support/gateway.ts';
import { type HeaderFixture, startHeaderServer, startOauthServer } from '../../support/oauth-server.ts';

// What the management API answers, in the original's statuses and words: one table for what goes wrong.

const NOWHERE = 'http://127.0.0.1:1/mcp';

let gateway: Gateway;
let oauth: Awaited<ReturnType<typeof startOauthServer>>;
let guarded: HeaderFixture;

beforeAll(async () => {
  oauth = await startOauthServer();
  guarded = await startHeaderServer();
  const http = (name: string, more: object) => ({ name, client_id: name, connection_type: 'http', ...more });
  gateway = await startGatewayHere({
    mcp: {
      client_configs: [
        testServer('ref', { client_id: 'ref' }),
        testServer('off', { client_id: 'off', disabled: true }),
        http('gone', { connection_string: NOWHERE, needs_session_stickiness: true }),
        http('percall', { connection_string: guarded.mcpUrl, needs_session_stickiness: false }),
        http('login', { connection_string: oauth.mcpUrl, auth_type: 'oauth', oauth_config: {} }),
        http('each', {
          connection_string: guarded.mcpUrl,
          auth_type: 'per_user_headers',
          per_user_header_keys: ['X-Api-Key'],
        }),
      ],
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([oauth.close(), guarded.close()]);
});

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(method: string, path: string, body?: unknown, at = gateway): Promise<Answer> {
  const response = await fetch(`${at.url}/api/${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { message?: string; error?: { message: string } };
  return { status: response.status, message: answer.error?.message ?? answer.message ?? '', body: { ...answer } };
}

interface Shown {
  readonly state: string;
  readonly last_failure?: object;
  readonly config: Readonly<Record<string, unknown>>;
}

const clients = async (query = '', at = gateway): Promise<Shown[]> =>
  (await ask('GET', `mcp/clients${query}`, undefined, at)).body.clients as Shown[];

const one = (more: object) => ({ name: 'fresh', connection_type: 'http', connection_string: NOWHERE, ...more });

test.each<[string, string, unknown, number, string]>([
  ['POST', 'mcp/client', [], 400, 'Invalid request payload: the body must be a JSON object'],
  ['POST', 'mcp/client', one({ name: 'a-b' }), 400, 'Invalid client name: name cannot contain hyphens'],
  ['POST', 'mcp/client', one({ name: ' ' }), 400, 'Invalid client name: name is required for MCP client'],
  ['POST', 'mcp/client', one({ name: 'ref' }), 409, 'An MCP client with this name already exists'],
  [
    'POST',
    'mcp/client',
    one({ tools_to_execute: ['*', 'x'] }),
    400,
    "Invalid tools_to_execute: wildcard '*' cannot be used with other values in the whitelist",
  ],
  [
    'POST',
    'mcp/client',
    one({ connection_type: 'sse', needs_session_stickiness: false }),
    400,
    'needs_session_stickiness cannot be false for connection_type "sse": only \'http\' supports a per-call connection',
  ],
  ['POST', 'mcp/client', one({ tool_execution_timeout: -1 }), 400, 'tool_execution_timeout must not be negative'],
  ['PUT', 'mcp/client/ref', { tool_execution_timeout: -1 }, 400, 'tool_execution_timeout must be >= 0'],
  ['POST', 'mcp/client', one({ auth_type: 'token_exchange' }), 400, "auth_type 'token_exchange' is not supported"],
  ['POST', 'mcp/client', one({ auth_type: 'oauth' }), 400, "OAuth configuration is required when auth_type is 'oauth'"],
  [
    'POST',
    'mcp/client',
    one({ auth_type: 'per_user_headers', per_user_header_keys: ['a', ' '] }),
    400,
    'per_user_header_keys[1] is empty',
  ],
  [
    'POST',
    'mcp/client',
    one({ auth_type: 'per_user_headers', per_user_header_keys: ['X-A', 'x-b'] }),
    400,
    'sample user_headers missing values for required keys: x-a, x-b',
  ],
  ['POST', 'mcp/client', one({}), 500, 'Failed to connect MCP client: fresh: '],
  ['PUT', 'mcp/client/nobody', {}, 404, 'MCP client not found'],
  ['PUT', 'mcp/client/ref', { name: 'off' }, 409, 'An MCP client with this name already exists'],
  ['PUT', 'mcp/client/ref', { oauth_config: {} }, 400, 'oauth_config can only be updated for MCP clients using'],
  ['PUT', 'mcp/client/login', { oauth_config: { scopes: ['a'] } }, 409, 'oauth_config cannot be updated before'],
  ['DELETE', 'mcp/client/nobody', undefined, 404, 'MCP client not found'],
  ['POST', 'mcp/client/nobody/reconnect', undefined, 404, 'MCP client not found'],
  [
    'POST',
    'mcp/client/off/reconnect',
    undefined,
    400,
    'cannot reconnect a disabled MCP client: enable the client first',
  ],
  [
    'POST',
    'mcp/client/percall/reconnect',
    undefined,
    400,
    'cannot reconnect an MCP client that connects for each call',
  ],
  ['POST', 'mcp/client/each/reconnect', undefined, 400, 'cannot reconnect an MCP client to which each user connects'],
  [
    'POST',
    'mcp/client/ref/initiate-verification',
    {},
    400,
    'initiate-verification only applies to OAuth-based clients',
  ],
  ['POST', 'mcp/client/ref/reauthorize', {}, 400, 'reauthorize only applies to OAuth-based clients'],
  [
    'POST',
    'mcp/client/login/reauthorize',
    {},
    400,
    'MCP client has not completed initial OAuth authorization yet; use initiate-verification instead',
  ],
  [
    'POST',
    'mcp/client/ref/verify-headers',
    {},
    400,
    "verify-headers only applies to auth_type='per_user_headers' clients",
  ],
  ['POST', 'mcp/client/each/verify-headers', {}, 400, 'user_headers missing values for required keys: x-api-key'],
  ['POST', 'mcp/client/each/verify-headers', { user_headers: { 'x-api-key': 'wrong' } }, 422, 'Verification failed: '],
  ['POST', 'mcp/client/nobody/complete-oauth', {}, 404, 'OAuth config not found'],
  ['GET', 'oauth/config/nobody/status', undefined, 404, 'OAuth config not found'],
])('%s /api/%s of %j answers %d %s', async (method, path, body, status, message) => {
  const before = (await clients()).length;
  const answer = await ask(method, path, body);
  expect([answer.status, answer.message.slice(0, message.length)]).toEqual([status, message]);
  expect(answer.body).toMatchObject({ is_bifrost_error: false, status_code: status });
  expect(await clients()).toHaveLength(before);
});

test('a server that cannot be reached is told as such to whoever reconnects', async () => {
  // while the gateway itself tries, a second try is refused with 400
  const { status, message } = await eventually(
    () => ask('POST', 'mcp/client/gone/reconnect'),
    (answer) => answer.message !== 'reconnect already in progress',
  );
  expect([status, message]).toEqual([500, expect.stringMatching(/^Failed to reconnect MCP client: gone: /)]);
});

test('what cannot be changed is ignored by a PUT, and everything that is not named stays', async () => {
  const [before] = await clients('?server=ref');
  const answer = await ask('PUT', 'mcp/client/ref', {
    connection_type: 'sse',
    auth_type: 'oauth',
    tool_pricing: { echo: 1 },
  });
  expect(answer.body).toEqual({ status: 'success', message: 'MCP client edited successfully' });
  const [after] = await clients('?server=ref');
  expect(after?.config).toEqual({ ...before?.config, tool_pricing: { echo: 1 } });
});

test('a client whose users log in alone is registered switched off without being asked', async () => {
  const client = one({ auth_type: 'per_user_headers', per_user_header_keys: ['x-a'], disabled: true });
  const added = await ask('POST', 'mcp/client', client);
  expect(added).toMatchObject({ status: 200, message: 'MCP client registered in disabled state' });
  expect(await clients('?server=fresh')).toMatchObject([{ state: 'disabled' }]);
  expect(await ask('DELETE', `mcp/client/${added.body.mcp_client_id}`)).toMatchObject({
    status: 200,
    message: 'MCP client removed successfully',
  });
});

test('unstable are all that are not healthy', async () => {
  await eventually(
    () => clients('?server=gone'),
    ([gone]) => gone?.last_failure !== undefined,
  );
  const named = async (query: string) => (await clients(query)).map(({ config }) => config.name);
  expect(await named('?state=unstable')).toEqual(expect.arrayContaining(['gone', 'off']));
  expect(await named('?state=healthy,unstable')).toHaveLength((await clients()).length);
  expect(await named('?state=disabled')).toEqual(['off']);
});

describe('last_failure', () => {
  test('is gone once the client is healthy again', async () => {
    const server = await startHeaderServer();
    const own = await startGatewayHere({
      mcp: {
        client_configs: [
          {
            name: 'flaky',
            client_id: 'flaky',
            connection_type: 'http',
            connection_string: server.mcpUrl,
            headers: { 'x-api-key': 'nobody' },
            needs_session_stickiness: true,
          },
        ],
      },
    });
    const [failing] = await eventually(
      () => clients('', own),
      ([client]) => client?.last_failure !== undefined,
    );
    expect(failing?.last_failure).toMatchObject({
      stage: 'connect',
      at: expect.any(String),
      since: expect.any(String),
    });
    await ask('PUT', 'mcp/client/flaky', { headers: { 'x-api-key': 'user-1' } }, own);
    const [well] = await eventually(
      () => clients('', own),
      ([client]) => client?.state === 'healthy',
    );
    expect(well).not.toHaveProperty('last_failure');
    await own.stop();
    await server.close();
  });
});

test('without a config store nothing can be written', async () => {
  const bare = await startGatewayHere({ config_store: { enabled: false } });
  for (const [method, path] of [
    ['POST', 'mcp/client'],
    ['PUT', 'mcp/client/x'],
    ['DELETE', 'mcp/client/x'],
    ['POST', 'mcp/client/x/reconnect'],
    ['POST', 'mcp/client/x/complete-oauth'],
    ['POST', 'mcp/virtual-mcps'],
  ] as const) {
    const answer = await ask(method, path, undefined, bare);
    expect([answer.status, answer.message]).toEqual([503, 'MCP operations unavailable: config store is disabled']);
  }
  expect((await ask('GET', 'mcp/clients', undefined, bare)).body).toMatchObject({ clients: [], total_count: 0 });
  await bare.stop();
});
