import { describe, expect, test } from 'vitest';
import { TranscriptMemory } from '../../src/agent/transcript-memory.ts';
import type { Message, Part, ToolCallPart } from '../../src/model/content.ts';
import { requestFor, text } from '../support/scripted-model.ts';

const theirs: ToolCallPart = { type: 'tool-call', id: 'functions.weather:0', name: 'weather', input: '{}' };
const ours: ToolCallPart = { type: 'tool-call', id: 'functions.fs-read:1', name: 'fs-read', input: '{}' };
const result = (callId: string, value: string): Part & { type: 'tool-result' } => ({
  type: 'tool-result',
  callId,
  content: [text(value)],
  isError: false,
});

const user = (content: string): Message => ({ role: 'user', parts: [text(content)] });
const handedOver: Message = { role: 'assistant', parts: [theirs] };
const theirResult: Message = { role: 'tool', parts: [result(theirs.id, 'sunny')] };

const transcript = {
  rounds: [],
  turn: { role: 'assistant', parts: [ours, theirs] },
  results: [result(ours.id, 'the secret of the first')],
} as const;

const remembering = (limits?: { maxBytes: number; ttlMs: number }, now = () => 0): TranscriptMemory => {
  const memory = new TranscriptMemory(now, limits);
  memory.remember('', user('what is the weather?'), [theirs], transcript);
  return memory;
};

const restored = (memory: TranscriptMemory, messages: Message[], owner = '') =>
  memory.restore(owner, requestFor({ messages })).messages;

test('the turn that the gateway took part in stands where the client shows its own half of it', () => {
  const messages = [user('what is the weather?'), handedOver, theirResult];
  expect(restored(remembering(), messages)).toEqual([
    messages[0],
    transcript.turn,
    { role: 'tool', parts: transcript.results },
    theirResult,
  ]);
});

test('cache marks that moved since do no harm', () => {
  const marked: Part = {
    ...text('what is the weather?'),
    origin: { codec: 'openai-chat', block: { cache_control: { type: 'ephemeral' } } },
  };
  expect(restored(remembering(), [{ role: 'user', parts: [marked] }, handedOver, theirResult])).toHaveLength(4);
});

test('a call of the same number in another conversation finds nothing', () => {
  const messages = [user('something else'), handedOver, theirResult];
  expect(restored(remembering(), messages)).toEqual(messages);
});

test('another caller finds nothing', () => {
  const messages = [user('what is the weather?'), handedOver, theirResult];
  expect(restored(remembering(), messages, 'another key')).toEqual(messages);
});

test('what is too old or too much is forgotten', () => {
  let now = 0;
  const messages = [user('what is the weather?'), handedOver, theirResult];
  const aging = remembering({ maxBytes: 10_000, ttlMs: 100 }, () => now);
  now = 101;
  expect(restored(aging, messages)).toEqual(messages);
  expect(restored(remembering({ maxBytes: 10, ttlMs: 100 }), messages)).toEqual(messages);
});

describe('a call with an id of its own', () => {
  const own: ToolCallPart = { type: 'tool-call', id: 'call_abcdefghijk', name: 'weather', input: '{"at":"sea"}' };
  const second: ToolCallPart = { ...own, id: 'call_lmnopqrstuv', name: 'time' };
  const memory = new TranscriptMemory(() => 0);
  const turn: Message = { role: 'assistant', parts: [own, ours, second] };
  memory.remember('', user('what is the weather?'), [own, second], { ...transcript, turn });
  const turnFor = (...parts: Part[]) => restored(memory, [user('edited'), { role: 'assistant', parts }])[1]?.parts;

  test.each<[string, Part[], Part[]]>([
    ['is found whatever was asked', [own, second], [own, ours, second]],
    ['is found when the first one is gone', [second], [ours, second]],
    [
      'keeps the id that the client gives it',
      [{ ...own, id: 'call_abcdefghijk_ts_QUJD' }],
      [{ ...own, id: 'call_abcdefghijk_ts_QUJD' }, ours],
    ],
    [
      'keeps what the client made of it',
      [{ ...own, input: '{"at":"land"}' }],
      [{ ...own, input: '{"at":"land"}' }, ours],
    ],
  ])('%s', (_what, brought, expected) => {
    expect(turnFor(...brought)).toEqual(expected);
  });
});
