import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/model/json.ts';
import { eventually, type Gateway, post, startGatewayHere } from '../../support/gateway.ts';
import {
  type HeaderFixture,
  type OauthFixture,
  type OauthOptions,
  startHeaderServer,
  startOauthServer,
  visit,
} from '../../support/oauth-server.ts';

const open: { close?: () => Promise<void>; stop?: () => Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.stop ?? one.close)?.();
});

async function gatewayHere(config: object = {}): Promise<Gateway> {
  const gateway = await startGatewayHere({ version: 2, providers: {}, ...config }, {});
  open.push({ stop: () => gateway.stop() });
  return gateway;
}

async function oauthHere(options?: OauthOptions): Promise<OauthFixture> {
  const server = await startOauthServer(options);
  open.push(server);
  return server;
}

async function headersHere(): Promise<HeaderFixture> {
  const server = await startHeaderServer();
  open.push(server);
  return server;
}

type Body = JsonObject;

async function asked(answer: Promise<Response>): Promise<{ status: number; body: Body }> {
  const response = await answer;
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const api = (gateway: Gateway, path: string, body: unknown = {}) => asked(post(`${gateway.url}${path}`, body));
const got = (gateway: Gateway, path: string) => asked(fetch(`${gateway.url}${path}`));

const oauthClient = (server: { mcpUrl: string }, more: object = {}) => ({
  name: 'guarded',
  connection_type: 'http',
  connection_string: server.mcpUrl,
  auth_type: 'oauth',
  oauth_config: {},
  tools_to_execute: ['*'],
  ...more,
});

/** Adds the client, logs in and completes. */
async function loggedIn(gateway: Gateway, client: object): Promise<{ id: string; configId: string; completed: Body }> {
  const { body: pending } = await api(gateway, '/api/mcp/client', client);
  expect(pending).toMatchObject({ status: 'pending_oauth' });
  const { response } = await visit(String(pending.authorize_url));
  expect(response.status, await response.text()).toBe(200);
  const { body: completed, status } = await api(gateway, String(pending.complete_url));
  expect(status, JSON.stringify(completed)).toBe(200);
  return { id: String(pending.mcp_client_id), configId: String(pending.oauth_config_id), completed };
}

const called = (gateway: Gateway, name = 'guarded-whoami', headers: Record<string, string> = {}) =>
  asked(
    post(
      `${gateway.url}/v1/mcp/tool/execute`,
      { id: 'c', type: 'function', function: { name, arguments: '{}' } },
      headers,
    ),
  );

const stateOf = async (gateway: Gateway): Promise<unknown> =>
  ((await got(gateway, '/api/mcp/clients')).body.clients as Body[])[0]?.state;

describe('one login for all (oauth)', () => {
  test('a client of the API waits for its login, is connected by it, and calls with the token', async () => {
    const server = await oauthHere({ challengeScope: 'read' });
    const gateway = await gatewayHere();
    const { body: pending } = await api(gateway, '/api/mcp/client', oauthClient(server));
    const id = String(pending.oauth_config_id);
    expect(pending).toEqual({
      status: 'pending_oauth',
      message: 'OAuth authorization required for MCP client guarded',
      oauth_config_id: id,
      authorize_url: expect.stringContaining(`${server.url}/authorize?`),
      expires_at: expect.any(String),
      mcp_client_id: expect.any(String),
      complete_url: `/api/mcp/client/${id}/complete-oauth`,
      status_url: `/api/oauth/config/${id}/status`,
      next_steps: expect.any(Array),
    });
    expect(await got(gateway, '/api/mcp/clients')).toMatchObject({ body: { total_count: 0 } });
    expect((await api(gateway, String(pending.complete_url))).body.error).toEqual({
      message: 'OAuth not authorized yet. Current status: pending',
    });
    await visit(String(pending.authorize_url));
    expect((await got(gateway, String(pending.status_url))).body).toMatchObject({
      id,
      status: 'authorized',
      token_id: expect.any(String),
      token_expires_at: expect.any(String),
      token_scopes: ['read'],
    });
    expect((await api(gateway, String(pending.complete_url))).body).toMatchObject({
      message: 'MCP client connected successfully with OAuth',
    });
    expect(await called(gateway)).toMatchObject({ status: 200, body: { content: 'you are read' } });
    expect(await stateOf(gateway)).toBe('healthy');
    expect((await api(gateway, String(pending.complete_url))).status).toBe(409);
    expect((await api(gateway, '/api/mcp/client/nobody/complete-oauth')).status).toBe(404);
  });

  test('PKCE with S256, a state, and the resource indicator go to the authorization server', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    await loggedIn(gateway, oauthClient(server));
    const [asked] = server.authorizations;
    expect(Object.fromEntries(asked ?? [])).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      resource: server.mcpUrl,
      redirect_uri: `${gateway.url}/api/oauth/callback`,
    });
    expect(server.tokenRequests[0]?.params.get('resource')).toBe(server.mcpUrl);
  });

  test.each<[string, OauthOptions, object, number]>([
    ['RFC 8414', {}, {}, 1],
    ['OpenID Connect', { metadata: 'openid' }, {}, 1],
    ['the paths of 2025-03-26', { metadata: 'none' }, {}, 1],
    ['a client registered by hand', { registers: false }, { client_id: 'by-hand', client_secret: 'by-hand-secret' }, 0],
    ['secrets in the body', { authMethods: ['client_secret_post'] }, {}, 1],
    ['a metadata document', { takesDocuments: true }, { client_id: 'https://gateway.example/client.json' }, 0],
  ])('logs in with %s', async (_what, options, oauth_config, registrations) => {
    const server = await oauthHere(options);
    const gateway = await gatewayHere();
    await loggedIn(gateway, oauthClient(server, { oauth_config }));
    expect((await called(gateway)).status).toBe(200);
    expect(server.registrations).toHaveLength(registrations);
  });

  test.each<[string, OauthOptions, object, string | null]>([
    ['those of the config before all', { challengeScope: 'a', scopesSupported: ['b'] }, { scopes: ['c'] }, 'c'],
    ['those of the challenge', { challengeScope: 'a', scopesSupported: ['b'] }, {}, 'a'],
    ['all of the resource', { scopesSupported: ['b', 'd'] }, {}, 'b d'],
    ['none where none are known', {}, {}, null],
  ])('scopes asked for: %s', async (_what, options, oauth_config, scope) => {
    const server = await oauthHere(options);
    const gateway = await gatewayHere();
    await api(gateway, '/api/mcp/client', oauthClient(server, { oauth_config })).then(({ body }) =>
      visit(String(body.authorize_url)),
    );
    expect(server.authorizations[0]?.get('scope')).toBe(scope);
  });

  test.each<[string, object, number, string]>([
    [
      'without its block',
      { oauth_config: undefined },
      400,
      "OAuth configuration is required when auth_type is 'oauth'",
    ],
    ['over stdio', { connection_type: 'stdio', stdio_config: { command: 'x' } }, 400, 'needs connection_type'],
    ['token exchange', { auth_type: 'token_exchange' }, 400, "auth_type 'token_exchange' is not supported"],
  ])('%s: refused', async (_what, more, status, message) => {
    const gateway = await gatewayHere();
    const answer = await api(gateway, '/api/mcp/client', oauthClient({ mcpUrl: 'http://127.0.0.1:1/mcp' }, more));
    expect(answer).toMatchObject({ status, body: { error: { message: expect.stringContaining(message) } } });
  });

  test('a resource that is not the server asked is not logged in to', async () => {
    const server = await oauthHere({ resource: 'https://bank.example/mcp' });
    const gateway = await gatewayHere();
    const { status, body } = await api(gateway, '/api/mcp/client', oauthClient(server));
    expect(status).toBe(500);
    expect(JSON.stringify(body)).toMatch(/Failed to initiate OAuth flow: .*https:\/\/bank\.example\/mcp/);
  });

  test('a login that was used, or that nobody began, is refused on a page', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    const { body } = await api(gateway, '/api/mcp/client', oauthClient(server));
    const first = await visit(String(body.authorize_url));
    expect(first.response.status).toBe(200);
    const again = await fetch(first.url);
    expect(again.status).toBe(400);
    expect(await again.text()).toContain('was used already');
    expect((await fetch(`${gateway.url}/api/oauth/callback?state=x&code=y`)).status).toBe(400);
  });

  test('another authorization server may not answer in place of the one asked (RFC 9207)', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    const { body } = await api(gateway, '/api/mcp/client', oauthClient(server));
    const state = new URL(String(body.authorize_url)).searchParams.get('state');
    const answer = await fetch(`${gateway.url}/api/oauth/callback?state=${state}&code=z&iss=https://evil.example`);
    expect(await answer.text()).toContain('another authorization server');
    expect((await got(gateway, String(body.status_url))).body.status).toBe('failed');
    expect(server.tokenRequests).toHaveLength(0);
  });

  test('the person who refuses is told so, and the login has failed', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    const { body } = await api(gateway, '/api/mcp/client', oauthClient(server));
    const state = new URL(String(body.authorize_url)).searchParams.get('state');
    const answer = await fetch(`${gateway.url}/api/oauth/callback?state=${state}&error=access_denied`);
    expect(await answer.text()).toContain('access_denied');
    expect((await got(gateway, String(body.status_url))).body.status).toBe('failed');
  });

  test('a client of the file waits for its first login, which its route begins', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere({ mcp: { client_configs: [oauthClient(server)] } });
    expect(
      await eventually(
        () => stateOf(gateway),
        (state) => state !== 'unstable',
      ),
    ).toBe('pending_verification');
    const { body: list } = await got(gateway, '/api/mcp/clients');
    const id = (list.clients as unknown as { config: { client_id: string } }[])[0]?.config.client_id;
    const { body } = await api(gateway, `/api/mcp/client/${id}/initiate-verification`);
    await visit(String(body.authorize_url));
    expect((await api(gateway, String(body.complete_url))).status).toBe(200);
    expect(await stateOf(gateway)).toBe('healthy');
    expect((await api(gateway, `/api/mcp/client/${id}/initiate-verification`)).status).toBe(400);
  });

  test('a token that the server takes no longer is renewed once for all calls', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    await loggedIn(gateway, oauthClient(server));
    server.expireTokens();
    const answers = await Promise.all(Array.from({ length: 8 }, () => called(gateway)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(server.tokenRequests.filter(({ params }) => params.get('grant_type') === 'refresh_token')).toHaveLength(1);
  });

  test.each(['fails', 'garbled'] as const)(
    'G12 a renewal that %s ends no login: it works when the server does',
    async (mode) => {
      const server = await oauthHere();
      const gateway = await gatewayHere();
      await loggedIn(gateway, oauthClient(server));
      server.expireTokens();
      server.refresh = mode;
      expect((await called(gateway)).status).not.toBe(200);
      expect(await stateOf(gateway)).not.toBe('needs_reauth');
      server.refresh = 'ok';
      expect(
        (
          await eventually(
            () => called(gateway),
            ({ status }) => status === 200,
          )
        ).status,
      ).toBe(200);
    },
  );

  test.each(['invalid_grant', 'invalid_client'] as const)(
    'G12 %s ends a login, and a new one mends it',
    async (mode) => {
      const server = await oauthHere();
      const gateway = await gatewayHere();
      const { id } = await loggedIn(gateway, oauthClient(server));
      server.expireTokens();
      server.refresh = mode;
      const refused = await called(gateway);
      expect(refused.status).toBe(401);
      expect(await stateOf(gateway)).toBe('needs_reauth');
      server.refresh = 'ok';
      const { body } = await api(gateway, `/api/mcp/client/${id}/reauthorize`);
      await visit(String(body.authorize_url));
      expect((await api(gateway, String(body.complete_url))).status).toBe(200);
      expect(await called(gateway)).toMatchObject({ status: 200 });
      expect(server.registrations).toHaveLength(mode === 'invalid_client' ? 2 : 1);
    },
  );

  test('G12 a gateway that the authorization server forgot registers anew', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    const { id } = await loggedIn(gateway, oauthClient(server));
    server.forgetClients();
    expect((await called(gateway)).status).toBe(401);
    const { body } = await api(gateway, `/api/mcp/client/${id}/reauthorize`);
    await visit(String(body.authorize_url));
    expect((await api(gateway, String(body.complete_url))).status).toBe(200);
    expect(server.registrations).toHaveLength(2);
  });

  test('a call that needs a further scope asks for a login with it and what was granted', async () => {
    const server = await oauthHere({ challengeScope: 'read' });
    const gateway = await gatewayHere();
    const { id } = await loggedIn(gateway, oauthClient(server));
    server.callScope = 'write';
    expect((await called(gateway)).status).toBe(401);
    expect(await stateOf(gateway)).toBe('needs_reauth');
    const { body } = await api(gateway, `/api/mcp/client/${id}/reauthorize`);
    await visit(String(body.authorize_url));
    expect(server.authorizations.at(-1)?.get('scope')).toBe('read write');
    await api(gateway, String(body.complete_url));
    expect(await called(gateway)).toMatchObject({ status: 200, body: { content: 'you are read write' } });
  });

  test('a server that refuses what it was given the scope for asks nobody to log in again', async () => {
    const server = await oauthHere({ challengeScope: 'read' });
    const gateway = await gatewayHere();
    await loggedIn(gateway, oauthClient(server));
    server.refusesScope = 'read';
    expect(await called(gateway)).toMatchObject({ status: 403 });
    expect(await stateOf(gateway)).toBe('healthy');
  });

  test('a PUT of oauth_config ends the logins, keeps a secret that comes back as shown, and takes it to no other address', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    const { id } = await loggedIn(
      gateway,
      oauthClient(server, { oauth_config: { client_id: 'by-hand', client_secret: 'by-hand-secret' } }),
    );
    const put = (body: object) =>
      asked(
        fetch(`${gateway.url}/api/mcp/client/${id}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      );
    const shown = `by-h${'*'.repeat(24)}cret`;
    const elsewhere = { client_secret: shown, token_url: 'https://evil.example/token' };
    expect((await put({ oauth_config: elsewhere })).status).toBe(400);
    expect((await put({ oauth_config: { client_secret: shown } })).status).toBe(200);
    expect(await stateOf(gateway)).toBe('healthy');
    expect((await put({ oauth_config: { client_secret: shown, scopes: ['more'] } })).status).toBe(200);
    expect(await stateOf(gateway)).toBe('needs_reauth');
    const { body } = await api(gateway, `/api/mcp/client/${id}/reauthorize`);
    await visit(String(body.authorize_url));
    expect((await api(gateway, String(body.complete_url))).status).toBe(200);
    expect(await called(gateway)).toMatchObject({ status: 200, body: { content: 'you are more' } });
  });

  test('G13 a refused event stream is normal: nothing waits for it, and no login ends', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    await loggedIn(gateway, oauthClient(server));
    expect(await stateOf(gateway)).toBe('healthy');
  });
});

describe('what is kept', () => {
  test.each([true, false])('secrets at rest, encrypted: %s', async (encrypts) => {
    const server = await oauthHere();
    const gateway = await gatewayHere(encrypts ? { encryption_key: 'correct horse battery staple' } : {});
    await loggedIn(gateway, oauthClient(server));
    await called(gateway);
    const path = join(gateway.appDir, 'config.db');
    const bytes = ['', '-wal'].map((end) => readFileSync(`${path}${end}`, 'latin1')).join('');
    expect(server.secrets.some((secret) => bytes.includes(secret))).toBe(!encrypts);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(gateway.output().includes('plain text')).toBe(!encrypts);
  });

  test('no secret of a login is in the log or in any answer', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    const { id, configId } = await loggedIn(
      gateway,
      oauthClient(server, { oauth_config: { client_id: 'by-hand', client_secret: 'by-hand-secret' } }),
    );
    server.refresh = 'garbled';
    server.expireTokens();
    const failed = await called(gateway);
    const texts = [
      gateway.output(),
      JSON.stringify(failed.body),
      JSON.stringify((await got(gateway, '/api/mcp/clients')).body),
      JSON.stringify((await got(gateway, '/api/config')).body),
      JSON.stringify((await got(gateway, `/api/oauth/config/${configId}/status`)).body),
      JSON.stringify((await api(gateway, `/api/mcp/client/${id}/reauthorize`)).body),
    ].join('\n');
    expect(server.secrets.filter((secret) => texts.includes(secret))).toEqual([]);
  });
});

describe("each user's own login", () => {
  const perUser = (server: { mcpUrl: string }) => oauthClient(server, { auth_type: 'per_user_oauth' });
  const required = (body: Body) =>
    (body.extra_fields as { mcp_auth_required: Record<string, string> }).mcp_auth_required;

  test('a caller without one is sent to log in, and calls with their own token from then on', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    const { completed } = await loggedIn(gateway, perUser(server));
    expect(completed.tools_count).toBe(1);
    const alice = { 'x-bf-vk': 'sk-bf-alice' };
    const refused = await called(gateway, 'guarded-whoami', alice);
    expect(refused.status).toBe(401);
    const payload = required(refused.body);
    expect(payload).toEqual({
      kind: 'oauth',
      authorize_url: expect.stringContaining(`${gateway.url}/workspace/mcp-sessions/auth?flow=`),
      mcp_client_id: expect.any(String),
      mcp_client_name: 'guarded',
      session_id: expect.any(String),
      message: `Authentication required for guarded. Open this URL to connect your account: ${payload.authorize_url}`,
    });
    const page = await fetch(String(payload.authorize_url));
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Connect your account to guarded');
    const { response } = await visit(String(payload.authorize_url), { method: 'POST' });
    expect(await response.text()).toContain('The login for guarded is done');
    const admin = server.admitted[0];
    expect((await called(gateway, 'guarded-whoami', alice)).status).toBe(200);
    expect(server.admitted.at(-1)).not.toBe(admin);
    expect((await called(gateway, 'guarded-whoami', { 'x-bf-mcp-session-id': 'somebody-else' })).status).toBe(401);
  });

  test('/mcp tells the caller where in the text of a failed call', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    await loggedIn(gateway, perUser(server));
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'guarded-whoami', arguments: {} } };
    const { body } = await asked(
      post(`${gateway.url}/mcp`, call, { accept: 'application/json', 'x-bf-vk': 'sk-bf-a' }),
    );
    expect(body.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Authentication required for guarded\. Open this URL to connect/) }],
    });
  });

  test('who does not say who they are is told how', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    await loggedIn(gateway, perUser(server));
    const { status, body } = await called(gateway);
    expect(status).toBe(401);
    expect(JSON.stringify(body)).toContain('x-bf-mcp-session-id');
  });

  test('the way back is good only in the browser that began, and the form only from its own page', async () => {
    const server = await oauthHere();
    const gateway = await gatewayHere();
    await loggedIn(gateway, perUser(server));
    const page = String(required((await called(gateway, 'guarded-whoami', { 'x-bf-vk': 'a' })).body).authorize_url);
    const sent = await fetch(page, { method: 'POST', redirect: 'manual' });
    const stolen = await visit(String(sent.headers.get('location')));
    expect(await stolen.response.text()).toContain('another browser');
    const foreign = await fetch(page, { method: 'POST', headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    const crossSite = await fetch(page, { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } });
    expect(crossSite.status).toBe(403);
    expect((await fetch(`${gateway.url}/workspace/mcp-sessions/auth?flow=guessed`)).status).toBe(404);
  });
});

describe("each user's own headers", () => {
  const client = (server: HeaderFixture, more: object = {}) => ({
    name: 'keyed',
    connection_type: 'http',
    connection_string: server.mcpUrl,
    auth_type: 'per_user_headers',
    per_user_header_keys: ['X-Api-Key '],
    user_headers: { 'x-api-key': 'user-admin' },
    tools_to_execute: ['*'],
    ...more,
  });

  test('samples verify the client; each caller submits their own on a page', async () => {
    const server = await headersHere();
    const gateway = await gatewayHere();
    expect(await api(gateway, '/api/mcp/client', client(server))).toMatchObject({ status: 200 });
    const bob = { 'x-bf-mcp-session-id': 'bob' };
    const { status, body } = await called(gateway, 'keyed-whoami', bob);
    expect(status).toBe(401);
    const { submit_url: url } = (body.extra_fields as { mcp_auth_required: { submit_url: string } }).mcp_auth_required;
    expect(url).toMatch(/&kind=headers$/);
    expect(await (await fetch(url)).text()).toContain('name="x-api-key"');
    const wrong = await fetch(url, { method: 'POST', body: new URLSearchParams({ 'x-api-key': 'wrong-one' }) });
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).not.toContain('wrong-one');
    const right = await fetch(url, { method: 'POST', body: new URLSearchParams({ 'x-api-key': 'user-bob' }) });
    expect(await right.text()).toContain('is set up');
    expect(await called(gateway, 'keyed-whoami', bob)).toMatchObject({ body: { content: 'you are user-bob' } });
    expect(JSON.stringify((await got(gateway, '/api/mcp/clients')).body)).not.toContain('user-admin');
    expect((await fetch(url)).status).toBe(404);
  });

  test.each<[string, object, number, string]>([
    ['no samples', { user_headers: undefined }, 400, 'sample user_headers missing values for required keys: x-api-key'],
    ['no names', { per_user_header_keys: [] }, 400, 'per_user_header_keys must be a non-empty list when'],
    ['a name twice', { per_user_header_keys: ['a', 'A'] }, 400, 'per_user_header_keys contains duplicate entries'],
    ['samples that are refused', { user_headers: { 'X-API-Key': 'nobody-9876' } }, 422, 'Verification failed: '],
  ])('%s: refused', async (_what, more, status, message) => {
    const server = await headersHere();
    const gateway = await gatewayHere();
    const answer = await api(gateway, '/api/mcp/client', client(server, more));
    expect(answer).toMatchObject({ status, body: { error: { message: expect.stringContaining(message) } } });
    expect(JSON.stringify(answer.body)).not.toContain('nobody-9876');
    expect((await got(gateway, '/api/mcp/clients')).body.total_count).toBe(0);
  });
});
