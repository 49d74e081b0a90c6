import type { Part } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import type { JsonObject } from '../../model/json.ts';
import type { ChatResponse } from '../../model/response.ts';
import type { Citation } from '../citation.ts';
import { endCitationsByText } from '../citations.ts';
import type { AnswerContext, AnswerHead } from '../codec.ts';
import { answerBlock, isAnswer, reasonBehindAnswer } from './answer-tool.ts';
import { partOf } from './blocks.ts';
import { clientBlock } from './client-blocks.ts';
import { streamErrorOf } from './errors.ts';
import { pagesOf } from './foreign-citations.ts';
import { foreignSearch } from './foreign-search.ts';
import { uniqueIds, wireCallId } from './ids.ts';
import { finishReasonOf, stopFieldsOf } from './stop-reasons.ts';
import { usageOf, wireUsage } from './usage.ts';
import { isClientCall, objectOf, objectsOf, originOf, ownBlock, textOf } from './wire.ts';

export function decodeResponse(body: JsonObject, context: AnswerContext = {}): ChatResponse {
  if (body.error !== undefined && body.error !== null) throw streamErrorOf(body);
  if (!Array.isArray(body.content)) {
    throw new GatewayError('bad-response', 'the provider answered with something other than a message: no content');
  }
  const { start, end } = split(body);
  const id = textOf(body.id);
  const blocks = objectsOf(body.content);
  const isAsked = context.answersByTool === true && blocks.some(isAnswer);
  const content = isAsked ? blocks.map((block) => (isAnswer(block) ? answerBlock(block) : block)) : blocks;
  const reason = finishReasonOf(body);
  return {
    id,
    model: textOf(body.model),
    parts: content.map((block, index) => answerPart(partOf(block), index, id, context)),
    reason: isAsked && !content.some(isClientCall) ? reasonBehindAnswer(reason) : reason,
    usage: usageOf(objectOf(body.usage)),
    origin: originOf(start),
    endOrigin: originOf(end),
  };
}

/** A call under the request's own name, and with an id even where the wire left it out. */
export function answerPart(part: Part, index: number, responseId: string, context: AnswerContext): Part {
  if (part.type !== 'tool-call') return part;
  const name = context.toolNames?.get(part.name) ?? part.name;
  const id = part.id || wireCallId(`toolu_${context.callId ?? responseId}_${index}`);
  return name === part.name && id === part.id ? part : { ...part, name, id };
}

/** The members of a whole message as a stream brings them: at the start, and with the message_delta at the end. */
function split(body: JsonObject): { start: JsonObject; end: JsonObject } {
  const { content: _parts, stop_reason, stop_sequence, stop_details, container, context_management, ...start } = body;
  const delta: JsonObject = { stop_reason, stop_sequence };
  if (stop_details !== undefined) delta.stop_details = stop_details;
  if (container !== undefined) delta.container = container;
  const end: JsonObject = { type: 'message_delta', delta, usage: objectOf(body.usage) };
  if (context_management !== undefined) end.context_management = context_management;
  return { start, end };
}

export function encodeResponse(response: ChatResponse, head?: AnswerHead): JsonObject {
  const start = ownBlock(response.origin) ?? {};
  const { type: _event, delta, usage, ...endFields } = ownBlock(response.endOrigin) ?? {};
  const toId = uniqueIds();
  const pages = endCitationsByText(response.parts, response.endOrigin);
  const content = response.parts
    .flatMap((part) => foreignSearch(part) ?? [citing(clientBlock(part, toId), pages.get(part))])
    .filter((block) => block !== undefined);
  return {
    ...start,
    id: messageId(response.id || (head?.id ?? '')),
    type: 'message',
    role: 'assistant',
    model: head?.model ?? response.model,
    content,
    ...objectOf(delta),
    ...stopFieldsOf(response.reason, content.some(isClientCall)),
    ...endFields,
    usage: wireUsage(response.usage, { ...objectOf(start.usage), ...objectOf(usage) }),
  };
}

/** A text with the pages for places in it that another format named at the end of its answer. */
function citing(block: JsonObject | undefined, pages: readonly Citation[] | undefined): JsonObject | undefined {
  if (!block || !pages) return block;
  return { ...block, citations: [...objectsOf(block.citations), ...pagesOf(pages)] };
}

export const messageId = (id: string): string => (id.startsWith('msg_') ? id : `msg_${wireCallId(id)}`);
