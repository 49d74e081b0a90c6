import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { type Running, serve } from '../../../src/serve.ts';
import { HandClient, newVerifier } from '../../support/consent.ts';
import { post } from '../../support/gateway.ts';
import { startHttpServer } from '../../support/mcp-servers/http.mjs';

let appDir: string;
const lines: string[] = [];
const running: Running[] = [];

beforeEach(() => {
  appDir = mkdtempSync(join(tmpdir(), 'bifrost-grants-'));
  lines.length = 0;
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  rmSync(appDir, { recursive: true });
});

async function started(config: object, port = 0): Promise<Running> {
  writeFileSync(join(appDir, 'config.json'), JSON.stringify({ version: 2, providers: {}, ...config }));
  const log = (level: string, message: string, fields: object = {}) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const options = { appDir, host: '127.0.0.1', port, logLevel: 'debug', logStyle: 'json' } as const;
  const one = await serve(options, '0', { log, print: (text) => void lines.push(text), flush: () => {} }, { env: {} });
  running.push(one);
  return one;
}

async function stopped(): Promise<void> {
  for (const one of running.splice(0)) await one.stop();
}

const KEY = 'sk-bf-kept';
const SIGN_IN = {
  client: { mcp_server_auth_mode: 'both', enforce_auth_on_inference: true },
  governance: { virtual_keys: [{ id: 'vk-1', name: 'Alpha', value: KEY }] },
};

const listed = async (base: string, token: string): Promise<number> => {
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  return (await post(`${base}/mcp`, list, { authorization: `Bearer ${token}` })).status;
};

/** Everything of the app-dir but the config file, as it stands on the disk. */
const disk = (): string =>
  readdirSync(appDir)
    .filter((name) => name !== 'config.json' && statSync(join(appDir, name)).isFile())
    .map((name) => readFileSync(join(appDir, name), 'latin1'))
    .join('\n');

describe.each([undefined, 'a passphrase'])('with the encryption key %j', (key) => {
  const config = { ...SIGN_IN, ...(key !== undefined && { encryption_key: key }) };

  test('tokens and grants outlive a restart, and no secret of anybody is kept or logged', async () => {
    const first = await started(config);
    const client = await HandClient.register(first.url, { token_endpoint_auth_method: 'client_secret_post' });
    const secret = client.secret ?? '';
    const verifier = newVerifier();
    const code = await client.code(verifier, { mode: 'vk', virtual_key: KEY });
    const tokens = JSON.parse(await (await client.exchange(code, verifier, { client_secret: secret })).text());
    await stopped();
    const [kept, said] = [disk(), lines.join('\n')];
    for (const hidden of [secret, tokens.access_token, tokens.refresh_token, code, KEY]) {
      expect(kept).not.toContain(hidden);
      expect(said).not.toContain(hidden);
    }
    expect(kept.includes('PRIVATE KEY')).toBe(key === undefined);
    expect(said).not.toContain('PRIVATE KEY');
    expect(statSync(join(appDir, 'config.db')).mode & 0o077).toBe(0);

    const second = await started(config, Number(new URL(first.url).port));
    expect(await listed(second.url, tokens.access_token)).toBe(200);
    expect((await client.refresh(tokens.refresh_token, { client_secret: secret })).status).toBe(200);
    expect((await client.refresh(tokens.refresh_token, { client_secret: secret })).status).toBe(400);
    await stopped();

    const third = await started(config, Number(new URL(first.url).port));
    expect(await listed(third.url, tokens.access_token)).toBe(401);
  });
});

test('another encryption key stops the start, and says so', async () => {
  await started({ ...SIGN_IN, encryption_key: 'one' });
  await stopped();
  const failure = await started({ ...SIGN_IN, encryption_key: 'two' }).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(ConfigError);
  expect(String(failure)).toContain('encrypted with another key');
});

test('what was kept in plain text is encrypted once there is a key', async () => {
  await started(SIGN_IN);
  await stopped();
  expect(disk()).toContain('PRIVATE KEY');
  const first = await started({ ...SIGN_IN, encryption_key: 'one' });
  const client = await HandClient.register(first.url);
  const { access_token: token } = await client.signIn({ mode: 'vk', virtual_key: KEY });
  expect(await listed(first.url, token)).toBe(200);
});

test('a grant does not outlive its key: gone, inactive, or of a kind that is refused', async () => {
  const first = await started(SIGN_IN);
  const port = Number(new URL(first.url).port);
  const client = await HandClient.register(first.url);
  const tokens = await client.signIn({ mode: 'vk', virtual_key: KEY });
  await stopped();
  const other = [{ id: 'vk-9', name: 'Other', value: 'sk-bf-other' }];
  const inactive = [{ ...SIGN_IN.governance.virtual_keys[0], is_active: false }];
  const noKeys = { client: { mcp_server_auth_mode: 'oauth', oauth2_server_config: { disable_vk_identity: true } } };
  for (const [changes, status] of [
    [{ governance: { virtual_keys: other } }, 401],
    [{ governance: { virtual_keys: inactive } }, 403],
    [noKeys, 401],
  ] as const) {
    const { url } = await started({ ...SIGN_IN, ...changes }, port);
    expect(await listed(url, tokens.access_token)).toBe(status);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
    await stopped();
  }
  const again = await started(SIGN_IN, port);
  expect(await listed(again.url, tokens.access_token)).toBe(200);
});

