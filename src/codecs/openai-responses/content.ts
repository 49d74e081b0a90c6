import type { MediaPart, MediaSource, Origin, Part, TextPart } from '../../model/content.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { dataUri } from '../data-uri.ts';
import { copyOf, membersBeside, withMembers } from '../members.ts';
import { objectOf, objectsOf, originOf, textOf, without } from './wire.ts';

/** Fields of a message item that its content and role say. */
const SAID_BY_PARTS: ReadonlySet<string> = new Set(['type', 'role', 'status', 'content']);

/**
 * Fields of a message item beside its content (`id`, `phase`, a client's own). Each part's origin holds them as
 * `message`, so that parts find back into one item.
 */
export function messageFields(item: JsonObject): JsonObject {
  const fields = membersBeside(SAID_BY_PARTS, item);
  // every other status says no more than that the item is there
  if (item.status === 'incomplete') fields.status = item.status;
  return item.role === 'developer' ? { ...fields, role: 'developer' } : fields;
}

/** Content as a text or as a list of parts, with the fields of the item that holds it. */
export function contentParts(content: JsonValue | undefined, message: JsonObject, textType = 'input_text'): Part[] {
  if (typeof content === 'string') return [contentPart({ type: textType, text: content }, message)];
  return objectsOf(content).map((part) => contentPart(part, message));
}

/** A content part of a message or of a tool's output. Kinds that nobody else understands become opaque. */
export function contentPart(part: JsonObject, message: JsonObject = {}): Part {
  const origin = contentOrigin(part, message);
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', text: textOf(part.text), origin };
    case 'refusal':
      return { type: 'text', text: textOf(part.refusal), origin };
    case 'input_image':
      return imagePart(part, origin) ?? opaquePart(part, message);
    case 'input_file':
      return filePart(part, origin) ?? opaquePart(part, message);
    case 'input_audio':
      return audioPart(objectOf(part.input_audio), origin);
    default:
      return opaquePart(part, message);
  }
}

/** `message` tells it from an opaque part that is an item by itself. */
const opaquePart = (part: JsonObject, message: JsonObject): Part => ({
  type: 'opaque',
  origin: originOf(withMembers(part, { message })),
});

/** An item of the image tool as the picture that it made; undefined for other items, and where none came of it. */
export function pictureOf(item: JsonObject): MediaPart | undefined {
  const data = textOf(item.result);
  if (item.type !== 'image_generation_call' || data === '') return undefined;
  const mediaType = `image/${textOf(item.output_format) || 'png'}`;
  return { type: 'media', mediaType, source: { type: 'base64', data }, origin: originOf(item) };
}

/** The part's wire block; empty lists are left out, since every writer of this format adds them. */
function contentOrigin(part: JsonObject, message: JsonObject): Origin {
  const empty = ADDED_LISTS.filter((field) => isEmptyList(part[field]));
  const block = empty.length === 0 ? copyOf(part) : without(part, ...empty);
  if (Object.keys(message).length > 0) block.message = message;
  return originOf(block);
}

const ADDED_LISTS = ['annotations', 'logprobs'] as const;
const isEmptyList = (value: JsonValue | undefined): boolean => Array.isArray(value) && value.length === 0;

export const isRefusal = ({ origin }: TextPart): boolean => origin?.block.type === 'refusal';

function imagePart(part: JsonObject, origin: Origin): Part | undefined {
  const source = sourceOf(textOf(part.image_url), textOf(part.file_id));
  if (!source) return undefined;
  return { type: 'media', mediaType: source.mediaType || 'image/*', source: source.source, origin };
}

function filePart(part: JsonObject, origin: Origin): Part | undefined {
  const data = textOf(part.file_data);
  const source = sourceOf(data || textOf(part.file_url), textOf(part.file_id), data !== '');
  if (!source) return undefined;
  const name = textOf(part.filename);
  const mediaType = source.mediaType || 'application/pdf';
  return { type: 'media', mediaType, source: source.source, ...(name !== '' && { name }), origin };
}

function audioPart({ data, format }: JsonObject, origin: Origin): Part {
  const mediaType = format === 'mp3' ? 'audio/mpeg' : `audio/${textOf(format)}`;
  return { type: 'media', mediaType, source: { type: 'base64', data: textOf(data) }, origin };
}

function sourceOf(url: string, id: string, isData = false): { source: MediaSource; mediaType: string } | undefined {
  const inline = dataUri(url);
  if (inline) return { source: { type: 'base64', data: inline.data }, mediaType: inline.mediaType };
  if (isData) return { source: { type: 'base64', data: url }, mediaType: '' };
  if (url !== '') return { source: { type: 'url', url }, mediaType: '' };
  return id === '' ? undefined : { source: { type: 'file', id }, mediaType: '' };
}
