import { createServer, type RequestListener, type Server } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acceptHttp2 } from '../src/http/http2.ts';
import { listen } from '../src/listen.ts';

/** What a client that speaks HTTP/2 from its first byte is answered. */
const statusAt = ({ address, port, family }: AddressInfo): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const session = connect(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
    session.on('error', reject);
    const asked = session.request({ ':path': '/' });
    asked.on('error', reject);
    asked.on('response', (headers) => resolve(headers[':status']));
    asked.on('close', () => session.close());
    asked.resume();
  });

test('localhost is every loopback address of the machine, over HTTP/1 and HTTP/2 alike', async () => {
  const server = createServer((_, response) => response.writeHead(204).end());
  acceptHttp2(server, (_, response) => response.writeHead(204).end());
  const servers = await listen(server, 'localhost', 0);
  try {
    for (const each of servers) {
      // a listening TCP server has an address
      const address = each.address() as AddressInfo;
      const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      expect((await fetch(`http://${host}:${address.port}/`)).status).toBe(204);
      expect(await statusAt(address)).toBe(204);
    }
  } finally {
    await Promise.all(servers.map((each) => new Promise((resolve) => each.close(resolve).closeAllConnections())));
  }
});

test('both addresses take headers of the same size', async () => {
  const server = createServer({ maxHeaderSize: 60_000 }, (_, response) => response.writeHead(204).end());
  const servers = await listen(server, 'localhost', 0);
  try {
    for (const each of servers) {
      // a listening TCP server has an address
      const { address, family, port } = each.address() as AddressInfo;
      const host = family === 'IPv6' ? `[${address}]` : address;
      const { status } = await fetch(`http://${host}:${port}/`, { headers: { cookie: 'c'.repeat(40_000) } });
      expect(status).toBe(204);
    }
  } finally {
    await Promise.all(servers.map((each) => new Promise((resolve) => each.close(resolve).closeAllConnections())));
  }
});

describe('a connection of HTTP/2', () => {
  let server: Server;
  let session: ClientHttp2Session;
  let answer: () => void;

  beforeEach(async () => {
    const listener: RequestListener = (_, response) => {
      answer = () => void response.writeHead(204).end();
    };
    server = createServer(listener);
    acceptHttp2(server, listener);
    server.keepAliveTimeout = 150;
    server.requestTimeout = 150;
    [server] = (await listen(server, '127.0.0.1', 0)) as [Server];
    // a listening TCP server has an address
    session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    session.on('error', () => {});
  });

  afterEach(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));

  const closed = (): Promise<boolean> => new Promise((resolve) => session.on('close', () => resolve(true)));

  test('on which nobody asks anything is closed', async () => {
    expect(await closed()).toBe(true);
  });

  test('stays while an answer is under way, however long that takes, and is closed when nothing follows it', async () => {
    const asked = session.request({ ':path': '/' }).resume();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(session.closed).toBe(false);
    const status = new Promise((resolve) => asked.on('response', (headers) => resolve(headers[':status'])));
    answer();
    expect(await status).toBe(204);
    expect(await closed()).toBe(true);
  });

  test('is closed although a request on it never ends', async () => {
    const asked = session.request({ ':method': 'POST', ':path': '/' });
    asked.on('error', () => {}).write('the first words, and no others');
    expect(await closed()).toBe(true);
  });
});
