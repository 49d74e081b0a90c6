import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { CodecId } from '../../src/model/content.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type ChatResponse, foldAll } from '../../src/model/response.ts';
import { cases } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';

// Streams as servers that only speak like the vendor write them: proxies, local servers, gateways before us.

const ENDPOINTS = {
  'anthropic-messages': 'anthropic.messages',
  gemini: 'gemini.generate',
  'openai-chat': 'openai.chat',
  'openai-responses': 'openai.responses',
} as const;

const data = (value: JsonObject | readonly JsonObject[] | string, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

const messages = (...events: JsonObject[]): string => events.map((event) => data(event, String(event.type))).join('');

function read(codec: CodecId, text: string): ChatResponse {
  const reader = createSseReader();
  const decoder = codecs[codec].decodeStream();
  const events = [...reader.push(Buffer.from(text)), ...reader.end()].flatMap((event) => [...decoder.push(event)]);
  return foldAll([...events, ...decoder.end()]);
}

function errorIn(codec: CodecId, text: string): GatewayError {
  try {
    read(codec, text);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error('it was read as an answer');
}

const start: JsonObject = {
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 3 } },
};
const block = (index: number, ...pieces: string[]): JsonObject[] => [
  { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
  ...pieces.map((text) => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } })),
  { type: 'content_block_stop', index },
];
const ending: JsonObject = {
  type: 'message_delta',
  delta: { stop_reason: 'end_turn', stop_sequence: null },
  usage: { output_tokens: 7 },
};
const stop: JsonObject = { type: 'message_stop' };

const chunk = (delta: JsonObject, finish_reason: string | null = null): string =>
  data({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
  });

describe('streams of servers that only resemble the vendor’s', () => {
  test('blocks of a Messages stream may be numbered with gaps, as proxies leave them that take some out', () => {
    const response = read('anthropic-messages', messages(start, ...block(2, 'one '), ...block(5, 'two'), ending, stop));
    expect(response.parts.map((part) => part.type === 'text' && part.text)).toEqual(['one ', 'two']);
  });

  test('a block of a Messages stream that nobody ended is ended by the next of its number', () => {
    const [begun, grown] = block(0, 'one ');
    const text = messages(start, begun ?? {}, grown ?? {}, ...block(0, 'two'), ending, stop);
    expect(read('anthropic-messages', text).parts).toHaveLength(2);
  });

  test('a message_delta that tells only counts leaves the reason before it', () => {
    const counts = { type: 'message_delta', delta: {}, usage: { output_tokens: 9 } };
    const { reason, usage } = read('anthropic-messages', messages(start, ...block(0, 'x'), ending, counts, stop));
    expect([reason.kind, usage.output]).toEqual(['stop', 9]);
  });

  test('of two message_delta, the last is what a look at the end of a Messages stream takes', () => {
    const early = { type: 'message_delta', delta: { stop_reason: null }, usage: { output_tokens: 1 } };
    const text = messages(start, ...block(0, 'x'), early, ending, stop);
    const { usage, reason } = codecs['anthropic-messages'].glance(Buffer.from(text), 'sse');
    expect([usage?.output, reason?.kind]).toEqual([7, 'stop']);
  });

  test('thinking of a chat answer is read under the name `thinking` too', () => {
    const text = chunk({ thinking: 'so I ' }) + chunk({ thinking: 'thought' }) + chunk({ content: 'x' }, 'stop');
    expect(read('openai-chat', text).parts).toMatchObject([
      { type: 'reasoning', text: 'so I thought' },
      { type: 'text', text: 'x' },
    ]);
  });

  test('a Responses stream may end with response.done', () => {
    const response = { id: 'resp_1', object: 'response', model: 'm', output: [], usage: null };
    const item = {
      type: 'message',
      id: 'm1',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'x', annotations: [] }],
    };
    const text =
      data({ type: 'response.created', response }) +
      data({ type: 'response.done', response: { ...response, status: 'completed', output: [item] } });
    expect(read('openai-responses', text)).toMatchObject({ parts: [{ text: 'x' }], reason: { kind: 'stop' } });
    expect(codecs['openai-responses'].glance(Buffer.from(text), 'sse').complete).toBe(true);
  });

  test('lines behind the data of the last Responses event do not hide it', () => {
    const response = { id: 'resp_1', status: 'completed', model: 'm', output: [], usage: null };
    const line = JSON.stringify({ type: 'response.completed', response });
    const text = `data: ${line}\nevent: response.completed\nid: 7\nretry: 100\n\n`;
    expect(codecs['openai-responses'].glance(Buffer.from(text), 'sse').complete).toBe(true);
  });

  test('items of a Responses stream that was never opened begin it', () => {
    const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'look', arguments: '{"a":1}' };
    const text =
      data({ type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '' } }) +
      data({ type: 'response.output_item.done', output_index: 0, item }) +
      data({ type: 'response.completed', response: { id: 'resp_1', status: 'completed', model: 'm', output: [item] } });
    expect(read('openai-responses', text)).toMatchObject({
      parts: [{ type: 'tool-call', id: 'call_1', input: '{"a":1}' }],
      reason: { kind: 'tool-calls' },
    });
  });

  test('a Gemini chunk over several lines is whole to a look at its end', () => {
    const last = {
      candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 },
    };
    const lines = JSON.stringify(last, null, 1).split('\n');
    const text = `${lines.map((line) => `data: ${line}`).join('\n')}\n\n`;
    const { complete, usage, reason } = codecs.gemini.glance(Buffer.from(text), 'sse');
    expect([complete, usage?.output, reason?.kind]).toEqual([true, 4, 'stop']);
  });
});

