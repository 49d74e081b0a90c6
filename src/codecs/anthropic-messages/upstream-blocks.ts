import type {
  MediaPart,
  Origin,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { parsedInput, UNREADABLE, unreadableInput } from '../call-input.ts';
import { foreignBlock } from '../foreign-block.ts';
import { imageTypeOf } from '../image-type.ts';
import type { Ledger } from '../ledger.ts';
import type { ToolNames } from './tool-names.ts';
import { ownBlock } from './wire.ts';

/** What writing a body goes by, and where it accounts for what it changes. */
export interface Writing {
  readonly names: ToolNames;
  readonly callIds: (id: string) => string;
  readonly ledger: Ledger;
}

/** Text that the validator calls empty: white space, and the characters that it counts as such. */
const BLANK = /^[\s\u00ad\u200b-\u200d\u2060\ufeff]*$/u;

/**
 * A part of system, user or assistant content as a block for a provider; undefined when it is left out, which the
 * ledger then says. Tool calls and results are written by `toolUseBlock` and `toolResultBlock`, which pair them.
 */
export function contentBlock(part: Part, at: string, { ledger }: Writing): JsonObject | undefined {
  const drop = (reason: string): undefined => ledger.dropped(at, reason) as undefined;
  switch (part.type) {
    case 'text':
      return BLANK.test(part.text) ? drop('a text block must not be empty') : textBlock(part);
    case 'reasoning':
      return signedBlock(part) ?? drop('thinking goes back only to the model that signed it');
    case 'media':
      if (part.source.type === 'file' && part.origin && !ownBlock(part.origin)) {
        return drop('a file id of another provider means nothing to this one');
      }
      return (
        ownBlock(part.origin) ?? accountedMedia(part, at, ledger) ?? drop(`this format takes no ${part.mediaType}`)
      );
    case 'opaque':
      return ownBlock(part.origin) ?? drop(foreignBlock(part.origin));
    case 'tool-call':
    case 'tool-result':
      return drop('a tool call or its result stands where this format has no place for it');
  }
}

/** The block as it came, unless its text was edited since. */
function textBlock({ text, origin }: TextPart): JsonObject {
  const own = ownBlock(origin);
  if (!own) return markedText(text, origin);
  if (own.type !== 'text') return own;
  return own.text === text ? own : { ...own, text };
}

/** Chat clients mark what to cache with this format's own word (OpenRouter, prompt caching). */
function markedText(text: string, origin: Origin | undefined): JsonObject {
  const mark = origin?.codec === 'openai-chat' ? origin.block.cache_control : undefined;
  return isObject(mark) ? { type: 'text', text, cache_control: mark } : { type: 'text', text };
}

/** Byte for byte, or not at all: signed thinking must not be changed, unsigned thinking is refused. */
function signedBlock({ origin }: ReasoningPart): JsonObject | undefined {
  const own = ownBlock(origin);
  return own && (own.type !== 'thinking' || own.signature) ? own : undefined;
}

function accountedMedia(part: MediaPart, at: string, ledger: Ledger): JsonObject | undefined {
  const block = mediaBlock(part);
  if (block?.type === 'image' && part.name !== undefined) ledger.dropped(`${at}.title`, 'only documents have a title');
  return block;
}

export function mediaBlock({ mediaType, source, name }: MediaPart): JsonObject | undefined {
  const isImage = mediaType.startsWith('image/');
  const titled = name === undefined ? {} : { title: name };
  switch (source.type) {
    case 'text':
      return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: source.text }, ...titled };
    case 'file':
      if (isImage) return { type: 'image', source: { type: 'file', file_id: source.id } };
      return { type: 'document', source: { type: 'file', file_id: source.id }, ...titled };
    case 'url': {
      if (!isImage && !isDocument(mediaType)) return undefined;
      const wire = { type: 'url', url: webUrl(source.url) };
      return isImage ? { type: 'image', source: wire } : { type: 'document', source: wire, ...titled };
    }
    case 'base64': {
      if (mediaType.startsWith('text/')) {
        const data = Buffer.from(source.data, 'base64').toString('utf8');
        return { type: 'document', source: { type: 'text', media_type: 'text/plain', data }, ...titled };
      }
      const known = isImage ? imageType(mediaType, source.data) : mediaType;
      if (isImage ? !IMAGES.has(known) : !isDocument(mediaType)) return undefined;
      const wire = { type: 'base64', media_type: known, data: source.data };
      return isImage ? { type: 'image', source: wire } : { type: 'document', source: wire, ...titled };
    }
  }
}

const isDocument = (mediaType: string): boolean => mediaType === 'application/pdf' || mediaType.startsWith('text/');

/** All that the API takes (Messages API, image source). */
const IMAGES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

function imageType(mediaType: string, data: string): string {
  if (mediaType === 'image/*') return imageTypeOf(data);
  return mediaType === 'image/jpg' ? 'image/jpeg' : mediaType;
}

function webUrl(url: string): string {
  if (/^https?:\/\//i.test(url)) return url;
  const scheme = url.slice(0, Math.max(0, url.indexOf(':')));
  throw new GatewayError(
    'invalid-request',
    `a file at a ${scheme || 'relative'} address cannot be sent to this provider; use an http or https address, or base64`,
  );
}

/** A call for the history; `id` is the one that its result will use too. */
export function toolUseBlock(part: ToolCallPart, id: string, at: string, { names, ledger }: Writing): JsonObject {
  const name = names.toWire(part.name);
  const own = ownBlock(part.origin);
  if (own?.type === 'tool_use') {
    if (own.id === id && own.name === name && isObject(own.input)) return own;
    const input = isObject(own.input) ? own.input : inputOf(part.input, at, ledger);
    return { ...own, id, name, input };
  }
  if (name !== part.name) ledger.rewritten(`${at}.name`, 'no name that this format takes');
  return { type: 'tool_use', id, name, input: inputOf(part.input, at, ledger) };
}

function inputOf(text: string, at: string, ledger: Ledger): JsonObject {
  const input = parsedInput(text);
  if (input) return input;
  ledger.rewritten(`${at}.input`, UNREADABLE);
  return unreadableInput(text);
}

export function toolResultBlock(part: ToolResultPart, id: string, at: string, writing: Writing): JsonObject {
  const own = ownBlock(part.origin);
  if (own?.type === 'tool_result') return own.tool_use_id === id ? own : { ...own, tool_use_id: id };
  const content: JsonObject[] = [];
  part.content.forEach((inner, index) => {
    const block = contentBlock(inner, `${at}.content.${index}`, writing) ?? mediaLeftOut(inner);
    if (block) content.push(block);
  });
  const result: JsonObject = { type: 'tool_result', tool_use_id: id, content };
  if (part.isError) result.is_error = true;
  return result;
}

/** A result without a word of what it was would be taken for nothing. */
const mediaLeftOut = (part: Part): JsonObject | undefined =>
  part.type === 'media' ? { type: 'text', text: `[${part.mediaType} left out: this model takes none]` } : undefined;

/** For a call that nobody answered: without a result the provider would refuse the whole conversation. */
export const missingResultBlock = (id: string): JsonObject => ({
  type: 'tool_result',
  tool_use_id: id,
  content: [{ type: 'text', text: 'The call was interrupted: there is no result.' }],
  is_error: true,
});
