import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { ChatResponse } from '../../src/model/response.ts';
import { NO_USAGE } from '../../src/model/usage.ts';
import { type ConverseUpstream, startConverseUpstream } from '../support/converse-upstream.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';
import { objectOf, objectsOf } from '../support/strict-server.ts';
import { converseClient, type WalkingClient, walkingClients } from '../support/walking-clients.ts';

// A model reaches the limit of its output in the middle of a call. The client cannot run it, says something else, and
// sends the call back as it came.

const CUT = '{"path":"/tmp/a","text":"an unfini';

const answer: ChatResponse = {
  id: 'a1',
  model: 'm',
  parts: [
    { type: 'text', text: 'I write it.' },
    { type: 'tool-call', id: 'call_0123456789abcdef', name: 'write', input: CUT },
  ],
  reason: { kind: 'length' },
  usage: NO_USAGE,
};

interface Told {
  readonly input: unknown;
  readonly result: string;
}

const parsed = (text: unknown): unknown => JSON.parse(String(text));
const textIn = (content: unknown): string => (typeof content === 'string' ? content : JSON.stringify(content ?? ''));

/** The one call of a body, its arguments as the API reads them, and what is told of its result. */
const READ: Readonly<Record<CodecId, (body: JsonObject) => Told>> = {
  'openai-chat': ({ messages }) => {
    const [call] = objectsOf(messages).flatMap(({ tool_calls: calls }) => objectsOf(calls));
    const result = objectsOf(messages).find(({ tool_call_id: id }) => id === call?.id);
    return { input: parsed(objectOf(call?.function).arguments), result: textIn(result?.content) };
  },
  'openai-responses': ({ input }) => {
    const call = objectsOf(input).find(({ type }) => type === 'function_call');
    const result = objectsOf(input).find(
      ({ type, call_id: id }) => type === 'function_call_output' && id === call?.call_id,
    );
    return { input: parsed(call?.arguments), result: textIn(result?.output) };
  },
  'anthropic-messages': ({ messages }) => {
    const blocks = objectsOf(messages).flatMap(({ content }) => objectsOf(content));
    const call = blocks.find(({ type }) => type === 'tool_use');
    const result = blocks.find(({ tool_use_id: id }) => id !== undefined && id === call?.id);
    expect(result?.is_error).toBe(true);
    return { input: call?.input, result: textIn(result?.content) };
  },
  gemini: ({ contents }) => {
    const parts = objectsOf(contents).flatMap((content) => objectsOf(content.parts));
    const call = objectOf(parts.find(({ functionCall }) => functionCall)?.functionCall);
    const result = objectOf(parts.find(({ functionResponse }) => functionResponse)?.functionResponse);
    expect(result.name).toBe(call.name);
    return { input: call.args, result: textIn(objectOf(result.response).error) };
  },
  'bedrock-converse': ({ messages }) => {
    const blocks = objectsOf(messages).flatMap(({ content }) => objectsOf(content));
    const call = objectOf(blocks.find(({ toolUse }) => toolUse)?.toolUse);
    const result = objectOf(blocks.find(({ toolResult }) => toolResult)?.toolResult);
    expect([result.toolUseId, result.status]).toEqual([call.toolUseId, 'error']);
    return { input: call.input, result: textIn(result.content) };
  },
};

const FORMAT_OF: Readonly<Record<string, CodecId>> = {
  messages: 'anthropic-messages',
  chat: 'openai-chat',
  responses: 'openai-responses',
  gemini: 'gemini',
  converse: 'bedrock-converse',
};

const STRICT: readonly (readonly [StrictName, model: string, CodecId])[] = [
  ['anthropic', 'anthropic/claude-sonnet-4-5', 'anthropic-messages'],
  // it is asked in either of OpenAI's formats
  ['openai', 'openai/gpt-4.1', 'openai-chat'],
  ['openai', 'responder/gpt-4.1', 'openai-responses'],
  ['gemini', 'gemini/gemini-3-pro-preview', 'gemini'],
  ['groq', 'groq/openai/gpt-oss-120b', 'openai-chat'],
  ['deepseek', 'deepseek/deepseek-reasoner', 'openai-chat'],
];

