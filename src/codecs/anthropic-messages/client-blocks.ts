import type { FunctionTool, MediaPart, Part, TextPart, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { parsedInput, unreadableInput } from '../call-input.ts';
import { foreignCitations } from './foreign-citations.ts';
import { gatewayIds, searchIds } from './ids.ts';
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
      return ownBlock(part.origin) ?? shownMedia(part);
    case 'opaque':
      return ownBlock(part.origin);
  }
}

function textBlock({ text, origin }: TextPart): JsonObject {
  const own = ownBlock(origin);
  if (own?.type === 'text') return { ...own, text };
  const citations = foreignCitations(origin);
  return citations.length > 0 ? { type: 'text', text, citations } : { type: 'text', text };
}

function callBlock(part: ToolCallPart, toId: (id: string) => string): JsonObject | undefined {
  if (part.owner === 'gateway') return gatewayCall(part);
  const own = ownBlock(part.origin);
  if (part.owner === 'provider') return own;
  return { ...own, type: 'tool_use', id: toId(part.id), name: part.name, input: inputOf(part.input) };
}

/** What the gateway ran stands in the words for tools that run upstream, so that no client tries to run it. */
function gatewayCall(call: ToolCallPart): JsonObject {
  const { id, name, turn, served } = call;
  const input = inputOf(call.input);
  if (served?.type === 'tool-search') return { type: 'server_tool_use', id: searchIds.of(id, turn), name, input };
  const server = served?.server ?? name.slice(0, Math.max(0, name.indexOf('-')));
  return {
    type: 'mcp_tool_use',
    id: gatewayIds.of(id, turn),
    name: server === '' ? name : name.slice(server.length + 1),
    server_name: server,
    input,
  };
}

function gatewayResult({ callId, turn, isError, content, found }: ToolResultPart): JsonObject {
  if (found) return searchResult(searchIds.of(callId, turn), found, isError ? content : undefined);
  return {
    type: 'mcp_tool_result',
    tool_use_id: gatewayIds.of(callId, turn),
    is_error: isError,
    content: content.flatMap(resultBlock),
  };
}

function searchResult(id: string, found: readonly FunctionTool[], failure: readonly Part[] | undefined): JsonObject {
  const references = found.map(({ name }) => ({ type: 'tool_reference', tool_name: name }));
  const why = failure?.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const content: JsonObject =
    why === undefined
      ? { type: 'tool_search_tool_search_result', tool_references: references }
      : { type: 'tool_search_tool_result_error', error_code: 'invalid_tool_input', error_message: why };
  return { type: 'tool_search_tool_result', tool_use_id: id, content };
}

function resultBlock(part: Part): JsonObject[] {
  if (part.type === 'text') return part.text === '' ? [] : [{ type: 'text', text: part.text }];
  if (part.type !== 'media') return [];
  const isShown = part.mediaType.startsWith('image/') && part.source.type === 'base64';
  return [(isShown ? mediaBlock(part) : undefined) ?? mediaText(part)];
}

/** An assistant message holds no media in this format: an address stays usable, the ledger tells of the rest. */
const shownMedia = (part: MediaPart): JsonObject | undefined =>
  part.source.type === 'url' || part.source.type === 'text' ? mediaText(part) : undefined;

/** An address stays usable, bytes are only named. */
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
