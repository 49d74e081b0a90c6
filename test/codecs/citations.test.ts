import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { type ChatResponse, eventsOf, foldAll } from '../../src/model/response.ts';

// Pages that an answer rests on, told by one format's means to clients of another.

const page = {
  type: 'web_search_result_location',
  url: 'https://a.test',
  title: 'A',
  cited_text: 'x',
  encrypted_index: 'e',
};
const CLAUDE: JsonObject = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [
    { type: 'text', text: 'So: ' },
    {
      type: 'text',
      text: 'it is 10 m.',
      citations: [page, { type: 'char_location', document_index: 0, cited_text: 'y' }],
    },
  ],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2 },
};

const OPENAI: JsonObject = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt',
  output: [
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [
        { type: 'output_text', text: 'So: ', annotations: [] },
        {
          type: 'output_text',
          text: 'it is 10 m.',
          annotations: [{ type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 11 }],
        },
      ],
    },
  ],
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
};

/** Its places count bytes: the sign before the number has three. */
const GEMINI: JsonObject = {
  candidates: [
    {
      content: { role: 'model', parts: [{ text: 'So→ it is 10 m.' }] },
      finishReason: 'STOP',
      index: 0,
      groundingMetadata: {
        groundingChunks: [{ web: { uri: 'https://a.test', title: 'A' } }],
        groundingSupports: [
          { segment: { startIndex: 6, endIndex: 17, text: 'it is 10 m.' }, groundingChunkIndices: [0] },
        ],
      },
    },
  ],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 },
};

const inChat = [
  { type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A', start_index: 4, end_index: 15 } },
];
const inResponses = [{ type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 11 }];

/** What the events of a stream add up to, by the codec's own reader. */
function streamed(client: CodecId, events: readonly StreamEvent[]): ChatResponse {
  const encode = codecs[client].encodeStream({ model: 'm', createdAtMs: 1, asked: { body: {} } });
  const text = events.map(encode).join('');
  const decoder = codecs[client].decodeStream();
  const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, one = '']) => one);
  return foldAll([...data.flatMap((one) => [...decoder.push({ data: one })]), ...decoder.end()]);
}

/** Every list under this name in an answer. */
function listsOf(name: string, value: JsonValue | undefined): JsonValue[] {
  if (Array.isArray(value)) return value.flatMap((inner) => listsOf(name, inner));
  if (!isObject(value)) return [];
  const own = value[name];
  const inside = Object.values(value).flatMap((inner) => listsOf(name, inner));
  return [...(Array.isArray(own) ? own : []), ...inside];
}

const CASES: readonly [from: CodecId, answer: JsonObject, to: CodecId, annotations: JsonObject[]][] = [
  ['anthropic-messages', CLAUDE, 'openai-chat', inChat],
  ['anthropic-messages', CLAUDE, 'openai-responses', inResponses],
  ['openai-responses', OPENAI, 'openai-chat', inChat],
  ['gemini', GEMINI, 'openai-chat', inChat],
];

describe('pages that an answer rests on', () => {
  test.each(CASES)('of %s, whole', (from, answer, to, annotations) => {
    const response = codecs[from].decodeResponse(answer, { foreign: true });
    const body = codecs[to].encodeResponse(response, { model: 'm', asked: { body: {} } });
    expect(listsOf('annotations', body)).toEqual(annotations);
  });

  test.each(CASES)('of %s, streamed', (from, answer, to, annotations) => {
    const events = eventsOf(codecs[from].decodeResponse(answer, { foreign: true }));
    const read = codecs[to].encodeResponse(streamed(to, events), { model: 'm', asked: { body: {} } });
    expect(listsOf('annotations', read)).toEqual(annotations);
  });

  test.each(CASES)('of %s are told as rewritten', (from, answer, to) => {
    const account = new AnswerAccount(to);
    for (const event of eventsOf(codecs[from].decodeResponse(answer, { foreign: true }))) account.see(event);
    expect(account.losses.filter(({ field }) => /citations|annotations|grounding/.test(field))).toEqual([
      { field: expect.any(String), action: 'rewritten', reason: expect.stringContaining('annotations') },
    ]);
  });

  test.each<[CodecId, JsonObject, CodecId]>([
    ['openai-responses', OPENAI, 'anthropic-messages'],
    ['gemini', GEMINI, 'anthropic-messages'],
    ['anthropic-messages', CLAUDE, 'gemini'],
  ])('of %s have no place that all clients of the other take, and are told as dropped', (from, answer, to) => {
    const account = new AnswerAccount(to);
    for (const event of eventsOf(codecs[from].decodeResponse(answer, { foreign: true }))) account.see(event);
    expect(account.losses).toContainEqual(
      expect.objectContaining({ field: expect.stringMatching(/citations|annotations|grounding/), action: 'dropped' }),
    );
  });
});
