import type { MediaPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { parsedInput, UNREADABLE, unreadableInput } from '../call-input.ts';
import { foreignBlock } from '../foreign-block.ts';
import type { Ledger } from '../ledger.ts';
import { BILLING_HEADER_LEFT_OUT, isBillingHeader } from '../left-out-text.ts';
import type { WireNames } from '../wire-names.ts';
import { documentOf } from './documents.ts';
import { mediaBlock } from './media.ts';
import type { ModelTraits } from './models.ts';
import { objectOf, ownBlock, textOf } from './wire.ts';

/** What writing a body goes by, and where it accounts for what it changes. */
export interface Writing {
  readonly traits: ModelTraits;
  readonly names: WireNames;
  readonly callIds: (id: string) => string;
  readonly documentNames: (name: string) => string;
  readonly ledger: Ledger;
  /** False where the model is known to read text only; Bedrock refuses a conversation with anything else in it. */
  readonly sees?: boolean | undefined;
}

/** Text that the validator calls empty: white space, and the characters that it counts as such. */
const BLANK = /^[\s\u00ad\u200b-\u200d\u2060\ufeff]*$/u;

/**
 * A part of system, user or assistant content as blocks; none when it is left out, which the ledger then says. Calls
 * and results are written by `toolUseBlock` and `toolResultBlock`, which pair them.
 */
export function contentBlocks(part: Part, at: string, writing: Writing): JsonObject[] {
  const block = contentBlock(part, at, writing);
  return block ? [block, ...cachePoints(part, at, writing)] : [];
}

function contentBlock(part: Part, at: string, writing: Writing): JsonObject | undefined {
  const { ledger } = writing;
  const drop = (reason: string): undefined => ledger.dropped(at, reason) as undefined;
  switch (part.type) {
    case 'text':
      return textBlock(part, drop);
    case 'reasoning':
      return signedBlock(part, writing) ?? drop('thinking goes back only to the model that signed it');
    case 'media':
      if (writing.sees === false && !ownMedia(part)) return leftOut(part, drop);
      return ownMedia(part) ?? namedMedia(part, at, writing) ?? drop(`Bedrock takes no ${part.mediaType} so`);
    case 'opaque':
      return ownBlock(part.origin) ?? drop(foreignBlock(part.origin));
    case 'tool-call':
    case 'tool-result':
      return drop('a tool call or its result stands where this format has no place for it');
  }
}

/** "This model doesn't support the image content block that you provided": words stand for it. */
function leftOut({ name, mediaType }: MediaPart, drop: (reason: string) => undefined): JsonObject {
  const why = 'this model reads text only';
  drop(why);
  return { text: `[${name ?? mediaType} left out: ${why}]` };
}

/** The block as it came, unless its text was edited since. */
function textBlock({ text, origin }: TextPart, drop: (reason: string) => undefined): JsonObject | undefined {
  const own = ownBlock(origin);
  if (own && typeof own.text !== 'string') return own;
  if (BLANK.test(text)) return drop('a text block must not be empty');
  if (own) return own.text === text ? own : { ...own, text };
  return isBillingHeader(text) ? drop(BILLING_HEADER_LEFT_OUT) : { text };
}

/** Byte for byte, or not at all: signed thinking must not be changed, unsigned thinking is refused. */
function signedBlock({ origin }: ReasoningPart, { traits }: Writing): JsonObject | undefined {
  const own = ownBlock(origin);
  if (own) {
    const { reasoningText, redactedContent } = objectOf(own.reasoningContent);
    return redactedContent !== undefined || objectOf(reasoningText).signature ? own : undefined;
  }
  // Claude's signatures are good wherever Claude is served (Anthropic, extended thinking)
  if (!traits.isClaude || origin?.codec !== 'anthropic-messages') return undefined;
  const { thinking, signature } = origin.block;
  if (typeof thinking !== 'string' || typeof signature !== 'string' || signature === '') return undefined;
  return { reasoningContent: { reasoningText: { text: thinking, signature } } };
}

/** Documents want a name of a narrow alphabet that no other document of the request has. */
function namedMedia(part: MediaPart, at: string, { documentNames, ledger }: Writing): JsonObject | undefined {
  const block = mediaBlock(part, documentNames);
  const name = objectOf(block?.document).name;
  if (block && !block.document && part.name !== undefined)
    ledger.dropped(`${at}.filename`, 'only documents have a name');
  if (name !== undefined && name !== part.name) {
    ledger.rewritten(`${at}.document`, 'Bedrock wants names of letters and digits, each of them once');
  }
  return block;
}

const ownMedia = ({ origin }: MediaPart): JsonObject | undefined => ownBlock(origin);

/** Anthropic's cache mark on a block, which OpenRouter's clients write too, is a block of its own here, behind it. */
export function cachePoints({ origin }: Part, at: string, { traits, ledger }: Writing): JsonObject[] {
  const mark = origin?.block.cache_control;
  if (!isObject(mark)) return [];
  if (traits.caches) return [cachePoint(mark)];
  ledger.dropped(`${at}.cache_control`, 'this model takes no cache points');
  return [];
}

export const cachePoint = ({ ttl }: JsonObject): JsonObject => ({
  cachePoint: { type: 'default', ...(typeof ttl === 'string' && { ttl }) },
});

/** A call for the history; `id` is the one that its result will use too. */
export function toolUseBlock(part: ToolCallPart, id: string, at: string, { names, ledger }: Writing): JsonObject {
  const name = names.of(part.name);
  const own = objectOf(ownBlock(part.origin)?.toolUse);
  const read = isObject(own.input) ? own.input : parsedInput(part.input);
  if (!read) ledger.rewritten(`${at}.toolUse.input`, UNREADABLE);
  const { value, changed } = documentOf(read ?? unreadableInput(part.input));
  if (changed) ledger.rewritten(`${at}.toolUse.input`, 'Bedrock takes no empty keys in JSON');
  const toolUse: JsonObject = { ...own };
  toolUse.toolUseId = id;
  toolUse.name = name;
  toolUse.input = value;
  return { toolUse };
}

export function toolResultBlock(part: ToolResultPart, id: string, at: string, writing: Writing): JsonObject {
  const own = ownBlock(part.origin);
  if (own) return { ...own, toolResult: { ...objectOf(own.toolResult), toolUseId: id } };
  const { ledger, traits } = writing;
  const content: JsonObject[] = [];
  part.content.forEach((inner, index) => {
    const block = resultContent(inner, `${at}.content.${index}`, writing);
    if (block) content.push(block);
  });
  if (content.length === 0) ledger.invented(`${at}.toolResult.content`, 'a result without content is refused');
  // only Claude and Nova know a status (Bedrock API, ToolResultBlock)
  const knowsStatus = traits.isClaude || traits.isNova;
  if (part.isError && !knowsStatus) ledger.dropped(`${at}.is_error`, 'this model knows no status of results');
  const toolResult: JsonObject = { toolUseId: id, content: content.length > 0 ? content : [{ text: '(no content)' }] };
  if (part.isError && knowsStatus) toolResult.status = 'error';
  return { toolResult };
}

function resultContent(part: Part, at: string, writing: Writing): JsonObject | undefined {
  if (part.type === 'text') return part.text === '' ? undefined : resultText(part, writing);
  const block = contentBlock(part, at, writing);
  if (block || part.type !== 'media') return block;
  // a result without a word of what it was would be taken for nothing
  return { text: `[${part.mediaType} left out: this model takes none]` };
}

/** Tool search names tools; the model must read the name under which it can call them. */
function resultText({ text, origin }: TextPart, { names }: Writing): JsonObject {
  const name = origin?.block.type === 'tool_reference' ? textOf(origin.block.tool_name) : '';
  const said = name === '' ? text : text.replace(name, names.of(name));
  return { text: BLANK.test(said) ? '(blank)' : said };
}

/** For a call that nobody answered: without a result Bedrock refuses the whole conversation. */
export const missingResultBlock = (id: string, { isClaude, isNova }: ModelTraits): JsonObject => ({
  toolResult: {
    toolUseId: id,
    content: [{ text: 'The call was interrupted: there is no result.' }],
    ...((isClaude || isNova) && { status: 'error' }),
  },
});
