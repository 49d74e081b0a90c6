import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ClientDocuments, isDocumentUrl } from '../../../src/http/oauth/client-documents.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { certificate } from '../../support/certificate.ts';
import { HandClient, newVerifier, openConsent } from '../../support/consent.ts';
import { post, startGatewayHere, testServer } from '../../support/gateway.ts';
import { startGateway } from '../../support/gateway-process.ts';
import { until } from '../../support/mcp-clients.ts';
import { startTlsFront, type TlsFront } from '../../support/tls-front.ts';

const BACK = 'http://127.0.0.1:7777/callback';

/** How each path is answered; the document of the client that has this address where nothing else is said. */
type Answer = (response: ServerResponse, id: string) => void;

let front: TlsFront;
let asked: IncomingMessage[] = [];
const answers = new Map<string, Answer>();
const web = createServer((request, response) => {
  asked.push(request);
  const path = request.url ?? '';
  (answers.get(path) ?? json({}))(response, `${site()}${path}`);
});

const site = (): string => `https://127.0.0.1:${front.port}`;

/** A good document, but for these members. */
const json =
  (changes: object, headers: Record<string, string> = {}): Answer =>
  (response, id) => {
    const document = { client_id: id, client_name: 'By address', redirect_uris: [BACK], ...changes };
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(document));
  };

beforeAll(async () => {
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  // listening on TCP
  front = await startTlsFront((web.address() as AddressInfo).port);
});
afterAll(async () => {
  await front.close();
  web.closeAllConnections();
  await new Promise((resolve) => web.close(resolve));
});
beforeEach(() => {
  asked = [];
  answers.clear();
});

describe('a client id is the address of a document', () => {
  test.each([
    'https://example.com/client.json',
    'https://example.com:8443/oauth/client',
    'https://vscode.dev/oauth/client-metadata.json',
  ])('%s', (id) => expect(isDocumentUrl(id)).toBe(true));

  test.each([
    ['of another scheme', 'http://example.com/client.json'],
    ['of no path', 'https://example.com'],
    ['of an empty path', 'https://example.com/'],
    ['with a fragment', 'https://example.com/client.json#a'],
    ['with an empty fragment', 'https://example.com/client.json#'],
    ['with a query', 'https://example.com/client.json?a=b'],
    ['with a user name', 'https://me@example.com/client.json'],
    ['with a password', 'https://me:secret@example.com/client.json'],
    ['with dot segments', 'https://example.com/a/../client.json'],
    ['with encoded dot segments', 'https://example.com/a/%2e%2e/client.json'],
    ['in another spelling', 'https://EXAMPLE.com/client.json'],
    ['that is none', 'https://'],
    ['of a client that registered', '6a1f4a30-7e4d-4b3e-9f07-0a2f9d0b6c11'],
  ])('not one %s', (_, id) => expect(isDocumentUrl(id)).toBe(false));
});

describe('documents', () => {
  let nowMs = 1_000_000;
  let documents: ClientDocuments;
  const open = (allowPrivate: boolean, timeoutMs = 5_000) =>
    new ClientDocuments({
      rules: { allowPrivate, allowedHosts: [] },
      trust: { secureContext: createSecureContext({ ca: certificate.cert }), rejectUnauthorized: true },
      now: () => nowMs,
      timeoutMs,
    });
  beforeEach(() => {
    nowMs = 1_000_000;
    documents = open(true);
  });
  afterEach(() => documents.close());
  const read = (path: string) => documents.client(`${site()}${path}`);

  test('say what others register; redirects that nobody may be sent to are left out', async () => {
    answers.set('/client', json({ redirect_uris: [BACK, 'http://evil.example/x', 'cursor://back'], logo_uri: 'x' }));
    expect(await read('/client')).toMatchObject({
      clientId: `${site()}/client`,
      name: 'By address',
      redirectUris: [BACK, 'cursor://back'],
      authMethod: 'none',
      secretHash: null,
    });
  });

  test.each<[string, Answer, RegExp]>([
    ['that is of another client', json({ client_id: 'https://example.com/other' }), /client_id is another address/],
    ['without redirects', json({ redirect_uris: [] }), /redirect_uris/],
    ['with bad redirects only', json({ redirect_uris: ['javascript:alert(1)'] }), /redirect URI must not use/],
    ['with a secret', json({ client_secret: 'shared' }), /client_secret/],
    ['of a client with a secret', json({ token_endpoint_auth_method: 'client_secret_post' }), /must be "none"/],
    ['of a client with a key', json({ token_endpoint_auth_method: 'private_key_jwt' }), /must be "none"/],
    ['for another flow', json({ grant_types: ['client_credentials'] }), /grant_types/],
    ['too long', json({ padding: 'x'.repeat(20_000) }), /more than 16384 bytes/],
    ['that is a page', json({}, { 'content-type': 'text/html' }), /not JSON/],
    ['that is no JSON', (response) => response.setHeader('content-type', 'application/json').end('{'), /no JSON/],
    ['that is gone', (response) => response.writeHead(404).end(), /answered 404/],
    [
      'that is elsewhere',
      (response) => response.writeHead(302, { location: `${site()}/elsewhere` }).end(),
      /answered 302/,
    ],
    ['of a broken server', (response) => response.destroy(), /was not reached/],
  ])('%s are refused, and asked for again the next time', async (_, answer, why) => {
    answers.set('/client', answer);
    await expect(read('/client')).rejects.toMatchObject({
      code: 'invalid_client',
      message: expect.stringMatching(why),
    });
    expect(asked.map(({ url }) => url)).toEqual(['/client']);
    answers.set('/client', json({}));
    expect((await read('/client')).name).toBe('By address');
  });

  test('that never end are given up', async () => {
    const hasty = open(true, 50);
    answers.set('/client', (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    });
    await expect(hasty.client(`${site()}/client`)).rejects.toThrow(/took too long/);
    await hasty.close();
  });

  test('on private networks are not asked for', async () => {
    const guarded = open(false);
    await expect(guarded.client(`${site()}/client`)).rejects.toThrow(/private network/);
    await expect(guarded.client(`https://localhost:${front.port}/client`)).rejects.toThrow(/private network/);
    expect(asked).toEqual([]);
    await guarded.close();
  });

  test.each([
    ['15 minutes where nothing is said', {}, 15 * 60],
    ['as long as their server says', { 'cache-control': 'public, max-age=120' }, 120],
    ['a minute at least', { 'cache-control': 'no-store' }, 60],
    ['a day at most', { 'cache-control': 'max-age=99999999' }, 24 * 60 * 60],
  ])('are kept %s', async (_, headers: Record<string, string>, seconds) => {
    answers.set('/client', json({}, headers));
    await read('/client');
    nowMs += seconds * 1_000 - 1;
    await read('/client');
    expect(asked).toHaveLength(1);
    nowMs += 1;
    await read('/client');
    expect(asked).toHaveLength(2);
  });

  test('are asked for once by many at once, and eight of them at a time', async () => {
    const held: (() => void)[] = [];
    const client = json({});
    const holding: Answer = (response, id) => void held.push(() => client(response, id));
    for (let index = 0; index < 9; index += 1) answers.set(`/${index}`, holding);
    const same = [read('/0'), read('/0')];
    const others = [1, 2, 3, 4, 5, 6, 7].map((index) => read(`/${index}`));
    await expect(read('/8')).rejects.toMatchObject({ code: 'temporarily_unavailable', status: 503 });
    await until(() => held.length === 8);
    for (const give of held) give();
    const [first, second] = await Promise.all(same);
    expect(first).toBe(second);
    await Promise.all(others);
  });
});

