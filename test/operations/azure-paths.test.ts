import { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({ providers: { openai: keyed(`${upstream.url}/v1`) } });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

test('Azure’s SDK asks for embeddings at the deployment in its path', async () => {
  upstream.answers(json({ object: 'list', data: [{ index: 0, embedding: [1] }], model: 'e' }));
  const client = new AzureOpenAI({
    endpoint: `${gateway.url}/openai`,
    apiKey: 'theirs',
    apiVersion: '2024-10-21',
    deployment: 'openai/e',
    maxRetries: 0,
  });
  const told = await client.embeddings.create({ model: 'ignored', input: 'x', encoding_format: 'float' });
  expect(told.data).toHaveLength(1);
  expect(upstream.requests.at(-1)?.path).toBe('/v1/embeddings');
  expect(JSON.parse(upstream.requests.at(-1)?.body.toString() ?? '')).toMatchObject({ model: 'e' });
});
