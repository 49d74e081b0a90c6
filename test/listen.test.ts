import { createServer } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
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
