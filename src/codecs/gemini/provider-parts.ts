import type { Part, TextPart, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { parsedInput, UNREADABLE, unreadableInput } from '../call-input.ts';
import type { EncodeTarget } from '../codec.ts';
import { foreignBlock } from '../foreign-block.ts';
import type { Ledger } from '../ledger.ts';
import { whyLeftOut } from '../left-out-text.ts';
import type { WireNames } from '../wire-names.ts';
import { wireMedia } from './media.ts';
import { traitsOf } from './models.ts';
import { signatureOf, splitId } from './signatures.ts';
import { objectOf, ownBlock, textOf } from './wire.ts';

/** What writing a body goes by, and where it accounts for what it changes. */
export interface Writing {
  readonly target: EncodeTarget;
  readonly names: WireNames;
  readonly ledger: Ledger;
}

/** A part of system, user or model contents that is neither call nor result; undefined when it is left out. */
export function contentPart(part: Part, at: string, writing: Writing): JsonObject | undefined {
  const { ledger } = writing;
  switch (part.type) {
    case 'text':
      return textPart(part, at, writing);
    case 'media':
      return wireMedia(part, at, ledger);
    case 'reasoning': {
      const own = ownBlock(part.origin);
      if (!own) ledger.dropped(at, 'thinking goes back only to the model that made it');
      return own;
    }
    case 'opaque': {
      const own = ownBlock(part.origin);
      if (!own) ledger.dropped(at, foreignBlock(part.origin));
      return own;
    }
    default:
      ledger.dropped(at, 'a tool call or its result stands where this format has no place for it');
      return undefined;
  }
}

function textPart({ text, origin }: TextPart, at: string, { ledger, names }: Writing): JsonObject | undefined {
  const own = ownBlock(origin);
  if (own) return own.text === text ? own : { ...own, text };
  const why = whyLeftOut(text);
  if (why !== undefined) {
    ledger.dropped(at, why);
    return undefined;
  }
  // tool search names tools; the model must read the name under which it can call them
  const name = origin?.block.type === 'tool_reference' ? textOf(origin.block.tool_name) : '';
  if (name === '') return { text };
  ledger.rewritten(at, 'what a tool search found is told in words');
  return { text: text.replace(name, names.of(name)) };
}

/** A call for the history, signed if its signature is known. */
export function callPart(part: ToolCallPart, at: string, { names, ledger }: Writing): JsonObject {
  const name = names.of(part.name);
  const own = ownBlock(part.origin);
  if (own) {
    const call = objectOf(own.functionCall);
    return call.name === name ? own : { ...own, functionCall: { ...call, name } };
  }
  if (name !== part.name) ledger.rewritten(`${at}.functionCall.name`, 'the API takes no such name');
  const args = parsedInput(part.input);
  if (!args) ledger.rewritten(`${at}.functionCall.args`, UNREADABLE);
  const signature = signatureOf(part);
  const functionCall = { id: splitId(part.id).id, name, args: args ?? unreadableInput(part.input) };
  return signature === '' ? { functionCall } : { functionCall, thoughtSignature: signature };
}

export interface WrittenResult {
  readonly part: JsonObject;
  /** Media that the model does not take inside a result: they follow it. */
  readonly attachments: readonly JsonObject[];
}

/** `call` is the wire's own form of the call that is answered: result and call must agree in name and id. */
export function resultPart(result: ToolResultPart, call: JsonObject, at: string, writing: Writing): WrittenResult {
  const own = ownBlock(result.origin);
  if (own) return { part: agreeing(own, call), attachments: [] };
  const texts: string[] = [];
  const media: JsonObject[] = [];
  result.content.forEach((part, index) => {
    const block =
      part.type === 'text' && part.text === '' ? undefined : contentPart(part, `${at}.parts.${index}`, writing);
    if (block && typeof block.text === 'string') texts.push(block.text);
    else if (block) media.push(block);
  });
  const holdsMedia = traitsOf(writing.target.model).generation >= 3 && media.every((block) => block.inlineData);
  if (media.length > 0 && !holdsMedia) {
    writing.ledger.rewritten(at, 'results hold text only; what else they brought follows as the user');
    writing.ledger.invented(at, 'a line says whose attachments follow');
    texts.push(`[${media.length} attachment(s) of this result follow]`);
  }
  const told = texts.join('\n');
  const response: JsonObject = result.isError ? { error: told } : { output: told };
  return {
    part: functionResponse(call, response, holdsMedia ? media : []),
    attachments:
      holdsMedia || media.length === 0
        ? []
        : [{ text: `Attachment(s) of the result of ${textOf(call.name)}:` }, ...media],
  };
}

function functionResponse({ id, name }: JsonObject, response: JsonObject, parts: JsonObject[]): JsonObject {
  const answer: JsonObject = {};
  if (id !== undefined) answer.id = id;
  answer.name = name;
  answer.response = response;
  if (parts.length > 0) answer.parts = parts;
  return { functionResponse: answer };
}

/** A client may leave the id away; a wrong one, another name, or an id that only we gave would match no call. */
function agreeing(own: JsonObject, { id, name }: JsonObject): JsonObject {
  const response = objectOf(own.functionResponse);
  if (response.name === name && (response.id === undefined || response.id === id)) return own;
  const { id: _, ...rest } = response;
  return { ...own, functionResponse: { ...(id !== undefined && { id }), ...rest, name } };
}

/** For a call that nobody answered: as many results as calls must follow a turn. */
export const missingResult = (call: JsonObject): JsonObject =>
  functionResponse(call, { error: 'The call was interrupted: there is no result.' }, []);
