import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { strictAnthropic } from '../support/strict-anthropic.ts';
import { strictDeepSeek } from '../support/strict-deepseek.ts';
import { strictGemini } from '../support/strict-gemini.ts';
import {
  objectsOf,
  type StrictAnswer,
  type StrictApi,
  type StrictUpstream,
  startStrict,
  textOf,
} from '../support/strict-server.ts';

const CALLING: StrictAnswer = { thinking: 'Hm.', calls: [{ name: 'lookup', input: { a: 1 } }] };
const TOOL = { name: 'lookup', description: 'Looks up.', input_schema: { type: 'object', properties: {} } };

/** A maker whose servers speak Anthropic's format and sign in their own way. */
const kimi: StrictApi = {
  ...strictAnthropic,
  rules: [],
  whole: (answer, request, count) => {
    const body = strictAnthropic.whole(answer, request, count);
    return JSON.parse(JSON.stringify(body).replace(/"signature":"[^"]*"/, '"signature":"kimis-own"'));
  },
};

let claude: StrictUpstream;
let moonshot: StrictUpstream;
let gemini: StrictUpstream;
let deepseek: StrictUpstream;
let gateway: Gateway;

beforeEach(async () => {
  claude = await startStrict(strictAnthropic, () => CALLING);
  moonshot = await startStrict(kimi, () => CALLING);
  gemini = await startStrict(strictGemini, () => CALLING);
  deepseek = await startStrict(strictDeepSeek, () => CALLING);
  gateway = await startGatewayHere({
    providers: {
      anthropic: keyed(claude.url),
      moonshot: { ...keyed(moonshot.url), custom_provider_config: { base_provider_type: 'anthropic' } },
      gemini: keyed(`${gemini.url}/v1beta`),
      deepseek: keyed(`${deepseek.url}/v1`),
      dead: { ...keyed('http://127.0.0.1:9/v1'), custom_provider_config: { base_provider_type: 'openai' } },
    },
  });
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([claude, moonshot, gemini, deepseek].map((upstream) => upstream.close()));
});

const body = (model: string, messages: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  model,
  max_tokens: 4_000,
  thinking: { type: 'enabled', budget_tokens: 1_024 },
  tools: [TOOL],
  messages: [...messages],
  ...more,
});

async function ask(given: JsonObject | string): Promise<JsonObject[]> {
  const answer = await post(`${gateway.url}/anthropic/v1/messages`, given);
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return objectsOf(JSON.parse(text).content);
}

const USER: JsonObject = { role: 'user', content: 'What is it?' };

/** The conversation with an answer and the results of its calls. */
const continued = (content: readonly JsonObject[]): JsonObject[] => [
  USER,
  { role: 'assistant', content: [...content] },
  {
    role: 'user',
    content: content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'Blue.' })),
  },
];

const lastTurn = ({ accepted }: StrictUpstream): JsonObject[] =>
  objectsOf(objectsOf(accepted.at(-1)?.body.messages)[1]?.content);

