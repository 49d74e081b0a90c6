import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { foldAll } from '../../src/model/response.ts';
import { cases } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { FRAMINGS, HABITS } from './habits.ts';
import { ENDPOINTS, FORMATS, type Format, type Wire, wireOf } from './variations.ts';

const PIECE = 41;

const sseOf = (wire: readonly Wire[]): string =>
  wire.map(({ event, data }) => `${event ? `event: ${event}\n` : ''}data: ${data}\n\n`).join('');

function read(format: Format, text: string): StreamEvent[] {
  const bytes = Buffer.from(text);
  const reader = createSseReader();
  const decoder = codecs[format].decodeStream({ callId: 'c', foreign: true });
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    for (const event of reader.push(bytes.subarray(at, at + PIECE))) events.push(...decoder.push(event));
  }
  for (const event of reader.end()) events.push(...decoder.push(event));
  return [...events, ...decoder.end()];
}

/** What a client of each format reads in the end: all texts, all thinking, the calls, the end and the counts. */
function said(format: Format, text: string): string {
  let events: StreamEvent[];
  try {
    events = read(format, text);
  } catch (thrown) {
    return String(thrown);
  }
  return JSON.stringify(contentOf(events));
}

function contentOf(events: readonly StreamEvent[]): unknown[] {
  const { parts, reason, usage } = foldAll(events);
  const texts = parts.map((part) => (part.type === 'text' ? part.text : ''));
  const thoughts = parts.map((part) => (part.type === 'reasoning' ? part.text : ''));
  const called = parts.flatMap((part) =>
    part.type === 'tool-call' && part.owner !== 'provider' ? [[part.name, JSON.parse(part.input || '{}')]] : [],
  );
  return [texts.join(''), thoughts.join(''), called, reason.kind, usage];
}

/** Whether it is whole, and in what words it failed: what decides over bytes that travel as they came. */
function atEnd(format: Format, text: string): string {
  const { complete, error } = codecs[format].glance(Buffer.from(text), 'sse');
  return JSON.stringify([complete, error?.message]);
}

describe.runIf(shared)('recorded streams', () => {
  for (const format of FORMATS) {
    const streams = cases({ endpoint: ENDPOINTS[format] }).flatMap(({ id, response: { sse } }) =>
      sse ? [{ id, wire: wireOf(sse), usual: said(format, sseOf(wireOf(sse))), end: atEnd(format, sse) }] : [],
    );

    test.each(Object.entries(FRAMINGS))(`of ${format} say the same in %s`, (_what, framed) => {
      const differing = streams.filter(({ wire, usual, end }) => {
        const text = framed(sseOf(wire));
        return said(format, text) !== usual || atEnd(format, text) !== end;
      });
      expect(differing.map(({ id }) => id)).toEqual([]);
    });

    test.each(Object.entries(HABITS[format]))(`of ${format} say the same with %s`, (_what, habit) => {
      const differing = streams.filter(({ wire, usual }) => said(format, sseOf(habit(wire))) !== usual);
      expect(differing.map(({ id }) => id)).toEqual([]);
    });
  }
});

const CLAUDE = 'anthropic-claude-v1';
const chats = (...deltas: object[]): string =>
  sseOf([
    ...deltas.map((delta) => ({ data: JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta }] }) })),
    { data: '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}' },
    { data: ' [DONE] ' },
  ]);

describe('a stream of chats', () => {
  test('may tell its thinking once more at its end, signed', () => {
    const signed = { type: 'reasoning.text', text: 'hm ok', signature: 'c2ln', format: CLAUDE, index: 0 };
    const pieces = [{ reasoning: 'hm ' }, { reasoning: 'ok' }, { reasoning_details: [signed] }, { content: 'Yes.' }];
    expect(contentOf(read('openai-chat', chats(...pieces))).slice(0, 2)).toEqual(['Yes.', 'hm ok']);
  });

  test('that gives ids to calls may name one again behind its arguments, without an id', () => {
    const call = (id: string, input: string) => ({
      tool_calls: [{ index: 0, id, type: 'function', function: { name: 'look', arguments: input } }],
    });
    const pieces = [call('call_1', '{"a"'), call('', ':1}'), call('', '')];
    expect(contentOf(read('openai-chat', chats(...pieces)))[2]).toEqual([['look', { a: 1 }]]);
  });
});

test.each(FORMATS)('events without data say nothing in a stream of %s', (format) => {
  const decoder = codecs[format].decodeStream();
  expect(['', ' '].flatMap((data) => decoder.push({ data }))).toEqual([]);
});
