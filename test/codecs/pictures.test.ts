import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type ChatResponse, eventsOf, foldAll } from '../../src/model/response.ts';
import type { ModelTraits } from '../../src/model/traits.ts';
import { objectsOf } from '../support/strict-server.ts';

// What a model draws is shown wherever the client's format can hold it, and comes back to whoever answers next.

const PNG = 'iVBORw0KGgo=';
const DATA = `data:image/png;base64,${PNG}`;
const HEAD = { model: 'm', createdAtMs: 1, asked: { body: {} } };

const DRAWN: JsonObject = {
  type: 'image_generation_call',
  id: 'ig_1',
  status: 'completed',
  result: PNG,
  revised_prompt: 'a grey cat',
  output_format: 'png',
  size: '1024x1024',
};
const SAID: JsonObject = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'A cat.', annotations: [], logprobs: [] }],
};
const RESPONSE: JsonObject = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-5',
  status: 'completed',
  output: [DRAWN, SAID],
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
};

const STREAM: readonly JsonObject[] = [
  { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [] } },
  {
    type: 'response.output_item.added',
    output_index: 0,
    item: { ...DRAWN, status: 'in_progress', result: null },
  },
  {
    type: 'response.image_generation_call.partial_image',
    output_index: 0,
    item_id: 'ig_1',
    partial_image_index: 0,
    partial_image_b64: 'cGFydA==',
  },
  { type: 'response.output_item.done', output_index: 0, item: DRAWN },
  { type: 'response.output_item.added', output_index: 1, item: { ...SAID, content: [] } },
  { type: 'response.output_item.done', output_index: 1, item: SAID },
  { type: 'response.completed', response: RESPONSE },
];

function streamed(): StreamEvent[] {
  const decoder = codecs['openai-responses'].decodeStream({ foreign: true });
  const events = STREAM.flatMap((event) => decoder.push({ data: JSON.stringify(event) }));
  return [...events, ...decoder.end()];
}

const written = (client: CodecId, events: readonly StreamEvent[]): string => {
  const write = codecs[client].encodeStream(HEAD);
  return events.map((event) => write(event)).join('');
};

const whole = (client: CodecId, response: ChatResponse): string =>
  JSON.stringify(codecs[client].encodeResponse(response, HEAD));

describe('a picture of the Responses API', () => {
  const answer = (): ChatResponse => codecs['openai-responses'].decodeResponse(RESPONSE, { foreign: true });

  const SHOWN: readonly (readonly [CodecId, string])[] = [
    ['openai-chat', `"images":[{"type":"image_url","image_url":{"url":"${DATA}"}}]`],
    ['gemini', `"inlineData":{"mimeType":"image/png","data":"${PNG}"}`],
    ['bedrock-converse', `"source":{"bytes":"${PNG}"}`],
  ];
  test.each(SHOWN)('is shown to clients of %s, whole and in a stream', (client, words) => {
    expect(whole(client, answer())).toContain(words);
    expect(written(client, streamed())).toContain(words);
  });

  test('says the same streamed as whole', () => {
    expect(foldAll(streamed()).parts).toEqual(answer().parts);
  });

  test('reaches clients of its own format as it was, where ours is beside it', () => {
    const { output } = codecs['openai-responses'].encodeResponse(answer(), HEAD);
    expect(output).toEqual([DRAWN, SAID]);
    const events = [...createSseReader().push(Buffer.from(written('openai-responses', streamed())))];
    const items = events.map(({ data }) => JSON.parse(data)).filter(({ type }) => /output_item/.test(type));
    expect(items.map(({ item }) => [item.type, item.result ?? null])).toEqual([
      ['image_generation_call', null],
      ['image_generation_call', PNG],
      ['message', null],
      ['message', null],
    ]);
  });

  const LOST: readonly (readonly [CodecId, string])[] = [
    ['openai-chat', 'answer.content.*.revised_prompt answer.content.*.size'],
    ['anthropic-messages', 'answer.content.* answer.content.*.revised_prompt answer.content.*.size'],
  ];
  test.each(LOST)('the ledger of %s names what is not shown', (client, fields) => {
    const account = new AnswerAccount(client);
    for (const event of eventsOf(answer())) account.see(event);
    expect(account.losses.map(({ field }) => field).join(' ')).toBe(fields);
  });

  test.each<CodecId>(['openai-chat', 'gemini', 'bedrock-converse', 'anthropic-messages'])(
    'what it was on the way is shown to no client of %s, and the ledger says so',
    (client) => {
      const drafts = STREAM.flatMap((event) => (/partial_image/.test(String(event.type)) ? [event, event] : [event]));
      const decoder = codecs['openai-responses'].decodeStream({ foreign: true });
      const events = drafts.flatMap((event) => decoder.push({ data: JSON.stringify(event) }));
      expect(written(client, events)).not.toContain('cGFydA==');
      const account = new AnswerAccount(client, true);
      for (const event of events) account.see(event);
      const lost = account.losses.filter(({ field }) => field.endsWith('partial_image_b64'));
      expect(lost).toMatchObject([{ action: 'dropped', count: 2 }]);
    },
  );

  test('that is not there yet stays the item that it is', () => {
    const { result: _, ...begun } = DRAWN;
    const { parts } = codecs['openai-responses'].decodeResponse({ ...RESPONSE, output: [begun] });
    expect(parts).toMatchObject([{ type: 'opaque' }]);
  });
});

