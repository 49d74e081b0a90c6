import { expect, test } from 'vitest';
import { mcpClient } from '../../src/config/schema.ts';
import { samplingAnswers } from '../../src/gateway/sampling.ts';
import type { ModelCall } from '../../src/model/call.ts';
import type { ChatRequest } from '../../src/model/request.ts';

const config = mcpClient.parse({
  name: 'asker',
  connection_type: 'http',
  connection_string: 'http://127.0.0.1/mcp',
  sampling: { enabled: true, model: 'openai/gpt-4o', max_depth: 2, max_tokens: 50 },
});

const { signal } = new AbortController();
const origin = () => ({ caller: { forwardHeaders: {} }, signal });
const params = (maxTokens: number) => ({
  maxTokens,
  messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }],
});

function answers() {
  const requests: ChatRequest[] = [];
  const call: ModelCall = async function* (request) {
    requests.push(request);
    yield { events: [] };
  };
  return { answer: samplingAnswers(call, () => 'id'), requests };
}

test('one tool call gets as many completions as max_depth says, and another one its own', async () => {
  const { answer, requests } = answers();
  const first = origin();
  await answer(config, params(10), first, signal);
  await answer(config, params(10), first, signal);
  await expect(answer(config, params(10), first, signal)).rejects.toMatchObject({
    code: -1,
    message: 'one tool call of MCP client asker gets 2 completions (sampling.max_depth), no more',
  });
  await answer(config, params(10), origin(), signal);
  expect(requests).toHaveLength(3);
});

test('max_tokens bounds what a server asks for, and no more than it asks for is given', async () => {
  const { answer, requests } = answers();
  await answer(config, params(10), origin(), signal);
  await answer(config, params(1_000), origin(), signal);
  expect(requests.map(({ settings }) => settings.maxOutputTokens)).toEqual([10, 50]);
});