let strict: StrictGateway;
let amazon: ConverseUpstream;
let bedrock: Gateway;

beforeAll(async () => {
  strict = await startStrictGateway(() => ({ text: 'fine' }));
  amazon = await startConverseUpstream(() => ({
    body: {
      output: { message: { role: 'assistant', content: [{ text: 'fine' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
      metrics: { latencyMs: 1 },
    },
  }));
  const key = { ...keyed(amazon.url).keys[0], bedrock_key_config: { region: 'us-east-1' } };
  bedrock = await startGatewayHere({
    client: { enable_logging: false },
    providers: { bedrock: { ...keyed(amazon.url), keys: [key] } },
  });
});
beforeEach(() => {
  for (const { accepted } of Object.values(strict.upstreams)) accepted.length = 0;
  amazon.requests.length = 0;
});
afterAll(async () => {
  await strict.close();
  await bedrock.stop();
  await amazon.close();
});

const isOwn = (own: CodecId | undefined, [name, , format]: (typeof STRICT)[number]): boolean =>
  format === own || (name === 'openai' && own === 'openai-responses');

const CLIENTS: readonly WalkingClient[] = [...walkingClients, converseClient];

async function bringsBack(client: WalkingClient, gateway: Gateway, model: string): Promise<Response> {
  const own = FORMAT_OF[client.name] ?? 'openai-chat';
  const given = codecs[own].encodeResponse(answer, { model: 'm', createdAtMs: 1, asked: { body: {} } });
  const kept = client.kept(JSON.parse(JSON.stringify(given)) as JsonObject);
  const history = [client.say('write it'), ...kept, client.say('shorter, please')];
  return post(`${gateway.url}${client.path(model, false)}`, client.body(history, model, false));
}

function expectReadable(format: CodecId, body: JsonObject): void {
  const { input, result } = READ[format](body);
  expect(input).toEqual({ arguments: CUT });
  expect(result).toContain('interrupted');
}

describe.each(CLIENTS.map((client) => [client.name, client] as const))(
  'a call that was cut, of a %s client',
  (name, client) => {
    const own = FORMAT_OF[name];

    test.each(STRICT.filter((to) => !isOwn(own, to)))('is read by %s (%s)', async (upstream, model, format) => {
      const got = await bringsBack(client, strict.gateway, model);
      expect(got.status, await got.clone().text()).toBe(200);
      const body = strict.upstreams[upstream].accepted.at(-1)?.body ?? {};
      expectReadable(format, body);
    });
  },
);

test.each(walkingClients.map((client) => [client.name, client] as const))(
  'a call that was cut, of a %s client, is read by Bedrock',
  async (_name, client) => {
    const got = await bringsBack(client, bedrock, 'bedrock/amazon.nova-pro-v1:0');
    expect(got.status, await got.clone().text()).toBe(200);
    expectReadable('bedrock-converse', JSON.parse(amazon.requests.at(-1)?.text ?? '{}') as JsonObject);
  },
);

describe('the ledger', () => {
  const [, chat, responses] = walkingClients;
  test.each([
    ['chat', chat, 'anthropic/claude-sonnet-4-5', 'messages.1.content.1.input'],
    ['chat', chat, 'responder/gpt-4.1', 'input.1.arguments'],
    ['chat', chat, 'gemini/gemini-3-pro-preview', 'contents.1.parts.1.functionCall.args'],
    ['responses', responses, 'anthropic/claude-sonnet-4-5', 'messages.1.content.1.input'],
    ['responses', responses, 'groq/openai/gpt-oss-120b', 'messages.1.tool_calls.arguments'],
  ])('tells a %s client what was rewritten', async (_name, client, model, field) => {
    if (!client) throw new Error('there is no such client');
    const got = await bringsBack(client, strict.gateway, model);
    const body = (await got.json()) as JsonObject;
    const losses = objectsOf(objectOf(body.extra_fields).losses);
    expect(losses).toContainEqual({ field, action: 'rewritten', reason: 'the arguments are not a JSON object' });
  });
});