describe('signing in without registering', () => {
  const config = (settings: object) => ({
    version: 2,
    providers: {},
    client: { mcp_server_auth_mode: 'oauth', oauth2_server_config: { client_metadata_documents: settings } },
    mcp: { client_configs: [testServer('ref')] },
  });

  test('a client is let in by the address of its document, goes on without it, and is sent nowhere else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-ca-'));
    const authority = join(folder, 'ca.pem');
    writeFileSync(authority, certificate.cert);
    const allowed = [`127.0.0.1:${front.port}`];
    const gateway = await startGateway(config({ allowed_hosts: allowed }), { NODE_EXTRA_CA_CERTS: authority });
    try {
      const metadata = await answer(fetch(`${gateway.url}/.well-known/oauth-authorization-server`));
      expect(metadata).toMatchObject({ client_id_metadata_document_supported: true });
      const client = HandClient.known(gateway.url, `${site()}/apps/client.json`);
      const { response, html } = await openConsent(client.authorizeUrl(newVerifier()));
      expect(response.status).toBe(200);
      expect(html).toContain(`published at <strong>127.0.0.1:${front.port}</strong>`);

      const { access_token: token, refresh_token: refresh } = await client.signIn({ mode: 'session' });
      expect(await status(gateway.url, token)).toBe(200);
      const loopback = await openConsent(
        client.authorizeUrl(newVerifier(), { redirect_uri: BACK.replace('7777', '1') }),
      );
      expect(loopback.response.status).toBe(200);
      const astray = await openConsent(client.authorizeUrl(newVerifier(), { redirect_uri: `${BACK}/more` }));
      expect([astray.response.status, astray.response.headers.get('location')]).toEqual([400, null]);
      expect(asked).toHaveLength(1);

      answers.set('/apps/client.json', (gone) => gone.writeHead(410).end());
      const renewed = await answer(client.refresh(refresh));
      expect(await status(gateway.url, String(renewed.access_token))).toBe(200);
      const sessions = await answer(fetch(`${gateway.url}/api/oauth2/sessions`));
      expect(sessions.sessions).toMatchObject([{ client_id: client.id, client_name: 'By address' }]);
      const another = HandClient.known(gateway.url, `${site()}/apps/another.json`);
      expect((await another.refresh(String(renewed.refresh_token))).status).toBe(400);
    } finally {
      await gateway.stop();
      rmSync(folder, { recursive: true });
    }
  });

  test('nothing on a private network is asked for unless the config lets it be', async () => {
    const gateway = await startGatewayHere(config({}));
    try {
      const client = HandClient.known(gateway.url, `${site()}/apps/client.json`);
      const { response, html } = await openConsent(client.authorizeUrl(newVerifier()));
      expect(response.status).toBe(400);
      expect(html).toContain('private network');
      expect(asked).toEqual([]);
    } finally {
      await gateway.stop();
    }
  });

  test('switched off, it is not announced, and an address is a client like any other that has not registered', async () => {
    const gateway = await startGatewayHere(config({ enabled: false, allow_private_addresses: true }));
    try {
      const metadata = await answer(fetch(`${gateway.url}/.well-known/oauth-authorization-server`));
      expect(metadata.client_id_metadata_document_supported).toBe(false);
      const client = HandClient.known(gateway.url, `${site()}/apps/client.json`);
      expect((await openConsent(client.authorizeUrl(newVerifier()))).html).toContain('not registered');
      expect((await client.refresh('anything')).status).toBe(401);
      expect(asked).toEqual([]);
    } finally {
      await gateway.stop();
    }
  });
});

const answer = async (asked: Promise<Response>): Promise<JsonObject> => JSON.parse(await (await asked).text());

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
const status = async (base: string, token: string): Promise<number> =>
  (await post(`${base}/mcp`, LIST, { authorization: `Bearer ${token}` })).status;
