import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/model/json.ts';
import { answerConsent, consented, HandClient, newVerifier, openConsent } from '../../support/consent.ts';
import { type Gateway, post, startGatewayHere, testServer } from '../../support/gateway.ts';

const ALPHA = 'sk-bf-alpha';
const CONFIG = {
  version: 2,
  providers: {},
  client: { mcp_server_auth_mode: 'oauth' },
  governance: {
    virtual_keys: [
      {
        id: 'vk-1',
        name: 'Alpha',
        value: ALPHA,
        mcp_configs: [{ mcp_client_name: 'ref', tools_to_execute: ['echo'] }],
      },
      { id: 'vk-2', name: 'Gone', value: 'sk-bf-gone', is_active: false },
    ],
  },
  mcp: { client_configs: [testServer('ref', { allowed_extra_headers: ['*'] }), testServer('other')] },
};

let gateway: Gateway;
let base: string;
let client: HandClient;
beforeAll(async () => {
  gateway = await startGatewayHere(CONFIG);
  base = gateway.url;
  client = await HandClient.register(base);
});
afterAll(() => gateway.stop());

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };

async function listed(token: string, path = '/mcp', headers: Record<string, string> = {}) {
  const response = await post(`${base}${path}`, LIST, {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    ...headers,
  });
  const body = JSON.parse(await response.text());
  return { response, status: response.status, body, names: body.result?.tools.map(({ name }: JsonObject) => name) };
}

