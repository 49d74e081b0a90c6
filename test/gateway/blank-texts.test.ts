import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { type StrictGateway, startStrictGateway } from '../support/strict-gateway.ts';
import { objectOf } from '../support/strict-server.ts';

let strict: StrictGateway;
beforeAll(async () => {
  strict = await startStrictGateway(() => ({ text: 'fine' }));
});
afterAll(() => strict.close());

test('a text of white space, as other models write it, is left out once Claude refused it', async () => {
  const call = { type: 'tool_use', id: 'toolu_01', name: 'look', input: { a: 1 } };
  const result = { type: 'tool_result', tool_use_id: 'toolu_01', content: 'blue' };
  const body: JsonObject = {
    model: 'anthropic/claude-sonnet-4-5',
    max_tokens: 64,
    service_tier: 'auto',
    tools: [{ name: 'look', input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: [{ type: 'text', text: '\n\n' }, call] },
      { role: 'user', content: [result] },
    ],
  };
  const { anthropic } = strict.upstreams;
  const answer = await post(`${strict.gateway.url}/anthropic/v1/messages`, body);
  expect(answer.status, await answer.text()).toBe(200);
  expect(anthropic.refused).toHaveLength(1);
  const sent = objectOf(anthropic.accepted.at(-1)?.body);
  expect(sent).toMatchObject({ service_tier: 'auto', max_tokens: 64 });
  expect(sent.messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'hi' }] },
    { role: 'assistant', content: [call] },
    { role: 'user', content: [result] },
  ]);
});
