import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import type { Loss } from '../../src/model/loss.ts';
import { foldAll } from '../../src/model/response.ts';

// Pages that are named once their texts are over, as Gemini and Perplexity do in streams.

const part = (...parts: JsonObject[]): JsonObject => ({ candidates: [{ content: { role: 'model', parts } }] });
const page = (name: string): JsonObject => ({ web: { uri: `https://${name}.test`, title: name } });
const support = (index: number, startIndex: number, text: string): JsonObject => ({
  segment: { startIndex, endIndex: startIndex + text.length, text },
  groundingChunkIndices: [index],
});
const ending = (candidate: JsonObject): JsonObject => ({
  candidates: [{ finishReason: 'STOP', ...candidate }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2 },
});
const FIRST = { text: 'one two. ', thoughtSignature: 'c2ln' };
const SECOND = { text: 'three.' };
const CALL = { functionCall: { id: 'c1', name: 'look', args: {} } };
const GROUNDING = {
  groundingMetadata: {
    groundingChunks: [page('a'), page('b')],
    groundingSupports: [support(0, 4, 'two.'), support(1, 9, 'three.')],
  },
};

/** What Gemini's chunks mean, and what a client of a format is sent for them. */
function events(chunks: readonly JsonObject[]): StreamEvent[] {
  const decoder = codecs.gemini.decodeStream({ callId: 'c', foreign: true });
  return [...chunks.flatMap((chunk) => [...decoder.push({ data: JSON.stringify(chunk) })]), ...decoder.end()];
}

function sent(client: CodecId, chunks: readonly JsonObject[]): JsonObject[] {
  const encode = codecs[client].encodeStream({ model: 'm', createdAtMs: 1, asked: { body: {} } });
  const wire = createSseReader().push(Buffer.from(events(chunks).map(encode).join('')));
  return wire.filter(({ data }) => data !== '[DONE]').map(({ data }) => JSON.parse(data) as JsonObject);
}

function losses(client: CodecId, chunks: readonly JsonObject[], isStreamed = true): readonly Loss['action'][] {
  const account = new AnswerAccount(client, isStreamed);
  for (const event of events(chunks)) account.see(event);
  return account.losses.filter(({ field }) => /grounding|citation/.test(field)).map(({ action }) => action);
}

const whole = (client: CodecId, chunks: readonly JsonObject[]): JsonObject =>
  codecs[client].encodeResponse(foldAll(events(chunks)), { model: 'm', asked: { body: {} } });

const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

const TWO_TEXTS = [part(FIRST), part(SECOND), ending(GROUNDING)];
const TEXT_BEFORE_CALL = [part({ text: 'one two. three.' }), part(CALL), ending(GROUNDING)];

