import type { MediaPart, Part, TextPart, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { parsedInput, unreadableInput } from '../call-input.ts';
import { gatewayIds } from './ids.ts';
import { mediaBlock } from './upstream-blocks.ts';
import { ownBlock } from './wire.ts';

/**
 * A part of an answer as the client is shown it, whole; undefined for what this format has no words for. `toId` makes
 * the id of a call that the client shall run.
 */
export function clientBlock(part: Part, toId: (id: string) => string): JsonObject | undefined {
  switch (part.type) {
    case 'text':
      return textBlock(part);
    case 'reasoning':
      // another model's thinking is shown, but unsigned: it is known by that when it comes back
      return ownBlock(part.origin) ?? { type: 'thinking', thinking: part.text, signature: '' };
    case 'tool-call':
      return callBlock(part, toId);
    case 'tool-result':
      return part.owner === 'gateway' ? gatewayResult(part) : undefined;
    case 'media':
      return ownBlock(part.origin) ?? mediaText(part);
    case 'opaque':
      return ownBlock(part.origin);
  }
}

function textBlock({ text, origin }: TextPart): JsonObject {
  const own = ownBlock(origin);
  return own?.type === 'text' ? { ...own, text } : { type: 'text', text };
}

function callBlock(part: ToolCallPart, toId: (id: string) => string): JsonObject | undefined {
  if (part.owner === 'gateway') return gatewayCall(part);
  const own = ownBlock(part.origin);
  if (part.owner === 'provider') return own;
  return { ...own, type: 'tool_use', id: toId(part.id), name: part.name, input: inputOf(part.input) };
}

/** What the gateway ran stands in the words for MCP tools that run upstream, so that no client tries to run it. */
function gatewayCall({ id, name, input, turn }: ToolCallPart): JsonObject {
  const dash = name.indexOf('-');
  return {
    type: 'mcp_tool_use',
    id: gatewayIds.of(id, turn),
    name: name.slice(dash + 1),
    server_name: name.slice(0, Math.max(0, dash)),
    input: inputOf(input),
  };
}

const gatewayResult = ({ callId, turn, isError, content }: ToolResultPart): JsonObject => ({
  type: 'mcp_tool_result',
  tool_use_id: gatewayIds.of(callId, turn),
  is_error: isError,
  content: content.flatMap(resultBlock),
});

function resultBlock(part: Part): JsonObject[] {
  if (part.type === 'text') return part.text === '' ? [] : [{ type: 'text', text: part.text }];
  if (part.type !== 'media') return [];
  const isShown = part.mediaType.startsWith('image/') && part.source.type === 'base64';
  return [(isShown ? mediaBlock(part) : undefined) ?? mediaText(part)];
}

/** An assistant message holds no media in this format: an address stays usable, bytes are only named. */
function mediaText({ mediaType, source, name }: MediaPart): JsonObject {
  const label = name ?? mediaType;
  switch (source.type) {
    case 'text':
      return { type: 'text', text: source.text };
    case 'url':
      return { type: 'text', text: mediaType.startsWith('image/') ? `![${label}](${source.url})` : source.url };
    default:
      return { type: 'text', text: `[${label}]` };
  }
}

const inputOf = (text: string): JsonObject => parsedInput(text) ?? unreadableInput(text);
