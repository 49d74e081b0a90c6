import type { Origin, Part, ToolCallPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { type ChatResponse, foldAll } from '../../model/response.ts';
import { parsedInput, unreadableInput } from '../call-input.ts';
import { allCitations } from '../citations.ts';
import type { AnswerContext, AnswerHead } from '../codec.ts';
import { Ledger } from '../ledger.ts';
import { addMembers, withMembers } from '../members.ts';
import { camelCased } from './casing.ts';
import { finishWord } from './finish.ts';
import { groundingFields } from './grounding.ts';
import { wireMedia } from './media.ts';
import { splitId } from './signatures.ts';
import { AnswerReader } from './stream.ts';
import { wireUsage } from './usage.ts';
import { objectOf, objectsOf, ownBlock } from './wire.ts';

/** A whole answer is read as a stream of one chunk, so that there is one reading of every field. */
export const decodeResponse = (body: JsonObject, context: AnswerContext = {}): ChatResponse =>
  foldAll(new AnswerReader(context).takeWhole(camelCased(body)));

export function encodeResponse(response: ChatResponse, head?: AnswerHead): JsonObject {
  const parts = response.parts.map(clientPart).filter((part) => part !== undefined);
  const { endOrigin } = response;
  const { text, citations } = allCitations(response.parts, ownBlock(endOrigin) ? undefined : endOrigin);
  const body = closingFields(response, parts, groundingFields(citations, text));
  addMembers(body, identity(response, head));
  return body;
}

/** Names the answer: the version of the model that answered, where the upstream said it. */
export function identity({ id, model }: Pick<ChatResponse, 'id' | 'model'>, head?: AnswerHead): JsonObject {
  const responseId = id || head?.id;
  const modelVersion = model || (head?.model ?? '');
  return responseId ? { modelVersion, responseId } : { modelVersion };
}

/** The candidate with its ending and the counts, which stand in the last chunk of a stream; `grounding`: other formats' pages. */
export function closingFields(
  { reason, usage, endOrigin }: Pick<ChatResponse, 'reason' | 'usage' | 'endOrigin'>,
  parts: readonly JsonObject[],
  grounding: JsonObject = {},
): JsonObject {
  const { candidates, usageMetadata, ...fields } = ownBlock(endOrigin) ?? {};
  if (!isRefusedPrompt(endOrigin) || parts.length > 0) {
    const candidate = withMembers(objectsOf(candidates)[0] ?? {}, grounding);
    candidate.content = { parts: [...parts], role: 'model' };
    candidate.finishReason = finishWord(reason);
    candidate.index = 0;
    fields.candidates = [candidate];
  }
  fields.usageMetadata = wireUsage(usage, usageMetadata);
  return fields;
}

/** Such an answer has no candidate. */
export const isRefusedPrompt = (endOrigin: Origin | undefined): boolean =>
  Boolean(objectOf(ownBlock(endOrigin)?.promptFeedback).blockReason);

/** A part as the client is shown it, whole. What the gateway or another provider ran is none of its business. */
export function clientPart(part: Part): JsonObject | undefined {
  const own = ownBlock(part.origin);
  switch (part.type) {
    case 'text':
      // a client sends its history as it got it, and the API refuses parts that are empty
      return own || part.text !== '' ? { ...own, text: part.text } : undefined;
    case 'reasoning':
      return own || part.text !== '' ? { ...own, text: part.text, thought: true } : undefined;
    case 'media':
      return wireMedia(part, 'parts', new Ledger());
    case 'tool-call':
      return (part.owner ?? 'client') === 'client' ? clientCall(part, own) : undefined;
    case 'tool-result':
      return undefined;
    case 'opaque':
      return own;
  }
}

function clientCall(part: ToolCallPart, own: JsonObject | undefined): JsonObject {
  const { id, signature } = splitId(part.id);
  const args = parsedInput(part.input) ?? unreadableInput(part.input);
  const signed = own === undefined && signature !== '' ? { thoughtSignature: signature } : {};
  return { ...own, ...signed, functionCall: { ...objectOf(own?.functionCall), id, name: part.name, args } };
}
