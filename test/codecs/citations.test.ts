import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import type { Loss } from '../../src/model/loss.ts';
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
      citations: [
        page,
        { type: 'char_location', document_index: 0, cited_text: 'y', start_char_index: 0, end_char_index: 3 },
      ],
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

/** Its annotations are for places in the whole content. */
const CHAT: JsonObject = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-search',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'So: it is 10 m.',
        refusal: null,
        annotations: [
          { type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A', start_index: 4, end_index: 15 } },
        ],
      },
      finish_reason: 'stop',
      logprobs: null,
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};

const SOURCED: JsonObject = {
  ...CHAT,
  citations: ['https://b.test', 'https://a.test'],
  search_results: [
    { title: 'A', url: 'https://a.test', date: '2026-01-01', snippet: 'ten' },
    { title: 'B', url: 'https://b.test' },
  ],
  choices: [{ index: 0, message: { role: 'assistant', content: 'It is 10 m[2], sure.[3]' }, finish_reason: 'stop' }],
};

const QUOTED = (list: string): JsonObject => ({
  candidates: [
    {
      content: { role: 'model', parts: [{ text: 'So→ it is 10 m.' }] },
      finishReason: 'STOP',
      index: 0,
      citationMetadata: {
        [list]: [{ uri: 'https://a.test', title: 'A', startIndex: 6, endIndex: 17, license: 'mit' }],
      },
    },
  ],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 },
});

const CONVERSE: JsonObject = {
  output: {
    message: {
      role: 'assistant',
      content: [
        { text: 'So: ' },
        {
          citationsContent: {
            content: [{ text: 'it is 10 m.' }],
            citations: [
              { title: 'A', location: { web: { url: 'https://a.test', domain: 'a.test' } } },
              { title: 'D', location: { documentChar: { documentIndex: 0, start: 0, end: 3 } } },
            ],
          },
        },
      ],
    },
  },
  stopReason: 'end_turn',
  usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
  metrics: { latencyMs: 1 },
};