describe('pages that come behind their texts', () => {
  test('go to the text that rests on them, in a whole Messages answer', () => {
    const cited = objects(whole('anthropic-messages', TWO_TEXTS).content).map(({ text, citations }) => [
      text,
      objects(citations).map(({ url }) => url),
    ]);
    expect(cited).toEqual([
      ['one two. ', ['https://a.test']],
      ['three.', ['https://b.test']],
    ]);
    expect(losses('anthropic-messages', TWO_TEXTS, false)).toEqual(['rewritten']);
  });

  test('stand behind the text that rests on them, in a whole Converse answer', () => {
    const { message } = whole('bedrock-converse', TWO_TEXTS).output as JsonObject;
    const cited = (name: string) => ({
      citationsContent: {
        citations: [{ title: name, location: { web: { url: `https://${name}.test`, domain: `${name}.test` } } }],
      },
    });
    expect((message as JsonObject).content).toEqual([
      { text: 'one two. ' },
      cited('a'),
      { text: 'three.' },
      cited('b'),
    ]);
  });

  test.each<CodecId>(['anthropic-messages', 'bedrock-converse'])(
    'reach the text that is still open in a stream of %s, and the ledger names those that do not',
    (client) => {
      const text = JSON.stringify(sent(client, TWO_TEXTS));
      expect([text.includes('https://a.test'), text.includes('https://b.test')]).toEqual([false, true]);
      expect(losses(client, TWO_TEXTS)).toEqual(['rewritten', 'dropped']);
    },
  );

  test.each<CodecId>(['anthropic-messages', 'bedrock-converse'])(
    'come too late for a stream of %s in which a call follows the text, and the ledger says so',
    (client) => {
      expect(JSON.stringify(sent(client, TEXT_BEFORE_CALL))).not.toContain('a.test');
      expect(losses(client, TEXT_BEFORE_CALL)).toEqual(['dropped']);
      expect(JSON.stringify(whole(client, TEXT_BEFORE_CALL))).toContain('https://a.test');
      expect(losses(client, TEXT_BEFORE_CALL, false)).toEqual(['rewritten']);
    },
  );

  test('reach a message of a Responses stream that is closed: the last event holds it', () => {
    const stream = sent('openai-responses', TEXT_BEFORE_CALL);
    const places = stream.filter(({ type }) => type === 'response.output_text.annotation.added');
    expect(places).toMatchObject([
      { output_index: 0, content_index: 0, annotation_index: 0, annotation: { url: 'https://a.test', start_index: 4 } },
      { output_index: 0, content_index: 0, annotation_index: 1, annotation: { url: 'https://b.test', start_index: 9 } },
    ]);
    const { response } = stream.at(-1) ?? {};
    expect(response).toMatchObject({
      output: [
        { content: [{ annotations: [{ url: 'https://a.test' }, { url: 'https://b.test' }] }] },
        { type: 'function_call' },
      ],
    });
    expect(losses('openai-responses', TEXT_BEFORE_CALL)).toEqual(['rewritten']);
  });

  test('have their places in each content part of a Responses message', () => {
    const { response } = sent('openai-responses', TWO_TEXTS).at(-1) ?? {};
    expect((response as JsonObject).output).toMatchObject([
      {
        content: [
          { text: 'one two. ', annotations: [{ url: 'https://a.test', start_index: 4, end_index: 8 }] },
          { text: 'three.', annotations: [{ url: 'https://b.test', start_index: 0, end_index: 6 }] },
        ],
      },
    ]);
  });

  test('have their places in all of the content of a chat', () => {
    const annotations = sent('openai-chat', TEXT_BEFORE_CALL).flatMap(({ choices }) =>
      objects(choices).flatMap(({ delta }) => objects((delta as JsonObject).annotations)),
    );
    expect(annotations).toMatchObject([
      { url_citation: { url: 'https://a.test', start_index: 4, end_index: 8 } },
      { url_citation: { url: 'https://b.test', start_index: 9, end_index: 15 } },
    ]);
  });

  test('are found by their words where their places count from elsewhere', () => {
    const { groundingMetadata } = { groundingMetadata: { groundingChunks: [page('a')] } };
    const metadata = { ...groundingMetadata, groundingSupports: [support(0, 0, 'three.')] };
    const text = whole('openai-chat', [part(FIRST), part(SECOND), ending({ groundingMetadata: metadata })]);
    expect(text).toMatchObject({
      choices: [{ message: { annotations: [{ url_citation: { start_index: 9, end_index: 15 } }] } }],
    });
  });

  test('have the places that their part gives them', () => {
    const segment = { partIndex: 2, startIndex: 1, endIndex: 3 };
    const groundingMetadata = {
      groundingChunks: [page('a')],
      groundingSupports: [{ segment, groundingChunkIndices: [0] }],
    };
    const parts = [{ text: 'é one' }, { text: 'hm', thought: true }, { text: ' two' }];
    const body = { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', groundingMetadata }] };
    const response = codecs.gemini.decodeResponse(body, { foreign: true });
    expect(codecs['openai-chat'].encodeResponse(response)).toMatchObject({
      choices: [
        { message: { content: 'é one two', annotations: [{ url_citation: { start_index: 6, end_index: 8 } }] } },
      ],
    });
  });

  test('that nothing supports are those of all of the text', () => {
    const told = whole('openai-chat', [
      part(SECOND),
      ending({ groundingMetadata: { groundingChunks: [{ maps: { uri: 'https://m.test', title: 'M' } }] } }),
    ]);
    expect(told).toMatchObject({
      choices: [
        { message: { annotations: [{ url_citation: { url: 'https://m.test', start_index: 0, end_index: 6 } }] } },
      ],
    });
  });
});

describe('sources of Gemini in several chunks', () => {
  const quoted = (startIndex: number, endIndex: number, uri: string): JsonObject => ({ startIndex, endIndex, uri });
  const quoting = (text: string, ...citationSources: JsonObject[]): JsonObject => ({
    candidates: [{ content: { parts: [{ text }] }, citationMetadata: { citationSources } }],
  });

  test('are all kept, each once', () => {
    const [first, second] = [quoted(0, 3, 'https://a.test'), quoted(4, 8, 'https://b.test')];
    const told = whole('openai-chat', [quoting('one ', first), quoting('two.', first, second), ending({})]);
    expect(told).toMatchObject({
      choices: [
        {
          message: {
            annotations: [{ url_citation: { url: 'https://a.test' } }, { url_citation: { url: 'https://b.test' } }],
          },
        },
      ],
    });
  });

  test('are not taken back by a chunk with empty ones', () => {
    const told = whole('openai-chat', [
      part(FIRST),
      ending(GROUNDING),
      { candidates: [{ groundingMetadata: {}, finishReason: null }] },
    ]);
    expect(told).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { annotations: [expect.anything(), expect.anything()] } }],
    });
  });
});

