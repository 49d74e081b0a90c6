import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listen, StartError } from '../src/listen.ts';

const opened: Server[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await new Promise((closed) => server.close(closed));
});

const app = () => createServer((_request, response) => response.end('here'));

async function listening(host: string, port = 0): Promise<number> {
  const servers = await listen(app(), host, port);
  opened.push(...servers);
  const address = servers[0]?.address();
  if (typeof address === 'object' && address) return address.port;
  throw new Error(`no port: ${address}`);
}

const hasIpv6 = await listen(app(), '::1', 0).then(
  ([server]) => new Promise<boolean>((resolve) => server?.close(() => resolve(true))),
  () => false,
);

test('localhost is both loopback addresses, because clients may try either first', async () => {
  const port = await listening('localhost');
  for (const host of ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])]) {
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('here');
  }
});

test.runIf(hasIpv6)('localhost is refused where another program has one of them, and none stays open', async () => {
  const port = await listening('::1');
  await expect(listen(app(), 'localhost', port)).rejects.toThrow(/in use by another program/);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test.each([
  ['no.such.host.invalid', 0, /no address of this machine|cannot listen on no\.such\.host\.invalid/],
  ['192.0.2.1', 0, /192\.0\.2\.1 is no address of this machine; choose one with -host localhost/],
])('%s cannot be listened at, and the message says what can', async (host, port, message) => {
  const failed = await listen(app(), host, port).catch((thrown: unknown) => thrown);
  expect(failed).toBeInstanceOf(StartError);
  expect(String(failed)).toMatch(message);
});