async function answered(asked: Promise<Response>): Promise<{ status: number; body: JsonObject }> {
  const response = await asked;
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe('what the server says of itself', () => {
  test.each([
    ['/.well-known/oauth-protected-resource', '/mcp'],
    ['/.well-known/oauth-protected-resource/mcp', '/mcp'],
    ['/.well-known/oauth-protected-resource/mcp/ref', '/mcp/ref'],
  ])('H6 %s describes %s', async (path, resource) => {
    const { status, body } = await answered(fetch(`${base}${path}`));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      resource: `${base}${resource}`,
      authorization_servers: [base],
      scopes_supported: ['mcp'],
      bearer_methods_supported: ['header'],
    });
  });

  test.each(['', '/mcp', '/mcp/ref'])(
    'H6 the authorization server is described at its root, and behind %j',
    async (path) => {
      const { body } = await answered(fetch(`${base}/.well-known/oauth-authorization-server${path}`));
      expect(body).toMatchObject({
        issuer: base,
        authorization_endpoint: `${base}/oauth2/authorize`,
        token_endpoint: `${base}/oauth2/token`,
        registration_endpoint: `${base}/oauth2/register`,
        revocation_endpoint: `${base}/oauth2/revoke`,
        jwks_uri: `${base}/.well-known/jwks.json`,
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
      });
    },
  );

  test('what Claude Code probes besides is JSON, never a page', async () => {
    for (const path of ['/.well-known/openid-configuration', '/oauth/whatever']) {
      const response = await fetch(`${base}${path}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([404, expect.stringContaining('json')]);
    }
    expect((await post(`${base}/register`, {})).status).toBe(404);
  });

  test('tokens are signed by the key that is published, and nothing of its private half is', async () => {
    const { body } = await answered(fetch(`${base}/.well-known/jwks.json`));
    const [key] = body.keys as (JsonWebKey & { kid: string })[];
    expect(Object.keys(key ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    const { access_token: token } = await client.signIn({ mode: 'session' });
    const [header = '', claims = '', signature = ''] = token.split('.');
    const publicKey = createPublicKey({ key: key ?? {}, format: 'jwk' });
    expect(verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      typ: 'at+jwt',
      alg: 'RS256',
      kid: key?.kid,
    });
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: base,
      aud: [`${base}/mcp`],
      bf_mode: 'session',
      scope: 'mcp',
      client_id: client.id,
    });
  });
});

describe('the way in', () => {
  test('H6 who comes without a token is told where to get one, and for which address', async () => {
    for (const path of ['/mcp', '/mcp/ref']) {
      const response = await post(`${base}${path}`, LIST);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer resource_metadata="${base}/.well-known/oauth-protected-resource${path}", scope="mcp"`,
      );
      expect(await response.json()).toMatchObject({
        status_code: 401,
        error: { message: expect.stringContaining('requires OAuth JWT authentication') },
      });
    }
  });

  test.each(['GET', 'DELETE'])('%s asks for a token as well', async (method) => {
    expect((await fetch(`${base}/mcp`, { method })).status).toBe(401);
  });

  test('a virtual key in a header is not taken', async () => {
    expect((await post(`${base}/mcp`, LIST, { 'x-bf-vk': ALPHA })).status).toBe(401);
  });

  test('a token and a virtual key at once are refused', async () => {
    const { access_token: token } = await client.signIn({ mode: 'vk', virtual_key: ALPHA });
    const { status, body } = await listed(token, '/mcp', { 'x-bf-vk': ALPHA });
    expect(status).toBe(401);
    expect(body.error.message).toBe(
      'conflicting credentials: an OAuth token and a virtual key header were both provided; send only the OAuth token',
    );
  });

  test('who signs in without a key sees everything, with a key what the key may use', async () => {
    const session = await client.signIn({ mode: 'session' });
    expect((await listed(session.access_token)).names).toEqual(expect.arrayContaining(['ref-echo', 'other-echo']));
    const key = await client.signIn({ mode: 'vk', virtual_key: ` ${ALPHA} ` });
    expect((await listed(key.access_token)).names).toEqual(['ref-echo']);
    expect((await listed(key.access_token, '/mcp/ref')).names).toEqual(['echo']);
    expect((await listed(key.access_token, '/mcp/other')).status).toBe(403);
  });

  test('a token for one server opens that server only', async () => {
    const { access_token: token } = await client.signIn({ mode: 'session' }, { resource: `${base}/mcp/ref` });
    expect((await listed(token, '/mcp/ref')).names).toContain('echo');
    for (const path of ['/mcp', '/mcp/other', '/mcp/reference']) {
      const { response, status } = await listed(token, path);
      expect(status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  test("a session that one has opened is nobody else's", async () => {
    const [one, two] = await Promise.all([client.signIn({ mode: 'session' }), client.signIn({ mode: 'session' })]);
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const opened = await post(
      `${base}/mcp`,
      { ...LIST, method: 'initialize', params },
      {
        authorization: `Bearer ${one.access_token}`,
      },
    );
    const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    expect((await listed(one.access_token, '/mcp', headers)).status).toBe(200);
    expect((await listed(two.access_token, '/mcp', headers)).status).toBe(404);
  });

  test.each([
    ['of another signer', (token: string) => `${token.slice(0, -8)}AAAAAAAA`],
    ['with other claims', (token: string) => token.replace(/\.[^.]+\./, `.${encoded({ bf_mode: 'session' })}.`)],
    ['that says it needs no signature', (token: string) => `${encoded({ alg: 'none' })}.${token.split('.')[1]}.AA`],
    ['signed with the public key as a secret', (token: string) => token.replace(/^[^.]+/, encoded({ alg: 'HS256' }))],
    ['that is no token', () => 'eyJub3QiOiJvbmUifQ.AAAA.AAAA'],
  ])('a token %s is refused', async (_, forge) => {
    const { access_token: token } = await client.signIn({ mode: 'session' });
    const { response, status } = await listed(forge(token));
    expect(status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
});

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the consent page', () => {
  test('says who asks, for what and where it leads; nothing may frame it or run in it', async () => {
    const asking = await HandClient.register(base, { client_name: '<script>alert(1)</script>\u202e\nAnthropic' });
    const { response, html } = await openConsent(asking.authorizeUrl(newVerifier()));
    expect(response.status).toBe(200);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; Anthropic wants to connect');
    expect(html).toContain('127.0.0.1:7777');
    expect(html).toContain(`${base}/mcp`);
    expect(html).not.toMatch(/<script|onerror|http-equiv/i);
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self' http://127.0.0.1:7777");
    expect(response.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/i);
  });

  test('a no goes back to the client', async () => {
    const back = await consented(client.authorizeUrl(newVerifier()), { decision: 'deny' });
    expect(Object.fromEntries(back)).toMatchObject({ error: 'access_denied', state: 'state-1', iss: base });
  });

  test('a yes goes back with a code, the state and the issuer', async () => {
    const back = await consented(client.authorizeUrl(newVerifier()), { mode: 'session' });
    expect(Object.fromEntries(back)).toEqual({ code: expect.any(String), state: 'state-1', iss: base });
  });

  test.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page of another port on this machine', { origin: 'http://localhost:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['a page of another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a neighbour, as the browser says', { 'sec-fetch-site': 'same-site' }],
    ['another browser', { cookie: `bf_mcp_consent=${'x'.repeat(43)}` }],
    ['a browser without the cookie', { cookie: '' }],
  ])('a form sent by %s is refused, and the flow goes on', async (_, headers) => {
    const page = await openConsent(client.authorizeUrl(newVerifier()));
    expect((await answerConsent(base, page, { mode: 'session' }, headers)).status).toBe(403);
    expect((await answerConsent(base, page, { mode: 'session' })).status).toBe(303);
  });

  test('one browser may have several pages open', async () => {
    const first = await openConsent(client.authorizeUrl(newVerifier()));
    const second = await openConsent(client.authorizeUrl(newVerifier()), first.cookie);
    for (const { flow } of [first, second]) {
      expect((await answerConsent(base, { flow, cookie: second.cookie }, { mode: 'session' })).status).toBe(303);
    }
  });

  test('a form is good once, and only one that was shown', async () => {
    const page = await openConsent(client.authorizeUrl(newVerifier()));
    expect((await answerConsent(base, page, { mode: 'session' })).status).toBe(303);
    expect((await answerConsent(base, page, { mode: 'session' })).status).toBe(404);
    expect((await answerConsent(base, { ...page, flow: 'guessed' }, { mode: 'session' })).status).toBe(404);
  });

  test.each([
    ['sk-bf-unknown', 401, 'virtual key not found'],
    ['', 401, 'virtual key not found'],
    ['sk-bf-gone', 403, 'virtual key is inactive'],
  ])('a key that is not good (%j) is told on the page, which may be sent again', async (key, status, why) => {
    const page = await openConsent(client.authorizeUrl(newVerifier()));
    const refused = await answerConsent(base, page, { mode: 'vk', virtual_key: key });
    expect(refused.status).toBe(status);
    expect(await refused.text()).toContain(why);
    expect((await answerConsent(base, page, { mode: 'vk', virtual_key: ALPHA })).status).toBe(303);
  });

  test('nobody tries many keys on one page', async () => {
    const page = await openConsent(client.authorizeUrl(newVerifier()));
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      statuses.push((await answerConsent(base, page, { mode: 'vk', virtual_key: `sk-bf-${n}` })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 404]);
  });

  test('a name that was rebound to this machine reaches none of it', async () => {
    const page = await openConsent(client.authorizeUrl(newVerifier()));
    const { hostname, port } = new URL(base);
    for (const [method, path] of [
      ['GET', '/oauth2/authorize'],
      ['POST', '/oauth/consent'],
      ['POST', '/oauth2/token'],
      ['POST', '/oauth2/register'],
      ['GET', '/.well-known/oauth-authorization-server'],
    ] as const) {
      const headers = { host: `evil.example:${port}`, 'content-type': 'application/x-www-form-urlencoded' };
      const status = await new Promise((resolve) => {
        const request = httpRequest({ hostname, port, method, path, headers }, (response) =>
          resolve(response.statusCode),
        );
        request.end(method === 'POST' ? `flow=${page.flow}&mode=session&decision=allow` : undefined);
      });
      expect([method, path, status]).toEqual([method, path, 403]);
    }
  });
});

describe('what a client asks for', () => {
  test.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['an address that was not registered', { redirect_uri: 'https://evil.example/callback' }],
    ['a longer address', { redirect_uri: 'http://127.0.0.1:7777/callback/more' }],
    ['another query', { redirect_uri: 'http://127.0.0.1:7777/callback?next=//evil' }],
    ['another name of loopback', { redirect_uri: 'http://localhost:7777/callback' }],
    ['an address with a user in it', { redirect_uri: 'http://127.0.0.1:7777@evil.example/callback' }],
    ['no address', { redirect_uri: undefined }],
  ])('%s sends the browser nowhere', async (_, changes) => {
    const { response, html } = await openConsent(client.authorizeUrl(newVerifier(), changes));
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(html).toContain('This did not work');
  });

  test('a parameter given twice sends the browser nowhere', async () => {
    const url = `${client.authorizeUrl(newVerifier())}&redirect_uri=https://evil.example`;
    expect((await openConsent(url)).response.status).toBe(400);
  });

  test('a program on loopback takes the port that is free', async () => {
    const redirect = 'http://127.0.0.1:51234/callback';
    const { response } = await openConsent(client.authorizeUrl(newVerifier(), { redirect_uri: redirect }));
    expect(response.status).toBe(200);
  });

  test.each([
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge: undefined }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
    [{ scope: 'admin' }, 'invalid_scope'],
    [{ resource: 'https://evil.example/mcp' }, 'invalid_target'],
    [{ resource: 'http://127.0.0.1:1/mcp' }, 'invalid_target'],
  ])('%j is told to the client as %s', async (changes, error) => {
    const { response } = await openConsent(client.authorizeUrl(newVerifier(), changes));
    const back = new URL(response.headers.get('location') ?? '');
    expect(response.status).toBe(302);
    expect(back.origin).toBe('http://127.0.0.1:7777');
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error, state: 'state-1', iss: base });
  });

  test.each([
    [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['http://example.com/callback'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['https://example.com/#fragment'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['https://*.example.com/'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['/callback'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: [] }, 'invalid_redirect_uri'],
    [{ grant_types: ['password'] }, 'invalid_client_metadata'],
    [{ response_types: ['token'] }, 'invalid_client_metadata'],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
  ])('a registration with %j is refused', async (metadata, error) => {
    const { status, body } = await answered(
      post(`${base}/oauth2/register`, { redirect_uris: ['https://a.b/c'], ...metadata }),
    );
    expect([status, body.error]).toEqual([400, error]);
  });

  test.each([
    'https://example.com/callback',
    'http://localhost/callback',
    'http://[::1]:9/',
    'cursor://anysphere/callback',
  ])('a client may wait at %s', async (uri) => {
    const asking = await HandClient.register(base, { redirect_uris: [uri] });
    const { response } = await openConsent(asking.authorizeUrl(newVerifier(), { redirect_uri: uri }));
    expect(response.status).toBe(200);
  });
});

describe('tokens', () => {
  test('a code is good once: who comes second ends what the first has got', async () => {
    const verifier = newVerifier();
    const code = await client.code(verifier, { mode: 'session' });
    const first = await answered(client.exchange(code, verifier));
    expect(first.body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'mcp' });
    const token = String(first.body.access_token);
    expect((await listed(token)).status).toBe(200);
    expect(await answered(client.exchange(code, verifier))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await listed(token)).status).toBe(401);
    expect((await client.refresh(String(first.body.refresh_token))).status).toBe(400);
  });

  test('a stolen code is worth nothing without its verifier, and is not used up', async () => {
    const verifier = newVerifier();
    const code = await client.code(verifier, { mode: 'session' });
    const other = await HandClient.register(base);
    for (const attempt of [
      client.exchange(code, newVerifier()),
      client.exchange(code, ''),
      client.exchange(code, verifier, { redirect_uri: 'http://127.0.0.1:1/callback' }),
      client.exchange(code, verifier, { resource: `${base}/mcp/ref` }),
      other.exchange(code, verifier),
    ]) {
      const { status, body } = await answered(attempt);
      expect([status, body.error]).toEqual([400, expect.stringMatching(/^invalid_(grant|target)$/)]);
    }
    expect((await client.exchange(code, verifier, { resource: `${base}/mcp` })).status).toBe(200);
  });

  test('a refresh token is renewed with each use; one that comes again ends the grant', async () => {
    const first = await client.signIn({ mode: 'session' });
    const second = await answered(client.refresh(first.refresh_token));
    expect(second.status).toBe(200);
    expect(second.body.refresh_token).not.toBe(first.refresh_token);
    expect((await listed(String(second.body.access_token))).status).toBe(200);
    expect(await answered(client.refresh(first.refresh_token))).toMatchObject({ body: { error: 'invalid_grant' } });
    expect((await client.refresh(String(second.body.refresh_token))).status).toBe(400);
    expect((await listed(String(second.body.access_token))).status).toBe(401);
  });

  test('of two renewals at once one is a thief', async () => {
    const { refresh_token: token } = await client.signIn({ mode: 'session' });
    const statuses = (await Promise.all([client.refresh(token), client.refresh(token)])).map(({ status }) => status);
    expect(statuses).toContain(400);
  });

  test('a refresh token is for its client and its address alone', async () => {
    const { refresh_token: token } = await client.signIn({ mode: 'session' });
    const other = await HandClient.register(base);
    expect(await answered(other.refresh(token))).toMatchObject({ body: { error: 'invalid_grant' } });
    expect(await answered(client.refresh(token, { resource: `${base}/mcp/ref` }))).toMatchObject({
      body: { error: 'invalid_target' },
    });
    expect((await client.refresh(token, { resource: `${base}/mcp` })).status).toBe(200);
  });

  test.each(['client_secret_post', 'client_secret_basic'])(
    'H6 a client with a secret (%s) must show it',
    async (method) => {
      const secretive = await HandClient.register(base, { token_endpoint_auth_method: method });
      const secret = secretive.secret ?? '';
      const verifier = newVerifier();
      const code = await secretive.code(verifier, { mode: 'session' });
      const basic = `Basic ${Buffer.from(`${secretive.id}:${secret}`).toString('base64')}`;
      expect(await answered(secretive.exchange(code, verifier))).toMatchObject({
        status: 401,
        body: { error: 'invalid_client' },
      });
      expect((await secretive.exchange(code, verifier, { client_secret: `${secret}x` })).status).toBe(401);
      const proof = {
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: 'http://127.0.0.1:7777/callback',
      };
      const { status } = await (method === 'client_secret_basic'
        ? secretive.token(proof, { authorization: basic })
        : secretive.token({ ...proof, client_secret: secret }));
      expect(status).toBe(200);
    },
  );

  test('other grants are not given', async () => {
    expect(await answered(client.token({ grant_type: 'password' }))).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    });
  });

  test('answers with tokens are for no cache', async () => {
    const verifier = newVerifier();
    const response = await client.exchange(await client.code(verifier, { mode: 'session' }), verifier);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each(['access_token', 'refresh_token'])('a client that revokes its %s ends the grant', async (which) => {
    const tokens = await client.signIn({ mode: 'session' });
    const other = await HandClient.register(base);
    const revoke = (as: HandClient) =>
      fetch(`${base}/oauth2/revoke`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: as.id, token: String(tokens[which]) }),
      });
    expect((await revoke(other)).status).toBe(200);
    expect((await listed(tokens.access_token)).status).toBe(200);
    expect((await revoke(client)).status).toBe(200);
    expect((await listed(tokens.access_token)).status).toBe(401);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
  });
});