/** A short answer of each format, as its vendor streams it. */
const ANSWERS: Readonly<Record<Exclude<CodecId, 'bedrock-converse'>, string>> = {
  'anthropic-messages': messages(start, ...block(0, 'x'), ending, stop),
  gemini: data({
    candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 7 },
  }),
  'openai-chat':
    chunk({ content: 'x' }) +
    chunk({}, 'stop') +
    data({ id: 'c1', choices: [], usage: { prompt_tokens: 3, completion_tokens: 7, total_tokens: 10 } }) +
    data('[DONE]'),
  'openai-responses': messages(
    { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', model: 'm', output: [] } },
    {
      type: 'response.completed',
      response: {
        id: 'resp_1',
        status: 'completed',
        model: 'm',
        output: [],
        usage: { input_tokens: 3, output_tokens: 7, total_tokens: 10 },
      },
    },
  ),
};

describe('the end of a stream that travelled as bytes', () => {
  const formats = Object.keys(ANSWERS) as (keyof typeof ANSWERS)[];
  const ENDINGS: readonly [what: string, ended: (text: string) => string][] = [
    ['LF', (text) => text],
    ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['CR', (text) => text.replaceAll('\n', '\r')],
    ['LF, and CR behind the last', (text) => `${text.trimEnd()}\r\r`],
    ['LF, and CRLF behind the last', (text) => `${text.trimEnd()}\r\n\r\n`],
    ['CR, with a comment behind the last', (text) => `${text}: ping\n\n`.replaceAll('\n', '\r')],
  ];

  test.each(formats.flatMap((format) => ENDINGS.map(([what, ended]) => [format, what, ended] as const)))(
    'of %s is seen where its lines end in %s',
    (format, _what, ended) => {
      const text = ended(ANSWERS[format]);
      const { complete, usage, reason } = codecs[format].glance(Buffer.from(text), 'sse');
      expect([complete, usage?.input, usage?.output, reason?.kind]).toEqual([true, 3, 7, 'stop']);
      expect(read(format, text)).toMatchObject({ reason: { kind: 'stop' }, usage: { output: 7 } });
    },
  );
});

describe.runIf(shared)('the end of a recorded stream that travelled as bytes', () => {
  test.each(Object.keys(ENDPOINTS) as (keyof typeof ENDPOINTS)[])(
    'of %s is seen where CR alone ends its lines',
    (format) => {
      const streams = cases({ endpoint: ENDPOINTS[format] }).flatMap(({ id, response: { sse } }) =>
        sse ? [{ id, sse }] : [],
      );
      const told = (sse: string): string => {
        const { error, ...glance } = codecs[format].glance(Buffer.from(sse), 'sse');
        return JSON.stringify([glance, error?.message]);
      };
      const differing = streams.filter(({ sse }) => told(sse) !== told(sse.replace(/\r?\n/g, '\r')));
      expect(streams.length).toBeGreaterThan(20);
      expect(differing.map(({ id }) => id)).toEqual([]);
    },
  );
});

describe('errors in the place of an event', () => {
  const begun = chunk({ role: 'assistant', content: 'the begin' });

  test.each<[what: string, codec: CodecId, text: string]>([
    ['without the error object', 'anthropic-messages', messages(start) + data({ message: 'no room left' }, 'error')],
    [
      'with a text as its error',
      'anthropic-messages',
      messages(start) + data({ type: 'error', error: 'no room left' }),
    ],
    ['in plain words', 'anthropic-messages', messages(start) + data('no room left', 'error')],
    [
      'without a wrapper, before [DONE] (vLLM)',
      'openai-chat',
      `${begun}${data({ object: 'error', message: 'no room left', type: 'BadRequestError', code: 400 })}data: [DONE]\n\n`,
    ],
    ['as a detail', 'openai-chat', begun + data({ detail: 'no room left' })],
    ['in a list', 'openai-chat', begun + data({ error: [{ message: 'no room left' }] })],
    ['in a list of texts', 'openai-chat', begun + data({ error: ['no room left', 'try later'] })],
    ['with a text as its error', 'openai-responses', data({ error: 'no room left' })],
    ['in a list', 'gemini', data([{ error: { code: 503, message: 'no room left', status: 'UNAVAILABLE' } }])],
  ])('%s, of %s, are told in their words', (_what, codec, text) => {
    expect(errorIn(codec, text).message).toContain('no room left');
  });

  test.each<[codec: CodecId, body: JsonObject]>([
    ['openai-chat', { object: 'error', message: 'no room left' }],
    ['openai-responses', { error: 'no room left' }],
  ])('a whole answer of %s that is one says so', (codec, body) => {
    expect(() => codecs[codec].decodeResponse(body)).toThrow('no room left');
  });

  test('an error without a wrapper is seen at the end of a stream that travelled as bytes', () => {
    const text = `${begun}${data({ object: 'error', message: 'no room left' })}data: [DONE]\n\n`;
    const { complete, error } = codecs['openai-chat'].glance(Buffer.from(text), 'sse');
    expect([complete, error?.message]).toEqual([false, 'no room left']);
  });
});