const inChat = [
  { type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A', start_index: 4, end_index: 15 } },
];
const inResponses = [{ type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 11 }];
const inOneText = [{ type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 4, end_index: 15 }];
const inMessages = [
  { type: 'web_search_result_location', url: 'https://a.test', title: 'A', cited_text: '', encrypted_index: '' },
];
const chunks = { web: { uri: 'https://a.test', title: 'A' } };
const support = { segment: { startIndex: 4, endIndex: 15, text: 'it is 10 m.' }, groundingChunkIndices: [0] };

const inConverse = [{ title: 'A', location: { web: { url: 'https://a.test', domain: 'a.test' } } }];

/** The text names the second page at its place; on the first all of it rests. */
const sourcedInChat = [
  { type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A', start_index: 10, end_index: 13 } },
  { type: 'url_citation', url_citation: { url: 'https://b.test', title: 'B', start_index: 0, end_index: 23 } },
];
const sourcedInResponses = sourcedInChat.map(({ type, url_citation: page }) => ({ type, ...page }));
const sourcedInMessages = [
  { ...inMessages[0] },
  { type: 'web_search_result_location', url: 'https://b.test', title: 'B', cited_text: '', encrypted_index: '' },
];
const sourcedInGemini = [
  { web: { uri: 'https://a.test', title: 'A' } },
  { web: { uri: 'https://b.test', title: 'B' } },
  { segment: { startIndex: 10, endIndex: 13, text: '[2]' }, groundingChunkIndices: [0] },
  { segment: { startIndex: 0, endIndex: 23, text: 'It is 10 m[2], sure.[3]' }, groundingChunkIndices: [1] },
];
const sourcedInConverse = [
  ...inConverse,
  { title: 'B', location: { web: { url: 'https://b.test', domain: 'b.test' } } },
];

/** What the events of a stream add up to, by the codec's own reader. */
function streamed(client: CodecId, events: readonly StreamEvent[]): ChatResponse {
  const encode = codecs[client].encodeStream({ model: 'm', createdAtMs: 1, asked: { body: {} } });
  const text = events.map(encode).join('');
  const decoder = codecs[client].decodeStream();
  const wire = createSseReader().push(Buffer.from(text));
  return foldAll([...wire.flatMap((event) => [...decoder.push(event)]), ...decoder.end()]);
}

/** Every list under this name in an answer. */
function listsOf(name: string, value: JsonValue | undefined): JsonValue[] {
  if (Array.isArray(value)) return value.flatMap((inner) => listsOf(name, inner));
  if (!isObject(value)) return [];
  const own = value[name];
  const inside = Object.values(value).flatMap((inner) => listsOf(name, inner));
  return [...(Array.isArray(own) ? own : []), ...inside];
}

/** Under which name a format tells pages. */
const NAMES: Readonly<Record<CodecId, readonly string[]>> = {
  'anthropic-messages': ['citations'],
  'bedrock-converse': ['citations'],
  gemini: ['groundingChunks', 'groundingSupports'],
  'openai-chat': ['annotations'],
  'openai-responses': ['annotations'],
};

const documentInConverse = {
  sourceContent: [{ text: 'y' }],
  location: { documentChar: { documentIndex: 0, start: 0, end: 3 } },
};
const documentInMessages = {
  type: 'char_location',
  cited_text: '',
  document_index: 0,
  document_title: 'D',
  start_char_index: 0,
  end_char_index: 3,
};

const CASES: readonly [from: CodecId, answer: JsonObject, to: CodecId, told: JsonObject[]][] = [
  ['anthropic-messages', CLAUDE, 'openai-chat', inChat],
  ['anthropic-messages', CLAUDE, 'openai-responses', inResponses],
  ['anthropic-messages', CLAUDE, 'gemini', [chunks, support]],
  ['openai-responses', OPENAI, 'openai-chat', inChat],
  ['openai-responses', OPENAI, 'anthropic-messages', inMessages],
  ['openai-responses', OPENAI, 'gemini', [chunks, support]],
  ['openai-chat', CHAT, 'anthropic-messages', inMessages],
  ['openai-chat', CHAT, 'openai-responses', inOneText],
  ['openai-chat', CHAT, 'gemini', [chunks, support]],
  ['gemini', GEMINI, 'openai-chat', inChat],
  ['gemini', GEMINI, 'anthropic-messages', inMessages],
  ['gemini', GEMINI, 'openai-responses', inOneText],
  ['anthropic-messages', CLAUDE, 'bedrock-converse', [documentInConverse, ...inConverse]],
  ['openai-responses', OPENAI, 'bedrock-converse', inConverse],
  ['openai-chat', CHAT, 'bedrock-converse', inConverse],
  ['gemini', GEMINI, 'bedrock-converse', inConverse],
  ['bedrock-converse', CONVERSE, 'openai-chat', inChat],
  ['bedrock-converse', CONVERSE, 'openai-responses', inResponses],
  ['bedrock-converse', CONVERSE, 'anthropic-messages', [documentInMessages, ...inMessages]],
  ['bedrock-converse', CONVERSE, 'gemini', [chunks, support]],
  ['openai-chat', SOURCED, 'openai-responses', sourcedInResponses],
  ['openai-chat', SOURCED, 'anthropic-messages', sourcedInMessages],
  ['openai-chat', SOURCED, 'gemini', sourcedInGemini],
  ['openai-chat', SOURCED, 'bedrock-converse', sourcedInConverse],
  ['gemini', QUOTED('citationSources'), 'openai-chat', inChat],
  ['gemini', QUOTED('citations'), 'openai-chat', inChat],
  ['gemini', QUOTED('citationSources'), 'openai-responses', inOneText],
  ['gemini', QUOTED('citationSources'), 'anthropic-messages', inMessages],
  ['gemini', QUOTED('citationSources'), 'bedrock-converse', inConverse],
];

const toldIn = (to: CodecId, body: JsonObject): JsonValue[] => NAMES[to].flatMap((name) => listsOf(name, body));

/** What the ledger says of sources. */
function lossesOf(from: CodecId, answer: JsonObject, to: CodecId, isStreamed: boolean): readonly Loss[] {
  const account = new AnswerAccount(to, isStreamed);
  for (const event of eventsOf(codecs[from].decodeResponse(answer, { foreign: true }))) account.see(event);
  return account.losses.filter(({ field }) => /citation|search_results|annotations|grounding/.test(field));
}

describe('pages that an answer rests on', () => {
  test.each(CASES)('of %s, whole', (from, answer, to, told) => {
    const response = codecs[from].decodeResponse(answer, { foreign: true });
    const body = codecs[to].encodeResponse(response, { model: 'm', asked: { body: {} } });
    expect(toldIn(to, body)).toEqual(told);
  });

  test.each(CASES)('of %s, streamed', (from, answer, to, told) => {
    const events = eventsOf(codecs[from].decodeResponse(answer, { foreign: true }));
    const read = codecs[to].encodeResponse(streamed(to, events), { model: 'm', asked: { body: {} } });
    expect(toldIn(to, read)).toEqual(told);
  });

  test.each(CASES)('of %s are told as rewritten', (from, answer, to) => {
    for (const isStreamed of [false, true]) {
      const told = lossesOf(from, answer, to, isStreamed);
      expect(told.length).toBeGreaterThan(0);
      const rewritten = told.filter(({ action, reason }) => action === 'rewritten' && reason.includes('citations'));
      // Claude and Bedrock cite documents, too, for which most formats have no words
      const left = told.filter(({ action, reason }) => action === 'dropped' && reason.includes('places in documents'));
      expect(rewritten.length).toBeGreaterThan(0);
      expect(told).toHaveLength(rewritten.length + left.length);
    }
  });

  test('of other formats are taken out of the history that a Messages client sends back: only Anthropic can sign them', () => {
    const anthropic = codecs['anthropic-messages'];
    const own = { ...page, url: 'https://b.test' };
    const cited = (citations: JsonObject[]): JsonObject => ({
      max_tokens: 9,
      messages: [
        { role: 'user', content: 'how long?' },
        { role: 'assistant', content: [{ type: 'text', text: 'it is 10 m.', citations }] },
        { role: 'user', content: 'sure?' },
      ],
    });
    const sent = (citations: JsonObject[]): JsonValue[] => {
      const decoded = anthropic.decodeRequest(cited(citations));
      const request = { ...decoded, model: 'm', stream: false, fallbacks: [], untouched: false };
      return listsOf('citations', anthropic.encodeRequest(request, { model: 'm', stream: false }).body);
    };
    expect(anthropic.holdsOurs?.(Buffer.from(JSON.stringify(cited(inMessages))))).toBe(true);
    expect(anthropic.holdsOurs?.(Buffer.from(JSON.stringify(cited([own]))))).toBe(false);
    expect(sent([...inMessages, own])).toEqual([own]);
    expect(sent(inMessages)).toEqual([]);
  });

  test('of other formats are deltas of the last text of a Messages stream, before it stops', () => {
    const encode = codecs['anthropic-messages'].encodeStream({ model: 'm' });
    const text = eventsOf(codecs.gemini.decodeResponse(GEMINI, { foreign: true }))
      .map(encode)
      .join('');
    const types = [...text.matchAll(/"type":"(\w+_delta|content_block_\w+|message_\w+)"/g)].map(([, type]) => type);
    const deltas = ['content_block_delta', 'text_delta', 'content_block_delta', 'citations_delta'];
    expect(types).toEqual([
      ...['message_start', 'content_block_start', ...deltas, 'content_block_stop', 'message_delta', 'message_stop'],
    ]);
  });
});