describe('a history in the format of its provider', () => {
  test('D8 travels byte for byte while it carries its own state, with odd spacing and unknown order', async () => {
    const content = await ask(body('anthropic/claude-sonnet-4-5', [USER]));
    const odd = JSON.stringify(body('anthropic/claude-sonnet-4-5', continued(content)), null, 3);
    await ask(odd);
    expect(claude.accepted.at(-1)?.body).toEqual({ ...JSON.parse(odd), model: 'claude-sonnet-4-5' });
    expect(claude.refused).toEqual([]);
  });

  test('D6 gets its thinking back when the client dropped it', async () => {
    const content = await ask(body('anthropic/claude-sonnet-4-5', [USER]));
    await ask(body('anthropic/claude-sonnet-4-5', continued(content.slice(1))));
    expect(lastTurn(claude)).toEqual(content);
    expect(claude.refused).toEqual([]);
  });

  test('D7 loses signatures of another maker that speaks the same format', async () => {
    const content = await ask(body('moonshot/kimi-k2-thinking', [USER]));
    expect(content[0]).toMatchObject({ type: 'thinking', signature: 'kimis-own' });
    await ask(body('anthropic/claude-sonnet-4-5', continued(content)));
    expect(claude.refused).toEqual([]);
    expect(lastTurn(claude).map(({ type }) => type)).toEqual(['tool_use']);
    expect(claude.accepted.at(-1)?.body.thinking).toBeUndefined();
  });

  test('D9 is asked again without thinking that the provider refuses and nobody here knows', async () => {
    const made = [
      { type: 'thinking', thinking: 'Old.', signature: 'from-another-day' },
      { type: 'tool_use', id: 'toolu_01unknown1', name: 'lookup', input: {} },
    ];
    await ask(body('anthropic/claude-sonnet-4-5', continued(made)));
    expect(claude.refused).toEqual(['messages.1.content.0: Invalid `signature` in `thinking` block']);
    expect(lastTurn(claude).map(({ type }) => type)).toEqual(['tool_use']);
  });

  test('D16 does without thinking while a turn of tools that began without it goes on', async () => {
    const made = [{ type: 'tool_use', id: 'toolu_01unknown2', name: 'lookup', input: {} }];
    await ask(body('anthropic/claude-sonnet-4-5', continued(made)));
    expect(claude.refused).toEqual([]);
    expect(claude.accepted.at(-1)?.body.thinking).toBeUndefined();
    await ask(body('anthropic/claude-sonnet-4-5', [...continued(made), { role: 'assistant', content: 'Blue.' }, USER]));
    expect(claude.accepted.at(-1)?.body.thinking).toEqual({ type: 'enabled', budget_tokens: 1_024 });
  });

  test('D3 of a Gemini client gets the skip marker for calls that no Gemini made', async () => {
    const contents = [
      { role: 'user', parts: [{ text: 'What is it?' }] },
      { role: 'model', parts: [{ functionCall: { id: 'foreign-call-1', name: 'lookup', args: {} } }] },
      {
        role: 'user',
        parts: [{ functionResponse: { id: 'foreign-call-1', name: 'lookup', response: { output: 'Blue.' } } }],
      },
    ];
    const answer = await post(`${gateway.url}/genai/v1beta/models/gemini/gemini-3-pro-preview:generateContent`, {
      contents,
    });
    expect([answer.status, gemini.refused]).toEqual([200, []]);
    expect(JSON.stringify(gemini.accepted[0]?.body)).toContain('skip_thought_signature_validator');
  });

  test('D6 of a chat client holds thinking where DeepSeek wants some and nobody knows it', async () => {
    const messages = [
      { role: 'user', content: 'What is it?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_foreign0001', type: 'function', function: { name: 'lookup', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_foreign0001', content: 'Blue.' },
    ];
    const answer = await post(`${gateway.url}/v1/chat/completions`, { model: 'deepseek/deepseek-reasoner', messages });
    expect([answer.status, deepseek.refused]).toEqual([200, []]);
    expect(objectsOf(deepseek.accepted[0]?.body.messages)[1]).toMatchObject({ reasoning_content: '' });
  });
});

test('B18 D7 a fallback to another family gets a history of its own', async () => {
  const content = await ask(body('anthropic/claude-sonnet-4-5', [USER]));
  const next = body('dead/model', continued(content), {
    fallbacks: ['gemini/gemini-3-pro-preview', 'anthropic/claude-sonnet-4-5'],
  });
  await ask(next);
  const sent = JSON.stringify(gemini.accepted.at(-1)?.body);
  expect(sent).toContain('skip_thought_signature_validator');
  expect(sent).not.toContain(textOf(content[0]?.signature));
  expect(gemini.refused).toEqual([]);
});

test('what was put back, and what was left out, stands in the ledger', async () => {
  const content = await ask(body('anthropic/claude-sonnet-4-5', [USER]));
  const chat = {
    model: 'anthropic/claude-sonnet-4-5',
    tools: [{ type: 'function', function: { name: 'lookup', parameters: { type: 'object', properties: {} } } }],
    messages: [
      { role: 'user', content: 'What is it?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: content[1]?.id, type: 'function', function: { name: 'lookup', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: content[1]?.id, content: 'Blue.' },
    ],
  };
  const answer = await post(`${gateway.url}/v1/chat/completions`, chat);
  expect(await answer.text()).toContain('what the model left for itself in this turn was missing');
  expect(lastTurn(claude)[0]).toEqual(content[0]);
});
