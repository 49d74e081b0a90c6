import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { eventsOf, foldAll } from '../../src/model/response.ts';

// What a chat model says aloud is told in its words wherever there is no place for the sound, and in both where there is.

const chat = codecs['openai-chat'];
const HEAD = { model: 'm', createdAtMs: 1, asked: { body: {} } };
const WAV = Buffer.from('RIFF....').toString('base64');
const AUDIO: JsonObject = { id: 'audio_1', data: WAV, transcript: 'Hello there', expires_at: 1_700_000_100 };

const chunk = (delta: JsonObject, finish: string | null = null) => ({
  data: JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] }),
});

function streamed(foreign: boolean, ...deltas: JsonObject[]): readonly StreamEvent[] {
  const decoder = chat.decodeStream({ foreign });
  const events = [...deltas.map((delta) => chunk(delta)), chunk({}, 'stop')].flatMap((event) => decoder.push(event));
  return [...events, ...decoder.end()];
}

const whole = (foreign: boolean, audio: JsonObject = AUDIO) =>
  chat.decodeResponse(
    { id: 'c', model: 'm', choices: [{ message: { content: null, audio }, finish_reason: 'stop' }] },
    { foreign },
  );

describe('an answer that was spoken', () => {
  test('is told word for word while it is said', () => {
    const events = streamed(
      true,
      { audio: { id: 'audio_1', transcript: 'Hel' } },
      { audio: { data: 'AAAA' } },
      { audio: { transcript: 'lo' } },
      { audio: { data: 'BBBB' } },
    );
    expect(events.flatMap((event) => (event.type === 'part-delta' ? [event.delta] : []))).toEqual(['Hel', 'lo']);
    expect(foldAll(events).parts).toMatchObject([
      { type: 'text', text: 'Hello' },
      { type: 'media', source: { type: 'base64', data: 'AAAABBBB' } },
    ]);
  });

  test.each([
    ['UklGRg==', 'audio/wav'],
    ['SUQzBA==', 'audio/mpeg'],
    ['//NkxAAA', 'audio/mpeg'],
    ['ZkxhQw==', 'audio/flac'],
    ['T2dnUw==', 'audio/ogg'],
    ['//FQgA==', 'audio/aac'],
    ['AAAAAAAA', 'audio/L16;codec=pcm;rate=24000'],
  ])('%s is known for what it is', (data, mediaType) => {
    expect(whole(true, { id: 'audio_1', data }).parts).toMatchObject([{ type: 'media', mediaType }]);
  });

  test('has one sound, where each piece of it was padded by itself', () => {
    const pieces = ['RI', 'FF....'].map((text) => ({ audio: { data: Buffer.from(text).toString('base64') } }));
    expect(foldAll(streamed(true, ...pieces)).parts).toMatchObject([
      { mediaType: 'audio/L16;codec=pcm;rate=24000', source: { data: WAV } },
    ]);
  });

  const SHOWN: readonly (readonly [CodecId, readonly string[]])[] = [
    ['gemini', ['"text":"Hello there"', `"inlineData":{"mimeType":"audio/wav","data":"${WAV}"}`]],
    ['bedrock-converse', ['"text":"Hello there"', `"audio":{"format":"wav","source":{"bytes":"${WAV}"}}`]],
    ['anthropic-messages', ['"text":"Hello there"']],
    ['openai-responses', ['"text":"Hello there"']],
  ];
  test.each(SHOWN)('is shown to clients of %s', (client, words) => {
    const body = JSON.stringify(codecs[client].encodeResponse(whole(true), HEAD));
    for (const word of words) expect(body).toContain(word);
    const account = new AnswerAccount(client);
    for (const event of eventsOf(whole(true))) account.see(event);
    const fields = account.losses.map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining(['answer.content.*.audio.id', 'answer.content.*.audio.expires_at']));
    expect(fields.includes('answer.content.*')).toBe(words.length === 1);
  });

  test('reaches clients of its own format as it was', () => {
    const { choices } = chat.encodeResponse(whole(false), HEAD) as { choices: { message: JsonObject }[] };
    expect(choices[0]?.message).toMatchObject({ content: '', audio: AUDIO });
  });
});

describe('a turn that was spoken comes back', () => {
  const asked = (message: JsonObject) => ({
    ...chat.decodeRequest({
      model: 'm',
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', ...message },
        { role: 'user', content: 'go on' },
      ],
    }),
    model: 'm',
    stream: false,
    fallbacks: [],
    untouched: false,
  });
  const sentTo = (target: CodecId, message: JsonObject) =>
    codecs[target].encodeRequest(asked(message), { model: 'm', stream: false });
  const OTHERS = (Object.keys(codecs) as CodecId[]).filter((id) => id !== 'openai-chat');

  test.each(OTHERS)('to %s in its words, where the client kept them', (target) => {
    const { body, losses } = sentTo(target, { content: null, audio: AUDIO });
    expect(JSON.stringify(body)).toContain('Hello there');
    expect(JSON.stringify(body)).not.toContain(WAV);
    expect(losses.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['messages.*.content.*.audio.id', 'messages.*.content.*.audio.data']),
    );
  });

  test.each(OTHERS)('to %s as an entry of the ledger, where only its id is known', (target) => {
    const { body, losses } = sentTo(target, { content: null, audio: { id: 'audio_1' } });
    expect(JSON.stringify(body)).toContain('go on');
    expect(JSON.stringify(body)).not.toContain('audio_1');
    expect(losses.map(({ field }) => field)).toContain('messages.*.audio.id');
  });

  test.each([
    ['with its words', { content: null, audio: AUDIO }],
    ['with an empty text beside it', { content: '', audio: AUDIO }],
    ['by its id', { content: null, audio: { id: 'audio_1' } }],
  ])('to a chat model by its id: %s', (_how, message) => {
    const { messages } = sentTo('openai-chat', message).body as { messages: JsonObject[] };
    expect(messages[1]).toMatchObject({ role: 'assistant', audio: { id: 'audio_1' } });
    expect(messages[1]?.content || null).toBeNull();
  });
});
