import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import type { Loss } from '../../src/model/loss.ts';
import { eventsOf, foldAll } from '../../src/model/response.ts';
import { cases, type RecordedResponse } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';

const FORMATS = Object.keys(codecs) as CodecId[];

const ENDPOINTS: Partial<Record<CodecId, string>> = {
  'anthropic-messages': 'anthropic.messages',
  gemini: 'gemini.generate',
  'openai-chat': 'openai.chat',
  'openai-responses': 'openai.responses',
};

function eventsIn(codec: CodecId, { sse, body }: RecordedResponse): readonly StreamEvent[] {
  if (body) return eventsOf(codecs[codec].decodeResponse(body));
  const reader = createSseReader();
  const decoder = codecs[codec].decodeStream();
  const wire = [...reader.push(Buffer.from(sse ?? '')), ...reader.end()];
  return [...wire.flatMap((event) => [...decoder.push(event)]), ...decoder.end()];
}

function told(events: readonly StreamEvent[], client: CodecId): { written: string; losses: readonly Loss[] } {
  const account = new AnswerAccount(client);
  for (const event of events) account.see(event);
  const body = codecs[client].encodeResponse(foldAll(structuredClone(events)), { model: 'm', createdAtMs: 0 });
  return { written: everyText(body).join('\n'), losses: account.losses };
}

/** Every text of a body, that of JSON inside of strings too. */
function everyText(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(everyText);
  if (isObject(value)) return Object.values(value).flatMap(everyText);
  if (typeof value !== 'string') return value === undefined || value === null ? [] : [String(value)];
  const inside = /^[[{]/.test(value) ? parsed(value) : undefined;
  return inside === undefined ? [value] : [value, ...everyText(inside)];
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

interface Said {
  readonly path: readonly string[];
  /** The kinds of the objects around it. */
  readonly kinds: readonly string[];
  readonly text: string;
}

/** Long texts, and where they stand: what an answer says. Words of a few letters say how it is built. */
function textsOf(value: JsonValue | undefined, path: readonly string[] = [], kinds: readonly string[] = []): Said[] {
  if (Array.isArray(value)) return value.flatMap((item) => textsOf(item, path, kinds));
  if (isObject(value)) {
    const within = typeof value.type === 'string' ? [...kinds, value.type] : kinds;
    return Object.entries(value).flatMap(([key, member]) => textsOf(member, [...path, key], within));
  }
  return typeof value === 'string' && value.trim().length > 20 ? [{ path, kinds, text: value.trim() }] : [];
}

/** Around the content: names of the exchange, and what a Responses answer repeats of its request. */
const ENVELOPE = new Set(
  [
    'id',
    'responseId',
    'modelVersion',
    'model',
    'createTime',
    'instructions',
    'tools',
    'text',
    'prompt_cache_key',
  ].concat([
    'previous_response_id',
    'reasoning',
    'metadata',
    'user',
    'safety_identifier',
    'tool_choice',
    'response',
    'name',
  ]),
);

/** What the answer says that its client is not told and no entry names. */
function silent(answer: JsonObject, events: readonly StreamEvent[], client: CodecId): string[] {
  const { written, losses } = told(events, client);
  const named = new Set(losses.map(({ field }) => field.split('.').at(-1) ?? ''));
  // a block that is left out is named by its kind, and all that stands in it goes with it
  const blocks = new Set(losses.map(({ reason }) => /^"(.*)" exists only/.exec(reason)?.[1] ?? ''));
  return textsOf(answer).flatMap(({ path, kinds, text }) => {
    const isEnvelope = ENVELOPE.has(path[0] ?? '') || path.at(-1) === 'id' || path.at(-1)?.endsWith('_id') === true;
    const isNamed = path.some((member) => named.has(member));
    const isInBlock = [...kinds, ...path].some((kind) => blocks.has(kind));
    const isTold = written.includes(text) || everyText(parsed(text)).every((piece) => written.includes(piece));
    return isEnvelope || isNamed || isInBlock || isTold ? [] : [`${path.join('.')} = ${text.slice(0, 60)}`];
  });
}

describe.runIf(shared)('every recorded answer', () => {
  for (const provider of FORMATS.filter((format) => ENDPOINTS[format])) {
    const answers = cases({ endpoint: ENDPOINTS[provider] ?? '' }).filter(({ status }) => status === 200);
    test.each(FORMATS.filter((format) => format !== provider))(
      `of ${provider} loses nothing in silence for %s`,
      (client) => {
        const found = answers.flatMap(({ id, response }) => {
          let events: readonly StreamEvent[];
          try {
            events = eventsIn(provider, response);
          } catch {
            // an error that comes as a stream, or a cut one: told as such
            return [];
          }
          const said =
            response.body ?? codecs[provider].encodeResponse(foldAll(structuredClone(events)), { model: 'm' });
          return silent(said, events, client).map((line) => `${id}: ${line}`);
        });
        expect(found).toEqual([]);
      },
    );
  }
});

const CITED: JsonObject = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [
    { type: 'thinking', thinking: 'I know a source.', signature: 'c2lnbmVkIGJ5IGNsYXVkZQ==' },
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'the height of it' } },
    { type: 'text', text: 'It is 10 m.', citations: [{ type: 'web_search_result_location', url: 'https://a.test' }] },
  ],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2 },
};

const SCORED: JsonObject = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  system_fingerprint: 'fp_1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'yes', refusal: null, annotations: [] },
      logprobs: { content: [{ token: 'yes', logprob: -0.1, bytes: null, top_logprobs: [] }], refusal: null },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

test.each<[CodecId, CodecId, JsonObject, string[]]>([
  ['anthropic-messages', 'openai-chat', CITED, ['content.*.signature', 'content.*', 'content.*.citations']],
  ['openai-chat', 'anthropic-messages', SCORED, ['system_fingerprint', 'choices.logprobs']],
  ['openai-chat', 'gemini', SCORED, ['system_fingerprint', 'choices.logprobs']],
])('an answer of %s names what %s has no words for', (provider, client, body, fields) => {
  const events = eventsOf(codecs[provider].decodeResponse(body));
  expect(told(events, client).losses.map(({ field }) => field)).toEqual(fields.map((field) => `answer.${field}`));
  expect(told(events, provider).losses).toEqual([]);
});
