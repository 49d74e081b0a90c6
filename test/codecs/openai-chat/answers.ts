import type { AnswerContext } from '../../../src/codecs/codec.ts';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { type ChatResponse, foldAll } from '../../../src/model/response.ts';
import { decodedPieces } from '../pieces.ts';

/** The events of SSE text that arrives in the given pieces. */
export const decoded = (pieces: readonly Uint8Array[], context?: AnswerContext): StreamEvent[] =>
  decodedPieces(openaiChat, pieces, context);

export const streamed = (text: string, context?: AnswerContext): ChatResponse =>
  foldAll(decoded([Buffer.from(text)], context));

/** SSE text of chunks, ended by `[DONE]`. */
export const sseOf = (...chunks: readonly (JsonObject | string)[]): string =>
  [...chunks.map((chunk) => (typeof chunk === 'string' ? chunk : JSON.stringify(chunk))), '[DONE]']
    .map((data) => `data: ${data}\n\n`)
    .join('');

/** A chunk of one delta. */
export const chunk = (delta: JsonObject, finish: string | null = null, more: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});

export const textIn = (response: ChatResponse): string =>
  response.parts
    .map((part) => (part.type === 'text' && part.origin?.block.type !== 'refusal' ? part.text : ''))
    .join('');

export const refusalIn = (response: ChatResponse): string =>
  response.parts
    .map((part) => (part.type === 'text' && part.origin?.block.type === 'refusal' ? part.text : ''))
    .join('');

export const thinkingIn = (response: ChatResponse): string =>
  response.parts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('');

export const callsIn = (response: ChatResponse): { id: string; name: string; input: string }[] =>
  response.parts.flatMap((part) =>
    part.type === 'tool-call' ? [{ id: part.id, name: part.name, input: part.input }] : [],
  );
