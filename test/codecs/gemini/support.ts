import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AnswerContext } from '../../../src/codecs/codec.ts';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import { createSseReader } from '../../../src/codecs/sse.ts';
import type { Message } from '../../../src/model/content.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';
import type { ChatRequest } from '../../../src/model/request.ts';

/** A recorded wire text or body of this format. */
export const fixture = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../fixtures/gemini', name), 'utf8');

/** The events of a stream whose bytes come in pieces of `pieceSize`; throws what the decoder throws. */
export function decodedStream(sse: string, pieceSize = 1_024, context?: AnswerContext): StreamEvent[] {
  const bytes = Buffer.from(sse);
  const reader = createSseReader();
  const decoder = gemini.decodeStream(context);
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length; at += pieceSize) {
    for (const event of reader.push(bytes.subarray(at, at + pieceSize))) events.push(...decoder.push(event));
  }
  for (const event of reader.end()) events.push(...decoder.push(event));
  return [...events, ...decoder.end()];
}

export const encodedStream = (events: readonly StreamEvent[], model = 'm'): string =>
  events.map(gemini.encodeStream({ model })).join('');

/** The data of every event of an SSE text. */
export const dataOf = (sse: string): JsonObject[] =>
  createSseReader()
    .push(Buffer.from(sse))
    .map((event) => JSON.parse(event.data));

/** Chunks as Google writes them: CRLF behind each line. */
export const streamOf = (...chunks: readonly JsonObject[]): string =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('');

/** One chunk with these parts. */
export const chunk = (parts: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: 'model', parts: [...parts] }, ...more }],
  modelVersion: 'gemini-3-pro',
  responseId: 'r1',
});

/** A request as the HTTP layer makes it of a body, with its raw body or (as after an edit) without. */
export function requestOf(body: JsonObject, { raw = true }: { raw?: boolean } = {}): ChatRequest {
  const decoded = gemini.decodeRequest(body);
  return {
    model: 'gemini/gemini-3-pro',
    stream: false,
    fallbacks: [],
    messages: decoded.messages,
    tools: decoded.tools,
    toolChoice: decoded.toolChoice,
    settings: decoded.settings,
    untouched: raw,
    ...(raw && {
      raw: {
        codec: 'gemini',
        bytes: Buffer.from(JSON.stringify(body)),
        withModel: () => Buffer.from(''),
        has: (field: string) => field in body,
        member: (field: string) => body[field],
        body,
        messageCount: decoded.messages.length,
        toolCount: decoded.tools.length,
      },
    }),
  };
}

/** A request that came in another format. */
export const foreignRequest = (messages: readonly Message[], rest: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'gemini/gemini-3-pro',
  stream: false,
  fallbacks: [],
  messages,
  tools: [],
  settings: {},
  untouched: false,
  ...rest,
});

export const TARGET = { model: 'gemini-3-pro', stream: false } as const;

export const objects = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
