import type { MediaPart, Part } from '../model/content.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { ToolResult } from './contract.ts';

export interface ResultLimits {
  /** Characters of text, over all blocks of one result. */
  readonly maxTextLength: number;
  /** Characters of base64 for each image, document or clip. */
  readonly maxMediaLength: number;
}

/** About 50,000 tokens of text: more than any client shows, and far less than what ends a conversation (H8). */
const DEFAULT_LIMITS: ResultLimits = { maxTextLength: 200_000, maxMediaLength: 7_000_000 };

/** A tool's answer as the model gets it; never empty, never larger than the limits. */
export function resultParts(tool: string, result: ToolResult, limits = DEFAULT_LIMITS): Part[] {
  const parts = blocksOf(result).flatMap((block) => partOf(block, limits));
  const filled = parts.filter((part) => part.type !== 'text' || part.text.trim() !== '');
  if (filled.length === 0) return [{ type: 'text', text: emptyText(tool, result) }];
  return withinLength(filled, limits.maxTextLength);
}

/** The same as one text, for places that take nothing else; media are written out as Bifrost does. */
export function resultText(tool: string, result: ToolResult, limits = DEFAULT_LIMITS): string {
  const texts = resultParts(tool, result, limits).map((part) => {
    if (part.type === 'text') return part.text;
    return part.type === 'media' ? mediaText(part) : '';
  });
  return texts.join('').trim() || emptyText(tool, result);
}

const emptyText = (tool: string, result: ToolResult): string =>
  result.isError ? `MCP tool '${tool}' failed and gave no reason` : `MCP tool '${tool}' executed successfully`;

/** Structured content repeats the content by the specification, so it counts only where there is none. */
function blocksOf(result: ToolResult): readonly JsonObject[] {
  if (result.content.length > 0 || result.structuredContent === undefined) return result.content;
  return [{ type: 'text', text: JSON.stringify(result.structuredContent) }];
}

function partOf(block: JsonObject, limits: ResultLimits): Part[] {
  switch (block.type) {
    case 'text':
      return [textPart(String(block.text ?? ''))];
    case 'image':
    case 'audio':
      return [mediaPart(block.data, block.mimeType ?? `${block.type}/*`, limits)];
    case 'resource':
      return [resourcePart(isObject(block.resource) ? block.resource : {}, limits)];
    case 'resource_link':
      return [textPart(linkText(block))];
    default:
      return [textPart(JSON.stringify(block))];
  }
}

const textPart = (text: string): Part => ({ type: 'text', text });

function mediaPart(data: unknown, mediaType: unknown, limits: ResultLimits, name?: string): Part {
  const type = String(mediaType);
  if (typeof data !== 'string' || data === '') return textPart(`[${type} without data]`);
  if (data.length > limits.maxMediaLength) {
    return textPart(
      `[${type} left out by the gateway: ${data.length} characters of base64 are over the limit of ${limits.maxMediaLength}]`,
    );
  }
  return { type: 'media', mediaType: type, source: { type: 'base64', data }, ...(name && { name }) };
}

function resourcePart(resource: JsonObject, limits: ResultLimits): Part {
  const { uri, mimeType, text, blob } = resource;
  if (typeof text === 'string') return textPart(uri ? `[Resource ${uri}]\n${text}` : text);
  const type = typeof mimeType === 'string' ? mimeType : 'application/octet-stream';
  // Models take images, clips and PDF; other bytes mean nothing to them.
  if (!/^(image|audio)\/|^application\/pdf$/.test(type)) return textPart(`[Embedded Resource Response: ${type}]`);
  return mediaPart(blob, type, limits, typeof uri === 'string' ? uri : undefined);
}

function linkText({ uri, name, mimeType, description }: JsonObject): string {
  const details = [uri, mimeType, description].filter((each) => typeof each === 'string' && each !== '');
  return `[Resource link ${typeof name === 'string' ? name : ''}: ${details.join(', ')}]`;
}

function mediaText({ mediaType, source }: MediaPart): string {
  const data = source.type === 'base64' ? source.data : '';
  if (mediaType.startsWith('image/')) return `[Image Response: ${data}, MIME: ${mediaType}]`;
  if (mediaType.startsWith('audio/')) return `[Audio Response: ${data}, MIME: ${mediaType}]`;
  return `[Embedded Resource Response: ${mediaType}]`;
}

const lengthOf = (part: Part): number => (part.type === 'text' ? part.text.length : 0);

/** The parts with their text cut at `max` characters, and a last part that says so. */
function withinLength(parts: Part[], max: number): Part[] {
  const total = parts.reduce((sum, part) => sum + lengthOf(part), 0);
  if (total <= max) return parts;
  let left = max;
  const kept = parts.flatMap((part): Part[] => {
    if (part.type !== 'text') return [part];
    const text = cut(part.text, left);
    left -= text.length;
    return text ? [{ ...part, text }] : [];
  });
  const note = `[Cut by the gateway: the first ${max - left} of ${total} characters are shown, ${total - max + left} were left out. Ask for a smaller part if you need the rest.]`;
  return [...kept, textPart(note)];
}

/** At most `max` characters, and no half of a surrogate pair at the end. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const isSplit = /[\uD800-\uDBFF]/.test(text.charAt(max - 1));
  return text.slice(0, isSplit ? max - 1 : max);
}
