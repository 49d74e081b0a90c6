import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import type { AnswerContext, EncodeTarget } from '../../../src/codecs/codec.ts';
import { createSseReader } from '../../../src/codecs/sse.ts';
import type { Message, Part } from '../../../src/model/content.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import type { ChatRequest, DecodedRequest, Settings } from '../../../src/model/request.ts';
import { type ChatResponse, foldAll } from '../../../src/model/response.ts';

/** The events of a stream whose bytes come in pieces of `pieceSize`; throws what the decoder throws. */
export function decodedStream(sse: string, pieceSize = 1_024, context?: AnswerContext): StreamEvent[] {
  const bytes = Buffer.from(sse);
  const reader = createSseReader();
  const decoder = anthropicMessages.decodeStream(context);
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length; at += pieceSize) {
    for (const event of reader.push(bytes.subarray(at, at + pieceSize))) events.push(...decoder.push(event));
  }
  for (const event of reader.end()) events.push(...decoder.push(event));
  events.push(...decoder.end());
  return events;
}

export const encodedStream = (events: readonly StreamEvent[], model = 'm'): string =>
  events.map(anthropicMessages.encodeStream({ model })).join('');

/** What a client of this format reads out of events. */
export const seenByClient = (events: readonly StreamEvent[]): ChatResponse =>
  foldAll(decodedStream(encodedStream(events)));

/** The data of every event of an SSE text. */
export const dataOf = (sse: string): JsonObject[] =>
  createSseReader()
    .push(Buffer.from(sse))
    .map((event) => JSON.parse(event.data));

/** A request as the HTTP layer makes it of a body, with its raw body or (as after an edit) without. */
export function requestOf(body: JsonObject, { raw = true }: { raw?: boolean } = {}): ChatRequest {
  const decoded: DecodedRequest = anthropicMessages.decodeRequest(body);
  return {
    model: String(body.model),
    stream: body.stream === true,
    fallbacks: [],
    messages: decoded.messages,
    tools: decoded.tools,
    toolChoice: decoded.toolChoice,
    settings: decoded.settings,
    untouched: raw && decoded.rewritten !== true,
    ...(raw &&
      decoded.rewritten !== true && {
        raw: {
          codec: 'anthropic-messages',
          bytes: Buffer.from(JSON.stringify(body)),
          withModel: () => Buffer.from(''),
          has: (field) => field in body,
          member: (field) => body[field],
          body,
          messageCount: decoded.messages.length,
          toolCount: decoded.tools.length,
        },
      }),
  };
}

/** A request that came in another format. */
export const foreignRequest = (messages: readonly Message[], rest: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'anthropic/claude-sonnet-4-5',
  stream: false,
  fallbacks: [],
  messages,
  tools: [],
  settings: { maxOutputTokens: 1_000 },
  untouched: false,
  ...rest,
});

export const TARGET = { model: 'claude-sonnet-4-5', stream: false } as const;

export const text = (value: string): Part => ({ type: 'text', text: value });

export const call = (id: string, name = 'look', input = '{}'): Part => ({ type: 'tool-call', id, name, input });

export const result = (callId: string, value = 'ok'): Part => ({
  type: 'tool-result',
  callId,
  content: [text(value)],
  isError: false,
});

/** A question of another format under these settings. */
export const ask = (settings: Settings, rest: Partial<ChatRequest> = {}): ChatRequest =>
  foreignRequest([{ role: 'user', parts: [text('x')] }], { settings, ...rest });

/** What leaves for a provider of this format; losses as `<action> <field>`. */
export function sent(request: ChatRequest, target: Partial<EncodeTarget> = {}) {
  const { body, losses, toolNames } = anthropicMessages.encodeRequest(request, { ...TARGET, ...target });
  return {
    body,
    messages: body.messages,
    losses: losses.map(({ field, action }) => `${action} ${field}`),
    toolNames,
  };
}
