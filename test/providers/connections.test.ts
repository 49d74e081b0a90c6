import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { provider as providerSchema } from '../../src/config/provider-section.ts';
import type { GatewayError } from '../../src/model/errors.ts';
import type { NetworkOptions } from '../../src/providers/connections.ts';
import { createNetwork, type Network } from '../../src/providers/fetch.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { certificate } from '../support/certificate.ts';

interface Proxy {
  readonly url: string;
  /** What it was asked for, with the credentials that came along. */
  readonly asked: string[];
  close(): Promise<void>;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const listening = (server: Server): Promise<void> => new Promise((done) => server.listen(0, '127.0.0.1', () => done()));
const closing = (server: Server): Promise<void> => new Promise((done) => server.close(() => done()));

/** Lets every CONNECT through whose credentials are right. */
async function startHttpProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createHttpServer();
  server.on('connect', (request, client: Socket) => {
    const authorization = request.headers['proxy-authorization'] ?? '';
    asked.push(`${request.url} ${Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()}`.trim());
    if (authorization && !authorization.endsWith(Buffer.from('me:right').toString('base64'))) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const target = new URL(`http://${request.url}`);
    const upstream = connect(Number(target.port), target.hostname, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => socket.destroy()));
  });
  await listening(server);
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await closing(server);
    },
  };
}

/** SOCKS 5 without authentication, IPv4 addresses only (RFC 1928). */
async function startSocksProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client.on('error', () => client.destroy()));
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', (request) => {
        const [host, port] = [[...request.subarray(4, 8)].join('.'), request.readUInt16BE(8)];
        asked.push(`${host}:${port}`);
        const upstream = connect(port, host, () => {
          client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
          upstream.pipe(client).pipe(upstream);
        });
        sockets.add(upstream.on('error', () => upstream.destroy()));
      });
    });
  });
  await listening(server);
  return {
    url: `socks5://127.0.0.1:${portOf(server)}`,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await closing(server);
    },
  };
}

const PLAIN: NetworkOptions = { maxConnections: 10, insecureSkipVerify: false };

const network: Network = createNetwork();
const plain = createHttpServer((_, response) => response.end('plain'));
const secure = createHttpsServer(certificate, (_, response) => response.end('secure'));
let httpProxy: Proxy;
let socksProxy: Proxy;

beforeAll(async () => {
  await Promise.all([listening(plain), listening(secure)]);
  [httpProxy, socksProxy] = await Promise.all([startHttpProxy(), startSocksProxy()]);
});

afterAll(async () => {
  await network.close();
  await Promise.all([httpProxy.close(), socksProxy.close(), closing(plain), closing(secure)]);
});

const plainUrl = () => `http://127.0.0.1:${portOf(plain)}/x`;
const secureUrl = () => `https://127.0.0.1:${portOf(secure)}/x`;

async function got(url: string, options: Partial<NetworkOptions>): Promise<string> {
  const response = await network.fetchWith({ ...PLAIN, ...options })(url);
  return response.text();
}
const refusal = (url: string, options: Partial<NetworkOptions>): Promise<GatewayError> =>
  got(url, options).then(
    () => Promise.reject(new Error('it was let through')),
    (thrown: GatewayError) => thrown,
  );

describe('certificates', () => {
  test('of nobody known are refused, with what to do', async () => {
    expect((await refusal(secureUrl(), {})).message).toContain('its certificate is self-signed');
  });

  test('are trusted when ca_cert_pem holds who signed them', async () => {
    expect(await got(secureUrl(), { caCertPem: certificate.cert })).toBe('secure');
  });

  test('are not looked at when told so', async () => {
    expect(await got(secureUrl(), { insecureSkipVerify: true })).toBe('secure');
  });
});

describe('a proxy', () => {
  test.each([
    ['http', plainUrl],
    ['https', secureUrl],
  ])('is asked to connect to %s servers', async (_, url) => {
    const proxy = { type: 'url', url: httpProxy.url } as const;
    expect(await got(url(), { proxy, caCertPem: certificate.cert })).toMatch(/plain|secure/);
    expect(httpProxy.asked.at(-1)).toBe(new URL(url()).host);
  });

  test('is shown name and password', async () => {
    const proxy = { type: 'url', url: httpProxy.url, username: 'me', password: 'right' } as const;
    expect(await got(plainUrl(), { proxy })).toBe('plain');
    expect(httpProxy.asked.at(-1)).toBe(`${new URL(plainUrl()).host} me:right`);
  });

  test('that refuses is named as the one who did', async () => {
    const proxy = { type: 'url', url: httpProxy.url, username: 'me', password: 'wrong-one' } as const;
    const { message } = await refusal(plainUrl(), { proxy });
    expect(message).toContain('the proxy answered 407; check proxy_config, its username and password');
    expect(message).not.toContain('wrong-one');
  });

  test('may speak SOCKS 5', async () => {
    const proxy = { type: 'url', url: socksProxy.url } as const;
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      expect(await got(plainUrl(), { proxy })).toBe('plain');
      // undici's notice that its SOCKS is young is expected once, and no other
      expect(warn.mock.calls.filter(([text]) => !String(text).startsWith('SOCKS5 proxy support'))).toEqual([]);
    } finally {
      warn.mockRestore();
    }
    expect(socksProxy.asked).toEqual([new URL(plainUrl()).host]);
  });

  test('may stand in the environment, with exceptions', async () => {
    const before = httpProxy.asked.length;
    process.env.HTTP_PROXY = httpProxy.url;
    try {
      expect(await got(plainUrl(), { maxConnections: 11, proxy: { type: 'environment' } })).toBe('plain');
      expect(httpProxy.asked).toHaveLength(before + 1);
      process.env.NO_PROXY = '127.0.0.1';
      expect(await got(plainUrl(), { maxConnections: 12, proxy: { type: 'environment' } })).toBe('plain');
      expect(httpProxy.asked).toHaveLength(before + 1);
    } finally {
      delete process.env.HTTP_PROXY;
      delete process.env.NO_PROXY;
    }
  });
});

describe('the configuration', () => {
  const targetOf = (settings: object) => {
    const parsed = providerSchema.parse({ keys: [{ name: 'k', value: 'sk' }], ...settings });
    const provider = createProviders({ openai: parsed }).byName.get('openai');
    const [key] = provider?.keys ?? [];
    if (!provider || !key) throw new Error('no key');
    return provider.upstreamOf(key);
  };

  test.each([
    [
      { type: 'http', url: 'http://proxy:3128', username: 'me', password: 'p' },
      { type: 'url', url: 'http://proxy:3128', username: 'me', password: 'p' },
    ],
    [
      { type: 'http', url: 'proxy:3128' },
      { type: 'url', url: 'http://proxy:3128' },
    ],
    [
      { type: 'socks5', url: 'proxy:1080' },
      { type: 'url', url: 'socks5://proxy:1080' },
    ],
    [{ type: 'environment' }, { type: 'environment' }],
    [{ type: 'none', url: 'http://proxy:3128' }, undefined],
    [{}, undefined],
  ])('proxy_config %j', (proxy_config, expected) => {
    expect(targetOf({ proxy_config }).proxy).toEqual(expected);
  });

  test('ca_cert_pem', () => {
    expect(targetOf({ network_config: { ca_cert_pem: 'PEM' } }).caCertPem).toBe('PEM');
  });

  test('a proxy without an address is refused', () => {
    expect(() => providerSchema.parse({ proxy_config: { type: 'http' } })).toThrow('write the address of the proxy');
  });
});
