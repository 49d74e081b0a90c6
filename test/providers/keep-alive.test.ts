import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { provider as providerSchema } from '../../src/config/provider-section.ts';
import { createNetwork, type Network } from '../../src/providers/fetch.ts';
import { createProviders } from '../../src/providers/registry.ts';

let network: Network;
let server: Server;
let url: string;
let sockets: Socket[];

beforeEach(async () => {
  network = createNetwork();
  sockets = [];
  server = createServer((_request, response) => void response.end('{}'));
  server.on('connection', (socket) => sockets.push(socket));
  // what it offers is more than the client takes: ten minutes
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await network.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const targetWith = (network_config: object) => {
  const settings = providerSchema.parse({
    keys: [{ name: 'k', value: 'sk', models: ['*'] }],
    network_config: { base_url: url, ...network_config },
  });
  const provider = createProviders({ openai: settings }).byName.get('openai');
  const [key] = provider?.keys ?? [];
  if (!provider || !key) throw new Error('no provider was made');
  return provider.upstreamOf(key);
};

test('a connection is closed once it had no request for keep_alive_timeout_in_seconds, whatever the server offers', async () => {
  const fetch = network.fetchWith(targetWith({ keep_alive_timeout_in_seconds: 0.05 }));
  await (await fetch(url)).text();
  const [first] = sockets;
  if (first && !first.closed) await once(first, 'close');
  await (await fetch(url)).text();
  expect(sockets).toHaveLength(2);
});

test('one that is asked again in time is used again', async () => {
  const fetch = network.fetchWith(targetWith({ keep_alive_timeout_in_seconds: 60 }));
  for (let turn = 0; turn < 3; turn++) await (await fetch(url)).text();
  expect(sockets).toHaveLength(1);
});

test.each([{ keep_alive_timeout_in_seconds: 0 }, { keep_alive_timeout_in_seconds: '30s' }, { enforce_http2: 'yes' }])(
  '%j is refused with its place',
  (network_config) => {
    const [field = ''] = Object.keys(network_config);
    expect(providerSchema.safeParse({ network_config }).error?.issues[0]?.path).toEqual(['network_config', field]);
  },
);

test('nothing is said to the network where neither is set', () => {
  const target = targetWith({});
  expect(target).not.toHaveProperty('keepAliveMs');
  expect(target).not.toHaveProperty('http2');
});
