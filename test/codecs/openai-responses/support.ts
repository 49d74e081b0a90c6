import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AnswerContext } from '../../../src/codecs/codec.ts';
import { isNative } from '../../../src/codecs/native-tools.ts';
import { openaiResponses } from '../../../src/codecs/openai-responses/index.ts';
import { createSseReader } from '../../../src/codecs/sse.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { type ChatResponse, foldAll } from '../../../src/model/response.ts';
import { decodedPieces } from '../pieces.ts';

/** A wire text or body of this format. */
export const fixture = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../fixtures/openai-responses', name), 'utf8');

/** The events of SSE text that arrives in the given pieces. */
export const decoded = (pieces: readonly Uint8Array[], context?: AnswerContext): StreamEvent[] =>
  decodedPieces(openaiResponses, pieces, context);

export const streamed = (text: string, context?: AnswerContext): ChatResponse =>
  foldAll(decoded([Buffer.from(text)], context));

/** SSE text of events as OpenAI frames them. */
export const sseOf = (...events: readonly JsonObject[]): string =>
  events
    .map((event, at) => `event: ${String(event.type)}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`)
    .join('');

export const encodedStream = (events: readonly StreamEvent[]): string =>
  events.map(openaiResponses.encodeStream({ model: 'asked/for', createdAtMs: 5_000, id: 'stand-in' })).join('');

/** The data of every event of an SSE text. */
export const dataOf = (sse: string): JsonObject[] => {
  const reader = createSseReader();
  return [...reader.push(Buffer.from(sse)), ...reader.end()].map((event) => JSON.parse(event.data));
};

export const textIn = ({ parts }: ChatResponse): string =>
  parts.map((part) => (part.type === 'text' && part.origin?.block.type !== 'refusal' ? part.text : '')).join('');

export const thinkingIn = ({ parts }: ChatResponse): string =>
  parts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('');

/** The functions called, under their names on the wire. */
export const callsIn = ({ parts }: ChatResponse): { id: string; name: string; arguments: unknown }[] =>
  parts.flatMap((part) =>
    part.type === 'tool-call' && !part.name.startsWith('::') && !isNative(part.origin)
      ? [{ id: part.id, name: part.name.split('::').at(-1) ?? '', arguments: JSON.parse(part.input || '{}') }]
      : [],
  );

/** The item types of an answer in order, as its parts remember them. */
export function itemsIn({ parts }: ChatResponse): string[] {
  const items: string[] = [];
  let message: unknown;
  for (const part of parts) {
    const block = part.origin?.block ?? {};
    const id = JSON.stringify(block.message ?? null);
    if (part.type !== 'text') items.push(String(block.type));
    else if (items.at(-1) !== 'message' || id !== message) items.push('message');
    message = id;
  }
  return items;
}
