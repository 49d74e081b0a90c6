import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';
import { objectOf, objectsOf, type StrictRequest, textOf } from '../support/strict-server.ts';

// MCP servers' tools have long names, which Claude takes (128 characters) and neither OpenAI nor Gemini (64).

const LONG = `mcp__issue_tracker_of_the_whole_company__${'find_issues_by_their_labels_'.repeat(2)}v2`;
const SCHEMA: JsonObject = { type: 'object', properties: { label: { type: 'string' } }, required: ['label'] };
const FUNCTION: JsonObject = { name: LONG, description: 'Finds issues.', parameters: SCHEMA };

/** The first tool's name as the provider was given it. */
function firstName({ body }: StrictRequest): string {
  const [tool] = objectsOf(body.tools);
  const [declared] = objectsOf(tool?.functionDeclarations);
  return textOf(objectOf(declared ?? tool?.function ?? tool).name);
}

/** The names of calls that an earlier turn holds, wherever its format has them. */
function calledIn(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(calledIn);
  if (!isObject(value)) return [];
  const { functionCall, tool_calls: calls, type, name } = value;
  if (functionCall) return [textOf(objectOf(functionCall).name)];
  if (type === 'function_call') return [textOf(name)];
  return [...objectsOf(calls).map((call) => textOf(objectOf(call.function).name)), ...calledIn(value.parts)];
}

const chat = (stream: boolean): JsonObject => ({
  model: 'openai/gpt-4o',
  stream,
  messages: [
    { role: 'user', content: 'which are open?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: LONG, arguments: '{"label":"open"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'none' },
  ],
  tools: [{ type: 'function', function: FUNCTION }],
  tool_choice: { type: 'function', function: { name: LONG } },
  user: 'kept as it came',
});

const responses = (stream: boolean): JsonObject => ({
  model: 'openai/gpt-4o',
  stream,
  store: false,
  input: [
    { role: 'user', content: 'which are open?' },
    { type: 'function_call', call_id: 'call_1', name: LONG, arguments: '{"label":"open"}' },
    { type: 'function_call_output', call_id: 'call_1', output: 'none' },
  ],
  tools: [{ type: 'function', ...FUNCTION, strict: false }],
  tool_choice: { type: 'function', name: LONG },
  user: 'kept as it came',
});

const contents = (): JsonObject => ({
  contents: [
    { role: 'user', parts: [{ text: 'which are open?' }] },
    {
      role: 'model',
      parts: [{ functionCall: { name: LONG, args: { label: 'open' } } }],
    },
    { role: 'user', parts: [{ functionResponse: { name: LONG, response: { output: 'none' } } }] },
  ],
  tools: [{ functionDeclarations: [FUNCTION] }],
});

const gemini = (stream: boolean): string =>
  `/genai/v1beta/models/gemini/gemini-2.5-pro:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;

const CLIENTS: readonly [name: string, provider: StrictName, path: (stream: boolean) => string, typeof chat][] = [
  ['Chat Completions', 'openai', () => '/v1/chat/completions', chat],
  ['Responses', 'openai', () => '/v1/responses', responses],
  ['Gemini', 'gemini', gemini, contents],
];

describe('names of tools that a provider of the client’s own format would refuse', () => {
  let strict: StrictGateway;
  beforeAll(async () => {
    strict = await startStrictGateway((_name, request) => ({
      calls: [{ name: firstName(request), input: { label: 'closed' } }],
    }));
  });
  afterAll(() => strict.close());

  const cases = CLIENTS.flatMap((client) => [true, false].map((stream) => [...client, stream] as const));
  test.each(cases)('of a client of %s at %s are cut for it, and are whole for the client', async (...given) => {
    const [, provider, path, ask, stream] = given;
    const upstream = strict.upstreams[provider];
    const answer = await post(`${strict.gateway.url}${path(stream)}`, ask(stream));
    const text = await answer.text();
    expect([answer.status, upstream.refused.splice(0)]).toEqual([200, []]);

    const request = upstream.accepted.at(-1);
    if (!request) throw new Error('the provider was asked nothing');
    const wire = firstName(request);
    expect(wire.length).toBeLessThanOrEqual(64);
    expect(calledIn(request.body.messages ?? request.body.input ?? request.body.contents)).toEqual([wire]);
    expect(text).toContain(LONG);
    expect(text).not.toContain(wire);
  });
});
