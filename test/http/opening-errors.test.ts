import { afterAll, beforeAll, expect, test } from 'vitest';
import { chat, messages } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { sse, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const custom = { base_provider_type: 'openai', allowed_requests: { responses: true, responses_stream: true } };
  gateway = await startGatewayHere({
    providers: {
      anthropic: keyed(upstream.url),
      responder: { ...keyed(upstream.url), custom_provider_config: custom },
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const START = `event: message_start\ndata: ${JSON.stringify({
  type: 'message_start',
  message: { id: 'm', type: 'message', role: 'assistant', model: 'c', content: [], usage: { input_tokens: 1 } },
})}\n\n`;
const OVERLOADED = `event: error\ndata: ${JSON.stringify({
  type: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded' },
})}\n\n`;

test('F14 an error that opens a stream reaches a client of the same format as it came', async () => {
  upstream.answers(sse([START + OVERLOADED]));
  const answer = await post(`${gateway.url}${messages.path}`, messages.question('anthropic/c', { stream: true }));
  expect([answer.status, await answer.text()]).toEqual([200, START + OVERLOADED]);
});

test('C7 a client of another format gets its status instead', async () => {
  upstream.answers(sse([START + OVERLOADED]));
  const answer = await post(`${gateway.url}${chat.path}`, chat.question('anthropic/c', { stream: true }));
  expect(answer.status).toBeGreaterThan(499);
  expect(chat.errorOf(await answer.json()).message).toContain('Overloaded');
});

test('a custom provider that allows nothing but responses is asked in that API by clients of any format', async () => {
  const response = {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    model: 'r',
    output: [
      {
        id: 'm1',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'good', annotations: [] }],
      },
      { id: 'c1', type: 'custom_tool_call', call_id: 'call_1', name: 'note', input: 'free text' },
    ],
    usage: { input_tokens: 3, output_tokens: 2 },
  };
  upstream.answers(
    (out) => void out.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response)),
  );
  const answer = await post(`${gateway.url}${chat.path}`, chat.question('responder/r'));
  expect(upstream.requests.at(-1)?.path).toBe('/v1/responses');
  expect(await answer.json()).toMatchObject({
    choices: [
      {
        finish_reason: 'tool_calls',
        message: {
          content: 'good',
          tool_calls: [{ id: 'call_1', function: { name: 'note', arguments: '{"input":"free text"}' } }],
        },
      },
    ],
  });
});
