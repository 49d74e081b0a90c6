import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const at = keyed(`${upstream.url}/v1`);
  const openai_config = { disable_store: true };
  gateway = await startGatewayHere({
    providers: {
      openai: { ...at, openai_config },
      mine: { ...at, openai_config, custom_provider_config: { base_provider_type: 'openai' } },
      xai: at,
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const completion = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
};
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', output: [] };

/** The bytes that went to the provider. */
async function sent(path: string, body: object, answer: object): Promise<string> {
  upstream.answers(json(answer));
  await (await post(`${gateway.url}${path}`, body)).text();
  return upstream.requests.at(-1)?.body.toString() ?? '';
}

const chat = (model: string, more: object = {}) => ({ model, messages: [{ role: 'user', content: 'hi' }], ...more });
const asked = (model: string, more: object = {}) => ({ model, input: 'hi', ...more });

test.each<[model: string, more: object, store: boolean | undefined]>([
  ['openai/gpt-4o', {}, false],
  ['openai/gpt-4o', { store: true }, false],
  ['openai/gpt-4o', { store: null }, false],
  ['openai/gpt-4o', { store: false }, false],
])('Responses of %s with %j: store is %s', async (model, more, store) => {
  const body: JsonObject = JSON.parse(await sent('/v1/responses', asked(model, more), response));
  expect(body.store).toBe(store);
  expect(body).toMatchObject({ model: 'gpt-4o', input: 'hi' });
});

test.each<[model: string, more: object, store: boolean | undefined]>([
  ['openai/gpt-4o', {}, undefined],
  ['openai/gpt-4o', { store: true }, false],
  ['mine/m', { store: true }, false],
])('chats of %s with %j: store is %s', async (model, more, store) => {
  const body: JsonObject = JSON.parse(await sent('/v1/chat/completions', chat(model, more), completion));
  expect(body.store).toBe(store);
});

test('what would store nothing anyway travels byte for byte', async () => {
  const text = '{ "model" : "openai/gpt-4o",  "unknown":1.0, "messages":[{"role":"user","content":"hi"}] }';
  upstream.answers(json(completion));
  await (await post(`${gateway.url}/v1/chat/completions`, text)).text();
  expect(upstream.requests.at(-1)?.body.toString()).toBe(text.replace('openai/gpt-4o', 'gpt-4o'));
});

test('other providers are asked as ever', async () => {
  const body: JsonObject = JSON.parse(await sent('/v1/responses', asked('xai/m', { store: true }), response));
  expect(body.store).not.toBe(false);
});