/** The next request of a client that was given a picture, as its format holds it. */
const HISTORIES: Readonly<Record<string, readonly [CodecId, JsonObject]>> = {
  'a Chat client': [
    'openai-chat',
    {
      model: 'm',
      messages: [
        { role: 'user', content: 'draw' },
        { role: 'assistant', content: 'A cat.', images: [{ type: 'image_url', image_url: { url: DATA } }] },
        { role: 'user', content: 'which colour?' },
      ],
    },
  ],
  'a Responses client': [
    'openai-responses',
    {
      model: 'm',
      input: [{ role: 'user', content: 'draw' }, SAID, DRAWN, { role: 'user', content: 'which colour?' }],
    },
  ],
  'a Gemini client': [
    'gemini',
    {
      contents: [
        { role: 'user', parts: [{ text: 'draw' }] },
        { role: 'model', parts: [{ text: 'A cat.' }, { inlineData: { mimeType: 'image/png', data: PNG } }] },
        { role: 'user', parts: [{ text: 'which colour?' }] },
      ],
    },
  ],
  'a Converse client': [
    'bedrock-converse',
    {
      messages: [
        { role: 'user', content: [{ text: 'draw' }] },
        {
          role: 'assistant',
          content: [{ text: 'A cat.' }, { image: { format: 'png', source: { bytes: PNG } } }],
        },
        { role: 'user', content: [{ text: 'which colour?' }] },
      ],
    },
  ],
};

/** Where each format's body holds the picture of a model that is known to see. */
const PLACES: readonly (readonly [CodecId, (body: JsonObject) => unknown, unknown])[] = [
  ['anthropic-messages', ({ messages }) => contentAt(messages, 2, 1), { type: 'image' }],
  ['openai-chat', ({ messages }) => contentAt(messages, 2, 1), { type: 'image_url', image_url: { url: DATA } }],
  ['openai-responses', ({ input }) => contentAt(input, 2, 1), { type: 'input_image', image_url: DATA }],
  ['bedrock-converse', ({ messages }) => contentAt(messages, 2, 1), { image: { source: { bytes: PNG } } }],
];

function contentAt(messages: unknown, message: number, part: number): unknown {
  const found = Array.isArray(messages) ? messages.filter(({ type }) => type !== 'image_generation_call')[message] : {};
  expect(found.role).toBe('user');
  return found.content[part];
}

describe.each(Object.entries(HISTORIES))('%s gives a picture back', (_name, [own, body]) => {
  const encoded = (target: CodecId, traits: ModelTraits, model = 'claude-sonnet-4-5') =>
    codecs[target].encodeRequest(
      { ...codecs[own].decodeRequest(body), model: 'm', stream: false, fallbacks: [], untouched: false },
      { model, stream: false, ...traits },
    );

  test.each(PLACES.filter(([target]) => target !== own))('to a model of %s that sees', (target, read, picture) => {
    const { body: sent, losses } = encoded(target, { vision: true });
    expect(read(sent)).toMatchObject(picture as object);
    expect(losses).toContainEqual(expect.objectContaining({ field: 'messages.1', action: 'rewritten' }));
  });

  test.each(PLACES.filter(([target]) => target !== own))('to nobody of %s that does not', (target) => {
    const { body: sent, losses } = encoded(target, { vision: false });
    expect(JSON.stringify(sent)).not.toContain(PNG);
    expect(JSON.stringify(sent)).toContain('A cat.');
    expect(losses).toContainEqual(expect.objectContaining({ field: 'messages.1', action: 'dropped' }));
  });

  test('to Gemini, which takes it from its models', () => {
    const { body: sent } = encoded('gemini', {}, 'gemini-2.5-flash');
    const [, said] = objectsOf(sent.contents);
    expect(said?.role).toBe('model');
    expect(said?.parts).toContainEqual({ inlineData: { mimeType: 'image/png', data: PNG } });
  });

  test('to a Gemini that draws, which wants pictures signed', () => {
    const { body: sent } = encoded('gemini', {}, 'gemini-3-pro-image-preview');
    const [, said] = objectsOf(sent.contents);
    const marks = objectsOf(said?.parts).map(({ thoughtSignature }) => thoughtSignature);
    expect(marks).toEqual(['skip_thought_signature_validator', 'skip_thought_signature_validator']);
  });

  test('to its own format as it was', () => {
    const { body: sent } = encoded(own, { vision: true });
    expect(JSON.stringify(sent)).toContain(JSON.stringify(pictureIn(body)));
  });
});

/** The piece of a body that holds the picture. */
function pictureIn(body: JsonObject): unknown {
  if (Array.isArray(body.input)) return DRAWN;
  const text = JSON.stringify(body);
  if (text.includes('"images"')) return { type: 'image_url', image_url: { url: DATA } };
  return text.includes('inlineData') ? { mimeType: 'image/png', data: PNG } : { bytes: PNG };
}