test('who has to say who they are cannot sign in as nobody, nor go on as such', async () => {
  const open = { ...SIGN_IN, client: { mcp_server_auth_mode: 'oauth' } };
  const first = await started(open);
  const port = Number(new URL(first.url).port);
  const client = await HandClient.register(first.url);
  const tokens = await client.signIn({ mode: 'session' });
  expect(await listed(first.url, tokens.access_token)).toBe(200);
  await stopped();
  const second = await started(SIGN_IN, port);
  expect(await listed(second.url, tokens.access_token)).toBe(401);
  expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
  await expect(client.signIn({ mode: 'session' })).rejects.toThrow('this cannot be chosen');
});

test('issuer_url is who the gateway is, however it was reached', async () => {
  const oauth2_server_config = { issuer_url: 'https://mcp.example.com/', access_token_ttl: 60 };
  const { url } = await started({ ...SIGN_IN, client: { mcp_server_auth_mode: 'oauth', oauth2_server_config } });
  const answered = async (path: string) => JSON.parse(await (await fetch(`${url}${path}`)).text());
  expect(await answered('/.well-known/oauth-protected-resource/mcp')).toMatchObject({
    resource: 'https://mcp.example.com/mcp',
    authorization_servers: ['https://mcp.example.com'],
  });
  expect(await answered('/.well-known/oauth-authorization-server')).toMatchObject({
    issuer: 'https://mcp.example.com',
    token_endpoint: 'https://mcp.example.com/oauth2/token',
  });
  const refused = await post(`${url}/mcp`, {});
  expect(refused.headers.get('www-authenticate')).toContain('resource_metadata="https://mcp.example.com/.well-known/');
});

test('H7 in headers mode every path of OAuth is a plain 404 in JSON', async () => {
  const { url } = await started({});
  const paths = ['protected-resource/mcp', 'protected-resource', 'authorization-server', 'authorization-server/mcp'];
  const asked = [
    ...paths.map((path) => fetch(`${url}/.well-known/oauth-${path}`)),
    fetch(`${url}/.well-known/openid-configuration`),
    fetch(`${url}/.well-known/jwks.json`),
    fetch(`${url}/oauth2/authorize`),
    post(`${url}/oauth2/register`, {}),
    post(`${url}/oauth2/token`, {}),
    post(`${url}/register`, {}),
  ];
  for (const response of await Promise.all(asked)) {
    expect([response.status, response.headers.get('content-type')]).toEqual([404, expect.stringContaining('json')]);
    await response.body?.cancel();
  }
  expect((await post(`${url}/mcp`, { jsonrpc: '2.0', id: 1, method: 'tools/list' })).status).toBe(200);
});

test('neither a token nor a virtual key reaches a server behind the gateway, whatever its config lets through', async () => {
  const upstream = await startHttpServer({ json: true });
  const mcp = {
    client_configs: [
      {
        name: 'seen',
        connection_type: 'http',
        connection_string: `http://127.0.0.1:${upstream.port}/mcp`,
        tools_to_execute: ['*'],
        allowed_extra_headers: ['*'],
        allow_by_default: true,
      },
    ],
  };
  const { url } = await started({ ...SIGN_IN, mcp });
  const client = await HandClient.register(url);
  const { access_token: token } = await client.signIn({ mode: 'vk', virtual_key: KEY });
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'seen-echo', arguments: { text: 'hi' } },
  };
  const shown = [
    { authorization: `Bearer ${token}`, 'x-mine': 'yes' },
    { authorization: `Bearer ${KEY}`, 'x-mine': 'yes' },
    { 'x-bf-vk': KEY, 'x-mine': 'yes' },
    { 'x-api-key': KEY, 'x-mine': 'yes' },
    { 'api-key': KEY, 'x-mine': 'yes' },
  ];
  for (const headers of shown) expect((await post(`${url}/mcp`, call, headers)).status).toBe(200);
  const calls = upstream.requests.filter(({ rpc }) => rpc === 'tools/call');
  expect(calls.map(({ headers }) => headers['x-mine'])).toEqual(shown.map(() => 'yes'));
  const sent = JSON.stringify(upstream.requests.map(({ headers }) => headers));
  for (const hidden of [token, KEY]) expect(sent).not.toContain(hidden);
  await upstream.close();
});
