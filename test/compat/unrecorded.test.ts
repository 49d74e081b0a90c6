import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import type { Format, ReadFormat } from './answers.ts';
import { slipsIn } from './compare.ts';
import { ANY_ID, type Expected, FINISH_WORDS } from './expected.ts';
import { pathOf } from './replay.ts';
import { type AskSdk, sdksAt } from './sdks.ts';
import { UNRECORDED } from './unrecorded/all.ts';
import type { Said, Unrecorded } from './unrecorded/unrecorded.ts';
import { startUnrecorded, type UnrecordedUpstream, wireOf } from './unrecorded/upstream.ts';

/** The provider that answers in each format. */
const PROVIDERS: Readonly<Record<CodecId, string>> = {
  'openai-chat': 'clone',
  'openai-responses': 'responder',
  'anthropic-messages': 'anthropic',
  gemini: 'gemini',
  'bedrock-converse': 'bedrock',
};
const AT_V1 = ['ollama', 'openrouter', 'deepseek', 'groq', 'mistral', 'xai'];
const CLIENTS = Object.keys(PROVIDERS) as ReadFormat[];

let upstream: UnrecordedUpstream;
let gateway: Gateway;
let sdks: Readonly<Record<ReadFormat, AskSdk>>;

beforeAll(async () => {
  upstream = await startUnrecorded(UNRECORDED);
  const { url } = upstream;
  const custom = (allowed_requests: object) => ({
    ...keyed(url),
    custom_provider_config: { base_provider_type: 'openai', allowed_requests },
  });
  gateway = await startGatewayHere({
    client: { enable_logging: false },
    providers: {
      clone: custom({ chat_completion: true, chat_completion_stream: true }),
      responder: custom({ responses: true, responses_stream: true }),
      ...Object.fromEntries(['anthropic', 'gemini'].map((name) => [name, keyed(url)])),
      ...Object.fromEntries(AT_V1.map((name) => [name, keyed(`${url}/v1`)])),
      bedrock: {
        keys: [{ name: 'test', value: 'k', models: ['*'], weight: 1, bedrock_key_config: { region: 'us-east-1' } }],
        network_config: { base_url: url },
      },
    },
  });
  sdks = sdksAt(gateway.url);
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const modelOf = (one: Unrecorded): string =>
  `${one.provider ?? PROVIDERS[one.format]}/unrecorded-${UNRECORDED.indexOf(one)}`;

/** What a client of a format must hold in its hands. */
function expectedBy(format: ReadFormat, said: Said): Expected {
  const { text = '', refusal = '', reasoning = '', calls, kind = calls ? 'tool-calls' : 'stop', usage = {} } = said;
  const tellsApart = format === 'openai-chat' || format === 'openai-responses';
  const { reasoning: thought, ...counts } = { input: 11, output: 7, cacheRead: 0, reasoning: 0, ...usage };
  const hasPlace = format !== 'anthropic-messages' && format !== 'bedrock-converse';
  return {
    text: said.texts?.[format] ?? (tellsApart ? text : text + refusal),
    refusal: tellsApart ? refusal : '',
    reasoning,
    ...(kind !== 'length' && {
      calls: (calls ?? []).map(([name, input, id = ANY_ID]) => ({ id, name, arguments: input })),
    }),
    // told in words, a refusal is a complete answer there
    finish: format === 'openai-responses' && refusal ? 'completed' : FINISH_WORDS[format][kind],
    usage: { ...counts, ...(hasPlace && { reasoning: thought }) },
  };
}

const MODES = [true, false].flatMap((stream) => CLIENTS.map((client) => [client, stream] as const));

describe.each(UNRECORDED.map((one) => [one.format, one.what, one] as const))('of %s: %s', (format, _what, one) => {
  const { says } = one;

  test.each(MODES.filter(([client]) => client !== format))(
    'is read by the SDK of %s (stream: %s)',
    async (client, stream) => {
      const got = await sdks[client](modelOf(one), stream);
      const expected = 'fails' in says ? { failed: true as const, status: says.fails } : expectedBy(client, says);
      expect(slipsIn(expected, got)).toEqual([]);
    },
  );

  if (one.losses?.length || one.tells)
    test('leaves nothing behind in silence', async () => {
      for (const client of CLIENTS.filter((other) => other !== format)) {
        const { body, losses } = await askedPlainly(client, one);
        for (const words of one.tells?.[client] ?? []) expect(body, client).toContain(words);
        if (client !== 'openai-chat' && client !== 'openai-responses') continue;
        for (const field of one.losses ?? []) expect(losses, client).toMatch(field);
      }
    });

  if (one.chunks && format !== 'bedrock-converse')
    test('reaches clients of its own format byte for byte', async () => {
      const own = format as Format;
      const model = modelOf(one);
      const body = { ...bodyOf(own), ...(own !== 'gemini' && { model, stream: true }) };
      const answer = await post(`${gateway.url}${pathOf(own, model)}`, body);
      const got = await answer.text();
      if (answer.ok) expect(got).toBe(wireOf(one).toString());
      else expect(says).toMatchObject({ fails: answer.status });
    });
});

const HELLO = [{ role: 'user', content: 'hello' }];
const BODIES: Readonly<Record<ReadFormat, JsonObject>> = {
  'openai-chat': { messages: HELLO },
  'openai-responses': { input: 'hello' },
  'anthropic-messages': { max_tokens: 64, messages: HELLO },
  gemini: { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
  'bedrock-converse': { messages: [{ role: 'user', content: [{ text: 'hello' }] }] },
};
const bodyOf = (format: ReadFormat): JsonObject => BODIES[format];

/** A whole answer as it is written, and the fields of which the ledger speaks. */
async function askedPlainly(client: ReadFormat, one: Unrecorded): Promise<{ body: string; losses: string }> {
  const model = modelOf(one);
  const paths: Readonly<Record<ReadFormat, string>> = {
    'openai-chat': '/v1/chat/completions',
    'openai-responses': '/v1/responses',
    'anthropic-messages': '/anthropic/v1/messages',
    gemini: `/genai/v1beta/models/${model}:generateContent`,
    'bedrock-converse': `/bedrock/model/${encodeURIComponent(model)}/converse`,
  };
  const named = client === 'gemini' || client === 'bedrock-converse' ? {} : { model };
  const answer = await post(`${gateway.url}${paths[client]}`, { ...bodyOf(client), ...named });
  const body = await answer.text();
  const parsed: unknown = JSON.parse(body);
  const extra = isObject(parsed) && isObject(parsed.extra_fields) ? parsed.extra_fields : {};
  const losses = Array.isArray(extra.losses) ? extra.losses.filter(isObject) : [];
  return { body, losses: losses.map(({ field }) => field).join(' ') };
}
