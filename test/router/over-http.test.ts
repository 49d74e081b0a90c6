import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRouter } from '../../src/router/router.ts';
import { contextOf, heard, openScene, requestOf, type Scene } from '../providers/scene.ts';
import { hangUp, json, sse, startUpstream, type Upstream } from '../support/upstream.ts';
import { configured, keys } from './fixtures.ts';

let scene: Scene;
let first: Upstream;
let second: Upstream;

beforeEach(async () => {
  scene = openScene();
  first = await startUpstream();
  second = await startUpstream();
});

afterEach(async () => {
  await scene.close();
  await first.close();
  await second.close();
});

const event = (data: { type: string; [field: string]: unknown }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const messageStart = event({
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'x',
    content: [],
    usage: { input_tokens: 1, output_tokens: 1 },
  },
});
const overloaded = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
const chunk = (choices: unknown[], more = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'x', choices, ...more })}\n\n`;
const chatStream = [
  chunk([{ index: 0, delta: { role: 'assistant', content: 'hello' }, finish_reason: null }]),
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  chunk([], { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }),
  'data: [DONE]\n\n',
];

async function ask(maxRetries = 0) {
  const settings = {
    anthropic: { keys: keys('a', 'b'), network_config: { base_url: first.url, max_retries: maxRetries } },
    openai: { keys: keys('c'), network_config: { base_url: second.url } },
  };
  const router = createRouter({
    providers: configured(settings),
    call: scene.call,
    random: () => 0,
    sleep: async () => undefined,
  });
  const body = {
    model: 'anthropic/claude-sonnet-4-5',
    max_tokens: 10,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
    fallbacks: ['openai/gpt-4o'],
  };
  const context = contextOf('anthropic-messages');
  context.trace.attempts.length = 0;
  const result = await heard(router(requestOf('anthropic-messages', body), context));
  return { ...result, attempts: context.trace.attempts };
}

test('C7 an overloaded provider that had begun its stream is replaced before the client sees anything', async () => {
  first.answers(sse([messageStart, overloaded]));
  second.answers(sse(chatStream));
  const { response, error, attempts } = await ask();
  expect(error).toBeUndefined();
  expect(response.parts).toMatchObject([{ type: 'text', text: 'hello' }]);
  expect(attempts.map(({ provider, fallbackIndex }) => [provider, fallbackIndex])).toEqual([
    ['anthropic', 0],
    ['openai', 1],
  ]);
});

test('B18 E10 each attempt starts from the request as it came, without what is for the gateway only', async () => {
  first.answers(hangUp);
  second.answers(sse(chatStream));
  await ask();
  expect(JSON.parse(first.requests[0]?.body.toString() ?? '')).toEqual({
    model: 'claude-sonnet-4-5',
    max_tokens: 10,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
  });
  const sent = JSON.parse(second.requests[0]?.body.toString() ?? '');
  expect(sent).toMatchObject({ model: 'gpt-4o', stream: true });
  expect(sent).not.toHaveProperty('fallbacks');
});

test('a rate limit moves to the other key, and then to the other provider', async () => {
  const limited = json({ type: 'error', error: { type: 'rate_limit_error', message: 'slow' } }, { status: 429 });
  first.answers(limited, limited);
  second.answers(sse(chatStream));
  await ask(1);
  expect(first.requests.map(({ headers }) => headers['x-api-key'])).toEqual(['sk-a', 'sk-b']);
});

test('a stream that is cut behind its first content is not begun again', async () => {
  const begun = event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
  first.answers(sse([messageStart, begun], 'cut'));
  const { bytes, error, attempts } = await ask(3);
  expect(bytes).toBe(messageStart + begun);
  expect(error).toMatchObject({ kind: 'network' });
  expect(attempts).toHaveLength(1);
});