describe('a Converse history', () => {
  const { holdsOurs } = codecs['bedrock-converse'];
  const body = (...content: JsonObject[]): JsonObject => ({
    messages: [
      { role: 'user', content: [{ text: 'how long?' }] },
      { role: 'assistant', content },
      { role: 'user', content: [{ text: 'sure?' }] },
    ],
  });
  const citation = { title: 'A', location: { web: { url: 'https://a.test', domain: 'a.test' } } };
  const ours = { citationsContent: { citations: [citation] } };
  const theirs = { citationsContent: { content: [{ text: '10 m.' }], citations: [citation] } };

  test('goes to Bedrock without the pages of other providers', () => {
    const given = body({ text: '10 m.' }, ours);
    const decoded = codecs['bedrock-converse'].decodeRequest(given);
    expect(holdsOurs?.(Buffer.from(JSON.stringify(given)))).toBe(true);
    expect(decoded.rewritten).toBe(true);
    const request = { ...decoded, model: 'm', stream: false, fallbacks: [], untouched: false };
    const { messages } = codecs['bedrock-converse'].encodeRequest(request, { model: 'm', stream: false }).body;
    expect(messages).toEqual(body({ text: '10 m.' }).messages);
  });

  test('keeps what a model of Bedrock cited', () => {
    expect(codecs['bedrock-converse'].decodeRequest(body(theirs)).rewritten).toBeUndefined();
    expect(holdsOurs?.(Buffer.from(JSON.stringify(body({ text: 'x' }))))).toBe(false);
  });
});

describe('sources of Perplexity', () => {
  const chunk = (delta: JsonObject, finish_reason: string | null = null): JsonObject => ({
    id: 'p1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'sonar',
    citations: ['https://a.test', 'https://b.test'],
    choices: [{ index: 0, delta, finish_reason }],
  });

  test('which come with each chunk, are told once', () => {
    const decoder = codecs['openai-chat'].decodeStream();
    const chunks = [chunk({ content: 'It is 10 m' }), chunk({ content: '[1][2].' }), chunk({}, 'stop')];
    const read = [...chunks.flatMap((one) => [...decoder.push({ data: JSON.stringify(one) })]), ...decoder.end()];
    const { output } = codecs['openai-responses'].encodeResponse(foldAll(read), { model: 'm', asked: { body: {} } });
    expect(output).toMatchObject([
      {
        content: [
          {
            annotations: [
              { url: 'https://a.test', start_index: 10, end_index: 13 },
              { url: 'https://b.test', start_index: 13, end_index: 16 },
            ],
          },
        ],
      },
    ]);
    const again = codecs['openai-chat'].encodeResponse(foldAll(read), { model: 'm' });
    expect(again).toMatchObject({ citations: ['https://a.test', 'https://b.test'] });
    expect(JSON.stringify(again)).not.toContain('annotations');
  });

  test('that the annotations name already are not told again', () => {
    const annotations = [{ type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A' } }];
    const message = { role: 'assistant', content: 'It is 10 m.', annotations };
    const { citations } = chunk({});
    const response = codecs['openai-chat'].decodeResponse({ citations, choices: [{ message, finish_reason: 'stop' }] });
    const { content } = codecs['anthropic-messages'].encodeResponse(response);
    expect(content).toMatchObject([{ citations: [{ url: 'https://a.test' }, { url: 'https://b.test' }] }]);
    expect(objects(objects(content)[0]?.citations)).toHaveLength(2);
  });
});
