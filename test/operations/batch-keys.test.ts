import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      openai: {
        keys: [
          { name: 'chats', value: 'sk-chats', models: ['*'], weight: 1_000_000 },
          { name: 'batches', value: 'sk-batches', models: ['*'], weight: 0, use_for_batch_api: true },
        ],
        network_config: { base_url: `${upstream.url}/v1` },
      },
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

test.each([
  ['/v1/files?provider=openai', 'sk-batches'],
  ['/v1/batches?provider=openai', 'sk-batches'],
  ['/v1/responses/resp_1?provider=openai', 'sk-chats'],
])('%s is asked with %s', async (path, key) => {
  upstream.answers(json({ object: 'list', data: [] }));
  expect((await fetch(`${gateway.url}${path}`)).status).toBe(200);
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
});
