import type { MediaPart, Origin, Part, ReasoningPart } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { ChatResponse } from '../../model/response.ts';
import { parsedInput, unreadableInput } from '../call-input.ts';
import { endCitationsByText } from '../citations.ts';
import type { AnswerContext } from '../codec.ts';
import { streamError } from './errors.ts';
import { finishReasonOf, stopReasonOf } from './finish.ts';
import { citationsBlocks, foreignCitations, wireCitations } from './foreign-citations.ts';
import { uniqueIds } from './ids.ts';
import { documentNames, mediaBlock } from './media.ts';
import { partOf } from './parts.ts';
import { usageOf, wireUsage } from './usage.ts';
import { objectOf, objectsOf, originOf, ownBlock, textOf } from './wire.ts';

export function decodeResponse(body: JsonObject, context: AnswerContext = {}): ChatResponse {
  const { output, ...ending } = body;
  const { message } = objectOf(output);
  if (!isObject(message)) {
    if (typeof body.message === 'string') throw streamError(body);
    throw new GatewayError('bad-response', 'the provider answered with something other than a message: no output');
  }
  return {
    id: context.callId ?? '',
    model: '',
    parts: objectsOf(message.content).map((block, index) => answerPart(partOf(block), index, context)),
    reason: finishReasonOf(ending),
    usage: usageOf(objectOf(ending.usage)),
    endOrigin: originOf(ending),
  };
}

/** A call under the request's own name, and with an id even where the wire left it out. */
export function answerPart(part: Part, index: number, context: AnswerContext): Part {
  if (part.type !== 'tool-call') return part;
  const name = context.toolNames?.get(part.name) ?? part.name;
  const id = part.id || `tooluse_${context.callId ?? ''}_${index}`.replace(/[^a-zA-Z0-9_-]/g, '_');
  return name === part.name && id === part.id ? part : { ...part, name, id };
}

export function encodeResponse(response: ChatResponse): JsonObject {
  const toId = uniqueIds();
  const pages = endCitationsByText(response.parts, response.endOrigin);
  const content = response.parts.flatMap((part) => {
    const block = clientBlock(part, toId);
    if (part.type !== 'text' || !block) return block ? [block] : [];
    const own = ownBlock(part.origin) ? [] : foreignCitations(part.origin);
    return [block, ...citationsBlocks([...own, ...wireCitations(pages.get(part) ?? [])])];
  });
  const { stop, metadata } = endingOf(response, content.some(isCall));
  return { output: { message: { role: 'assistant', content } }, ...stop, ...metadata };
}

const isCall = (block: JsonObject): boolean => isObject(block.toolUse);

export interface Ending {
  /** What a stream says in messageStop. */
  readonly stop: JsonObject;
  /** What a stream says in its last event. */
  readonly metadata: JsonObject;
}

/** What an answer says beside its content: the upstream's own words where it spoke this format. */
export function endingOf(
  { reason, usage, endOrigin }: Pick<ChatResponse, 'reason' | 'usage'> & { endOrigin?: Origin },
  hasClientCall: boolean,
): Ending {
  const {
    stopReason: _theirs,
    additionalModelResponseFields: additional,
    usage: counts,
    ...rest
  } = ownBlock(endOrigin) ?? {};
  const sequence = reason.stopSequence === undefined ? undefined : { stop_sequence: reason.stopSequence };
  const told = additional ?? sequence;
  const stop: JsonObject = { stopReason: stopReasonOf(reason, hasClientCall) };
  if (told !== undefined) stop.additionalModelResponseFields = told;
  // the API always tells a latency (Bedrock API, ConverseMetrics)
  return { stop, metadata: { usage: wireUsage(usage, counts), metrics: { latencyMs: 0 }, ...rest } };
}

/**
 * A part of an answer as the client is shown it, whole; undefined for what this format has no words for. `toId` makes
 * the id of a call. What the gateway or another provider ran is none of the client's business.
 */
export function clientBlock(part: Part, toId: (id: string) => string): JsonObject | undefined {
  const own = ownBlock(part.origin);
  switch (part.type) {
    case 'text':
      return own && typeof own.text !== 'string' ? own : { ...own, text: part.text };
    case 'reasoning':
      return own ?? reasoningBlock(part);
    case 'media':
      return own ?? shownMedia(part);
    case 'tool-call': {
      if ((part.owner ?? 'client') !== 'client') return undefined;
      const input = parsedInput(part.input) ?? unreadableInput(part.input);
      return { toolUse: { ...objectOf(own?.toolUse), toolUseId: toId(part.id), name: part.name, input } };
    }
    case 'tool-result':
      return undefined;
    case 'opaque':
      return own;
  }
}

/** Claude's thinking keeps its signature, so that it can go back to Claude wherever it is served. */
export function reasoningBlock({ text, origin }: ReasoningPart): JsonObject {
  const { type, data, signature } = origin?.codec === 'anthropic-messages' ? origin.block : {};
  if (type === 'redacted_thinking') {
    return { reasoningContent: { redactedContent: Buffer.from(textOf(data), 'utf8').toString('base64') } };
  }
  return { reasoningContent: { reasoningText: { text, ...(textOf(signature) !== '' && { signature }) } } };
}

/** An address stays usable as text: the API's own images are bytes. */
function shownMedia(part: MediaPart): JsonObject | undefined {
  const { source, mediaType, name } = part;
  if (source.type !== 'url') return mediaBlock(part, documentNames());
  return { text: mediaType.startsWith('image/') ? `![${name ?? mediaType}](${source.url})` : source.url };
}
