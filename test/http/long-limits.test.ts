import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleep } from '../../src/router/backoff.ts';
import { chat, messages } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { type Answer, json, startUpstream, type Upstream } from '../support/upstream.ts';
import { wireAnswers } from '../support/wire-answers.ts';

// Limits that are longer than a timer can wait (2^31 ms, about 25 days), which Node takes for 1 ms.

let upstream: Upstream;
let gateway: Gateway;

const MONTH_S = 30 * 24 * 3_600;

const at = (baseUrl: string, seconds: number) => ({
  ...keyed(baseUrl),
  network_config: {
    base_url: baseUrl,
    default_request_timeout_in_seconds: seconds,
    max_retries: 1,
    retry_backoff_initial: 1,
    retry_backoff_max: '30d',
  },
});

beforeAll(async () => {
  upstream = await startUpstream();
  const [url, openAi] = [upstream.url, `${upstream.url}/v1`];
  gateway = await startGatewayHere({
    framework: { pricing: { pricing_sync_interval: 10 * MONTH_S } },
    providers: {
      openai: at(openAi, MONTH_S),
      groq: at(openAi, 1e300),
      anthropic: at(url, MONTH_S),
      gemini: at(url, MONTH_S),
      bedrock: at(url, MONTH_S),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const late =
  (answer: Answer): Answer =>
  async (response, request) => {
    await new Promise((next) => setTimeout(next, 60));
    await answer(response, request);
  };

const wholeOf = (format: string): object => wireAnswers.find((wire) => wire.format === format)?.whole ?? {};

test.each([
  ['openai/m', 'openai-chat'],
  ['groq/m', 'openai-chat'],
  ['anthropic/m', 'anthropic-messages'],
  ['gemini/m', 'gemini'],
  ['bedrock/amazon.nova-pro-v1:0', 'bedrock-converse'],
])('a provider whose time limit no timer can hold has its time: %s', async (model, format) => {
  upstream.answers(late(json(wholeOf(format))));
  const answer = await post(`${gateway.url}${chat.path}`, chat.question(model));
  expect([answer.status, chat.textOf(await answer.json())]).toEqual([200, 'fine']);
});

test('other operations have it too', async () => {
  upstream.answers(late(json({ object: 'list', data: [], model: 'm', usage: { prompt_tokens: 1, total_tokens: 1 } })));
  const answer = await post(`${gateway.url}/v1/embeddings`, { model: 'openai/m', input: 'x' });
  expect(answer.status).toBe(200);
});

test('counting tokens too', async () => {
  upstream.answers(late(json({ input_tokens: 7 })));
  const { model, messages: said } = messages.question('anthropic/m') as { model: string; messages: unknown };
  const answer = await post(`${gateway.url}/anthropic/v1/messages/count_tokens`, { model, messages: said });
  expect(await answer.json()).toMatchObject({ input_tokens: 7 });
});

test('a pause before a retry that no timer can hold does not end at once', async () => {
  const stopped = new AbortController();
  const pause = sleep(40 * 24 * 3_600_000, stopped.signal).then(
    () => 'over',
    () => 'stopped',
  );
  const first = await Promise.race([pause, new Promise((next) => setTimeout(next, 60, 'still waiting'))]);
  stopped.abort();
  expect([first, await pause]).toEqual(['still waiting', 'stopped']);
});
