import type { MediaPart, Part, ReasoningPart, ToolCallPart } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { type ChatResponse, foldAll } from '../../model/response.ts';
import type { AnswerContext, AnswerHead } from '../codec.ts';
import { customNameIn, freeText } from '../custom-tools.ts';
import { Ledger } from '../ledger.ts';
import { addMembers } from '../members.ts';
import { allAnnotations } from './annotations.ts';
import { finishWord } from './finish.ts';
import { wireMedia } from './media.ts';
import { REASONING_FIELDS, wireDetails } from './reasoning.ts';
import { AnswerReader } from './stream.ts';
import { readsOlderCalls } from './tool-forms.ts';
import { nameIn } from './tools.ts';
import { wireUsage } from './usage.ts';
import { objectsOf, ownBlock } from './wire.ts';

/** A whole answer is read as a stream of one chunk, so that there is one reading of every field. */
export const decodeResponse = (body: JsonObject, context: AnswerContext = {}): ChatResponse =>
  foldAll(new AnswerReader(context).takeWhole(body));

export function encodeResponse(response: ChatResponse, head?: AnswerHead): JsonObject {
  const { message: extras, logprobs, ...choice } = choiceBlock(response);
  const calls = shownCalls(response.parts);
  const message = messageOf(response.parts, calls, head);
  addMembers(message, annotated(response));
  if (isObject(extras)) addMembers(message, extras);
  return {
    id: answerId(response.id, head, ownBlock(response.origin) !== undefined),
    object: 'chat.completion',
    created: createdAt(ownBlock(response.origin) ?? {}, head),
    model: head?.model ?? response.model,
    ...topFields(response),
    choices: [
      {
        ...choice,
        index: 0,
        message,
        logprobs: logprobs ?? null,
        finish_reason: finishWord(response.reason, shownAs(calls, head)),
      },
    ],
    usage: wireUsage(response.usage, endBlock(response).usage),
  };
}

/** Calls that the caller runs; what the gateway or the provider ran is none of its business here. */
export const isShownCall = (part: Part): part is ToolCallPart =>
  part.type === 'tool-call' && (part.owner ?? 'client') === 'client';

const shownCalls = (parts: readonly Part[]): ToolCallPart[] => parts.filter(isShownCall);

/** The upstream's id if it is of this format, one made of it or a stand-in otherwise. */
export function answerId(id: string, head: AnswerHead | undefined, sameFormat: boolean): string {
  if (id !== '' && (sameFormat || id.startsWith('chatcmpl-'))) return id;
  return `chatcmpl-${id || (head?.id ?? head?.createdAtMs ?? 0)}`;
}

/** Unix seconds. */
export function createdAt(block: JsonObject, head: Pick<AnswerHead, 'createdAtMs'> | undefined): number {
  if (typeof block.created === 'number' && block.created > 0) return block.created;
  return Math.floor((head?.createdAtMs ?? 0) / 1_000);
}

const endBlock = (response: ChatResponse): JsonObject => ownBlock(response.endOrigin) ?? {};

function choiceBlock(response: ChatResponse): JsonObject {
  const { choices } = endBlock(response);
  const first = Array.isArray(choices) ? choices[0] : undefined;
  return isObject(first) ? first : {};
}

/** Fields of the answer beside its content (`service_tier`, `citations`, ...), for clients of the same format. */
function topFields(response: ChatResponse): JsonObject {
  const { created: _created, ...start } = ownBlock(response.origin) ?? {};
  const { choices: _choices, usage: _usage, ...end } = endBlock(response);
  return { ...start, ...end };
}

function annotated({ parts, endOrigin }: ChatResponse): JsonObject {
  const texts = parts.filter((part) => part.type === 'text' && !isRefusal(part));
  const annotations = allAnnotations(texts, endOrigin);
  return annotations.length > 0 ? { annotations } : {};
}

