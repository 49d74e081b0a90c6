import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { foldAll } from '../../src/model/response.ts';
import { streamReadByAws } from '../codecs/bedrock-converse/aws.ts';
import { type Loopback, onLoopback } from '../support/loopback.ts';
import type { Format } from './answers.ts';
import { INVENTED, type InventedAnswer } from './invented-answers.ts';
import { type AskSdk, sdksAt } from './sdks.ts';

// Streams that nobody recorded, translated and read by the official SDK of every format.

/** What the provider's stream means, its bytes in pieces of seven. */
function eventsOfAnswer({ provider, chunks }: InventedAnswer): StreamEvent[] {
  const named = ({ type }: JsonObject): string => (typeof type === 'string' ? `event: ${type}\n` : '');
  const wire = chunks.map((chunk) => `${named(chunk)}data: ${JSON.stringify(chunk)}\n\n`).join('');
  const bytes = Buffer.from(provider === 'openai-chat' ? `${wire}data: [DONE]\n\n` : wire);
  const reader = createSseReader();
  const decoder = codecs[provider].decodeStream({ callId: 'c' });
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length; at += 7) {
    for (const event of reader.push(bytes.subarray(at, at + 7))) events.push(...decoder.push(event));
  }
  return [...events, ...decoder.end()];
}

const FORMAT_OF_PATH: readonly (readonly [RegExp, Format])[] = [
  [/chat\/completions/, 'openai-chat'],
  [/v1\/responses/, 'openai-responses'],
  [/anthropic/, 'anthropic-messages'],
  [/genai/, 'gemini'],
];

let events: readonly StreamEvent[] = [];
let server: Loopback;
let sdks: Readonly<Record<Format, AskSdk>>;

/** Answers every format with the events of the moment. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '';
  const format = FORMAT_OF_PATH.find(([pattern]) => pattern.test(path))?.[1] ?? 'openai-chat';
  const codec = codecs[format];
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as JsonObject;
    const head = { model: 'm', createdAtMs: 1, asked: { body } };
    if (body.stream !== true && !/stream/i.test(path)) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(codec.encodeResponse(foldAll(structuredClone(events)), head)));
      return;
    }
    response.setHeader('content-type', 'text/event-stream');
    response.end(events.map(codec.encodeStream(head)).join(''));
  });
}

beforeAll(async () => {
  server = await onLoopback(createServer(answer));
  sdks = sdksAt(server.url);
});
afterAll(() => server.close());

const CLIENTS: readonly Format[] = ['anthropic-messages', 'gemini', 'openai-chat', 'openai-responses'];

describe.each(INVENTED.map((one) => [one.provider, one.what, one] as const))('of %s: %s', (_provider, _what, given) => {
  test.each(CLIENTS.flatMap((client) => [[client, true] as const, [client, false] as const]))(
    'is read by the SDK of %s (stream: %s)',
    async (client, stream) => {
      events = eventsOfAnswer(given);
      const read = await sdks[client]('m', stream);
      if ('failed' in read) throw new Error(read.message);
      expect({
        text: read.text + read.refusal,
        reasoning: read.reasoning,
        calls: read.calls.map(({ name, arguments: input }) => [name, input]),
        input: read.usage.input,
        output: read.usage.output,
      }).toEqual({
        text: given.text,
        reasoning: given.reasoning ?? '',
        calls: given.calls ?? [],
        input: 11,
        output: 7,
      });
      expect(new Set(read.calls.map(({ id }) => id)).size).toBe(read.calls.length);
    },
  );

  test('is read by the SDK of bedrock-converse', async () => {
    const { text, reasoning, calls } = await streamReadByAws(eventsOfAnswer(given), 11);
    expect([text, reasoning, calls.map(({ name, arguments: input }) => [name, input])]).toEqual([
      given.text,
      given.reasoning ?? '',
      given.calls ?? [],
    ]);
  });
});
