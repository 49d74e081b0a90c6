import { describe, expect, test } from 'vitest';
import { readBody } from '../../src/codecs/body.ts';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { DeferredRequest } from '../../src/model/request.ts';

// A choice among some of the tools: every other format is offered just those, which says the same, and the ledger tells.

const SCHEMA = { type: 'object', properties: { x: { type: 'string' } } };
const NAMES = ['look', 'write', 'erase'];

const CHAT_TOOLS = NAMES.map((name) => ({ type: 'function', function: { name, parameters: SCHEMA } }));
const RESPONSES_TOOLS = NAMES.map((name) => ({ type: 'function', name, parameters: SCHEMA }));

const chat = (mode: string, names: readonly string[]): JsonObject => ({
  model: 'm',
  messages: [{ role: 'user', content: 'Hi' }],
  tools: CHAT_TOOLS,
  tool_choice: {
    type: 'allowed_tools',
    allowed_tools: { mode, tools: names.map((name) => ({ type: 'function', function: { name } })) },
  },
});

const responses = (mode: string, names: readonly string[]): JsonObject => ({
  model: 'm',
  input: 'Hi',
  tools: RESPONSES_TOOLS,
  tool_choice: { type: 'allowed_tools', mode, tools: names.map((name) => ({ type: 'function', name })) },
});

const gemini = (mode: string, names: readonly string[]): JsonObject => ({
  contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
  tools: [{ functionDeclarations: NAMES.map((name) => ({ name, parametersJsonSchema: SCHEMA })) }],
  toolConfig: { functionCallingConfig: { mode, allowedFunctionNames: [...names] } },
});

function translated(from: CodecId, to: CodecId, given: JsonObject) {
  const said = from === 'gemini' ? { model: 'm', stream: false } : undefined;
  const { head, source } = readBody(from, Buffer.from(JSON.stringify(given)), said);
  const request = new DeferredRequest(head, source, codecs[from].decodeRequest);
  return codecs[to].encodeRequest(request, { model: 'm', stream: false });
}

const offered = (body: JsonObject): string[] => {
  const text = JSON.stringify(body);
  return NAMES.filter((name) => text.includes(`"name":"${name}"`));
};

const choiceIn = ({ tool_choice: choice, toolConfig }: JsonObject): JsonValue | undefined => choice ?? toolConfig;

const SOME = ['look', 'write'];
const REQUIRED: Readonly<Record<CodecId, unknown>> = {
  'anthropic-messages': { type: 'any' },
  'bedrock-converse': undefined,
  gemini: { functionCallingConfig: { mode: 'ANY' } },
  'openai-chat': 'required',
  'openai-responses': 'required',
};
const AUTO: Readonly<Record<CodecId, unknown>> = {
  'anthropic-messages': { type: 'auto' },
  'bedrock-converse': undefined,
  gemini: { functionCallingConfig: { mode: 'AUTO' } },
  'openai-chat': 'auto',
  'openai-responses': 'auto',
};

const CASES = [
  ['openai-chat', chat('required', SOME), REQUIRED],
  ['openai-chat', chat('auto', SOME), AUTO],
  ['openai-responses', responses('required', SOME), REQUIRED],
  ['openai-responses', responses('auto', SOME), AUTO],
  ['gemini', gemini('ANY', SOME), REQUIRED],
] as const;

const pairs = CASES.flatMap(([from, body, choices]) =>
  (Object.keys(codecs) as CodecId[]).filter((to) => to !== from).map((to) => ({ from, to, body, choice: choices[to] })),
);

describe('a choice among some tools', () => {
  test.each(pairs)('$from to $to, $choice', ({ from, to, body, choice }) => {
    const { body: sent, losses } = translated(from, to, body);
    expect(offered(sent)).toEqual(SOME);
    if (choice !== undefined) expect(choiceIn(sent)).toEqual(choice);
    expect(losses).toContainEqual({ field: 'tools', action: 'dropped', reason: expect.any(String) });
  });

  test.each(CASES)('%s as it came, to a provider of its own format', (from, body) => {
    const { body: sent, losses } = translated(from, from, body);
    expect(offered(sent)).toEqual(NAMES);
    expect(choiceIn(sent)).toEqual(choiceIn(body));
    expect(losses).toEqual([]);
  });
});