function messageOf(parts: readonly Part[], calls: readonly ToolCallPart[], head: AnswerHead | undefined): JsonObject {
  const legacy = calls.find((call) => isLegacy(call, head));
  const text = parts
    .filter((part) => part.type === 'text' && !isRefusal(part))
    .map(textOf)
    .join('');
  const refusal = parts.filter(isRefusal).map(textOf).join('');
  const images = imagesOf(parts);
  const called = calls.length > 0;
  const message: JsonObject = {
    role: 'assistant',
    content: text === '' && (called || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
  };
  addMembers(message, reasoningOf(parts.filter((part) => part.type === 'reasoning')));
  if (legacy) message.function_call = { name: legacy.name, arguments: legacy.input || '{}' };
  else if (called) message.tool_calls = calls.map((call) => wireCall(call, head));
  if (images.length > 0) message.images = images;
  addMembers(message, audioOf(parts));
  return message;
}

const textOf = (part: Part): string => (part.type === 'text' ? part.text : '');

/** In the words of either of OpenAI's formats. */
export const isRefusal = (part: Part): boolean => part.type === 'text' && part.origin?.block.type === 'refusal';

/** A call in the form that came before `tool_calls`: one for each answer, without an id. */
export const isLegacy = (call: ToolCallPart, head?: AnswerHead): boolean =>
  isObject(ownBlock(call.origin)?.function_call) || readsOlderCalls(head);

const shownAs = (calls: readonly ToolCallPart[], head: AnswerHead | undefined) =>
  calls.length === 0 ? 'none' : calls.some((call) => isLegacy(call, head)) ? 'older-call' : 'calls';

function wireCall(call: ToolCallPart, head: AnswerHead | undefined): JsonObject {
  const block = ownBlock(call.origin) ?? {};
  if (block.type === 'custom') return { ...block, id: call.id };
  if (isCustomCall(call, head)) return { id: call.id, ...customBlock(call.name, call.input) };
  return { ...block, id: call.id, type: 'function', function: { name: call.name, arguments: call.input || '{}' } };
}

/** Whether a call has free text as its input, to a client that knows such calls: OpenAI's SDK takes them from no stream. */
export function isCustomCall({ name, origin }: ToolCallPart, head: AnswerHead | undefined): boolean {
  if (ownBlock(origin)?.type === 'custom') return true;
  const own = customNameIn(name);
  return own !== undefined && objectsOf(head?.asked?.body.tools).some((tool) => customNameIn(nameIn(tool)) === own);
}

/** A call of a custom tool that a model of another format made, as that of a function. */
export const customBlock = (name: string, input: string): JsonObject => ({
  type: 'custom',
  custom: { name: customNameIn(name) ?? name, input: freeText(input) },
});

/** Two names for one text, DeepSeek's and OpenRouter's (which is Bifrost's too): clients read the one they know. */
function reasoningOf(parts: readonly ReasoningPart[]): JsonObject {
  if (parts.length === 0) return {};
  const [only] = parts;
  const own = parts.length === 1 ? ownBlock(only?.origin) : undefined;
  if (own && hasFields(own)) return own;
  const text = parts.map((part) => part.text).join('');
  const details = parts.flatMap((part, index) => wireDetails(part.origin, index));
  const fields: JsonObject = {};
  if (text !== '') {
    fields.reasoning_content = text;
    fields.reasoning = text;
  }
  if (details.length > 0) fields.reasoning_details = details;
  return fields;
}

const hasFields = (block: JsonObject): boolean => REASONING_FIELDS.some((field) => block[field] !== undefined);

/** Answers hold no other media. */
export const isPicture = (part: Part): part is MediaPart =>
  part.type === 'media' && part.mediaType.startsWith('image/');

function imagesOf(parts: readonly Part[]): JsonObject[] {
  const losses = new Ledger();
  return parts
    .filter(isPicture)
    .map((part) => wireMedia(part, 'images', losses))
    .filter((image) => image !== undefined);
}

function audioOf(parts: readonly Part[]): JsonObject {
  const audio = parts.map((part) => ownBlock(part.origin)?.audio).find((found) => found !== undefined);
  return audio === undefined ? {} : { audio };
}
