import type { MediaSource, Origin, Part } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/** A content block of a request or a response as a part. Blocks that nobody else understands become opaque. */
export function partOf(block: JsonObject): Part {
  const origin = originOf(block);
  switch (block.type) {
    case 'text':
      return { type: 'text', text: textOf(block.text), origin };
    case 'thinking':
      return { type: 'reasoning', text: textOf(block.thinking), origin };
    case 'redacted_thinking':
      return { type: 'reasoning', text: '', origin };
    case 'image':
      return mediaPart(block, 'image/*', origin);
    case 'document':
      return mediaPart(block, 'application/pdf', origin);
    case 'tool_use':
      return {
        type: 'tool-call',
        id: textOf(block.id),
        name: textOf(block.name),
        input: inputText(block.input),
        origin,
      };
    case 'tool_result':
      return {
        type: 'tool-result',
        callId: textOf(block.tool_use_id),
        content: partsOf(block.content),
        isError: block.is_error === true,
        origin,
      };
    case 'tool_reference':
      // what tool search found; a model elsewhere would read an empty result without words for it
      return { type: 'text', text: `Tool ${textOf(block.tool_name)} is now available.`, origin };
    case 'search_result':
      return { type: 'text', text: searchResultText(block), origin };
    default:
      return { type: 'opaque', origin };
  }
}

/** What the client found, for models that know no such block: the material that the question is about. */
function searchResultText({ title, source, content }: JsonObject): string {
  const found = objectsOf(content).map(({ text }) => textOf(text));
  return [textOf(title), textOf(source), ...found].filter((line) => line !== '').join('\n');
}

/** Content as text or as blocks. */
export function partsOf(content: JsonValue | undefined): Part[] {
  if (typeof content === 'string') return [partOf({ type: 'text', text: content })];
  return objectsOf(content).map(partOf);
}

/** Arguments as text. Some servers write an empty string, or nothing, where they mean `{}`. */
function inputText(input: JsonValue | undefined): string {
  if (input === undefined || input === null || input === '') return '{}';
  return typeof input === 'string' ? input : JSON.stringify(input);
}

function mediaPart(block: JsonObject, kind: string, origin: Origin): Part {
  const source = sourceOf(objectOf(block.source));
  if (!source) return { type: 'opaque', origin };
  const name = textOf(block.title);
  return { type: 'media', ...source, mediaType: source.mediaType ?? kind, ...(name !== '' && { name }), origin };
}

function sourceOf(source: JsonObject): { source: MediaSource; mediaType?: string } | undefined {
  const named = typeof source.media_type === 'string' ? { mediaType: source.media_type } : {};
  switch (source.type) {
    case 'base64':
      return { source: { type: 'base64', data: textOf(source.data) }, ...named };
    case 'url':
      return { source: { type: 'url', url: textOf(source.url) } };
    case 'file':
      return { source: { type: 'file', id: textOf(source.file_id) } };
    case 'text':
      return { source: { type: 'text', text: textOf(source.data) }, mediaType: 'text/plain', ...named };
    case 'content':
      return { source: { type: 'text', text: textInside(source.content) }, mediaType: 'text/plain' };
    default:
      return undefined;
  }
}

function textInside(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((block) => (isObject(block) && block.type === 'text' ? [textOf(block.text)] : [])).join('\n');
}
