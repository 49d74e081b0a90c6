import { afterEach, describe, expect, test } from 'vitest';
import type { McpClients } from '../../src/mcp/clients.ts';
import { certificate } from '../support/certificate.ts';
import { callOf, clientConfig, firstText, startedClients } from '../support/mcp-clients.ts';
import { startHttpServer } from '../support/mcp-servers/http.mjs';
import { startTlsFront } from '../support/tls-front.ts';

const start = startedClients();
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** The address of the test server behind TLS. */
async function secured(options = {}): Promise<string> {
  const server = await startHttpServer();
  const front = await startTlsFront(server.port, options);
  opened.push(server, front);
  return `https://127.0.0.1:${front.port}`;
}

const settings = (url: string, tls: object | undefined, path = '/mcp') =>
  clientConfig({
    name: 'web',
    client_id: 'web-id',
    connection_type: path === '/sse' ? 'sse' : 'http',
    connection_string: `${url}${path}`,
    ...(tls && { tls_config: tls }),
  });

const echoed = async (clients: McpClients) => firstText(await clients.call(callOf('web-echo', { value: 'safe' })));
const failure = (clients: McpClients) => String(clients.statuses()[0]?.lastFailure?.message);

describe('a server whose certificate no usual authority signed', () => {
  test.each(['/mcp', '/sse'])('is not trusted by itself: %s', async (path) => {
    const { clients } = await start([settings(await secured(), undefined, path)]);
    expect(clients.catalog.tools).toEqual([]);
    expect(failure(clients)).toMatch(/self[- ]signed certificate/);
  });

  test.each([
    ['ca_cert_pem', '/mcp', { ca_cert_pem: certificate.cert }],
    ['ca_cert_pem', '/sse', { ca_cert_pem: certificate.cert }],
    ['insecure_skip_verify', '/mcp', { insecure_skip_verify: true }],
    ['insecure_skip_verify', '/sse', { insecure_skip_verify: true }],
  ])('is reached with %s at %s', async (_, path, tls) => {
    const { clients } = await start([settings(await secured(), tls, path)]);
    expect(await echoed(clients)).toBe('safe');
  });

  test('is reached with an authority from the environment', async () => {
    process.env.TEST_MCP_CA = certificate.cert;
    try {
      const { clients } = await start([settings(await secured(), { ca_cert_pem: 'env.TEST_MCP_CA' })]);
      expect(await echoed(clients)).toBe('safe');
    } finally {
      delete process.env.TEST_MCP_CA;
    }
  });

  test('is trusted by the client that was told to, and by no other', async () => {
    const url = await secured();
    const other = { ...settings(url, undefined), name: 'other', client_id: 'other-id' };
    const { clients } = await start([settings(url, { ca_cert_pem: certificate.cert }), other]);
    expect(clients.statuses().map(({ name, tools }) => [name, tools.length > 0])).toEqual([
      ['other', false],
      ['web', true],
    ]);
  });

  test('is trusted as soon as its client is changed so, and no longer when that is taken back', async () => {
    const { clients } = await start([settings(await secured(), undefined)]);
    await clients.update('web-id', { tls_config: settings('https://x', { insecure_skip_verify: true }).tls_config });
    await expect.poll(() => clients.catalog.tools.length).toBeGreaterThan(0);
    expect(await echoed(clients)).toBe('safe');
    await clients.update('web-id', { tls_config: undefined });
    await expect.poll(() => failure(clients)).toMatch(/self[- ]signed certificate/);
  });

  test('may not go by the name of another host, trusted or not', async () => {
    const server = await startHttpServer();
    const front = await startTlsFront(server.port, {}, '127.0.0.2');
    opened.push(server, front);
    const { clients } = await start([settings(`https://127.0.0.2:${front.port}`, { ca_cert_pem: certificate.cert })]);
    expect(failure(clients)).toContain("does not match certificate's altnames");
  });
});

describe('a server that asks for a certificate', () => {
  const asking = { requestCert: true, rejectUnauthorized: true, ca: certificate.cert };

  test('is shown the one of tls_config', async () => {
    const tls = { ca_cert_pem: certificate.cert, client_cert_pem: certificate.cert, client_key_pem: certificate.key };
    const { clients } = await start([settings(await secured(asking), tls)]);
    expect(await echoed(clients)).toBe('safe');
  });

  test('is not reached without one', async () => {
    const { clients } = await start([settings(await secured(asking), { ca_cert_pem: certificate.cert })]);
    expect(clients.catalog.tools).toEqual([]);
  });
});

describe('a tls_config that cannot be used', () => {
  test.each([
    ['is no certificate', { ca_cert_pem: 'not PEM' }],
    ['has a key that is none', { client_cert_pem: certificate.cert, client_key_pem: 'not PEM' }],
  ])('%s: the client says so and shows nothing of it', async (_, tls) => {
    const { clients } = await start([settings('https://127.0.0.1:1', tls)]);
    expect(failure(clients)).toContain('tls_config cannot be used');
    expect(failure(clients)).not.toContain('not PEM');
  });

  test('has a certificate without its key', () => {
    expect(() => settings('https://x', { client_cert_pem: certificate.cert })).toThrow('go together');
  });
});