describe('grants', () => {
  const sessions = async (query = '') => (await answered(fetch(`${base}/api/oauth2/sessions${query}`))).body;

  test('are listed with whom they let in, and end when they are revoked', async () => {
    const asking = await HandClient.register(base, { client_name: 'Listed client' });
    const tokens = await asking.signIn({ mode: 'vk', virtual_key: ALPHA });
    const list = await sessions(`?q=listed&bf_mode=vk&virtual_key_id=vk-1`);
    expect(list).toEqual({
      sessions: [
        {
          id: expect.any(String),
          client_id: asking.id,
          client_name: 'Listed client',
          bf_mode: 'vk',
          bf_sub: 'vk-1',
          bf_sub_display: 'Alpha',
          scope: 'mcp',
          resource: `${base}/mcp`,
          created_at: expect.any(String),
        },
      ],
      count: 1,
      total_count: 1,
      limit: 50,
      offset: 0,
    });
    expect(JSON.stringify(list)).not.toContain(ALPHA);
    const [{ id }] = list.sessions as [{ id: string }];
    await asking.refresh(tokens.refresh_token);
    expect(await sessions('?q=Listed')).toMatchObject({ sessions: [{ last_used_at: expect.any(String) }] });
    const revoke = () => fetch(`${base}/api/oauth2/sessions/${id}`, { method: 'DELETE' });
    expect((await revoke()).status).toBe(204);
    const { response, status } = await listed(tokens.access_token);
    expect(status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    const again = await answered(revoke());
    expect(again).toMatchObject({ status: 404, body: { error: { message: 'session not found or already revoked' } } });
    expect(await sessions('?q=Listed')).toMatchObject({ total_count: 0 });
  });

  test.each([
    ['?bf_mode=admin', 'Invalid bf_mode parameter: must be one or more of user, vk, session'],
    ['?limit=x', 'Invalid limit parameter: must be a number'],
    ['?limit=0', 'Invalid limit parameter: must be greater than zero'],
    ['?offset=-1', 'Invalid offset parameter: must be non-negative'],
  ])('%s is refused', async (query, message) => {
    const { status, body } = await answered(fetch(`${base}/api/oauth2/sessions${query}`));
    expect([status, (body.error as JsonObject).message]).toEqual([400, message]);
  });

  test('a limit above 500 is 500', async () => {
    expect(await sessions('?limit=5000')).toMatchObject({ limit: 500 });
  });
});
