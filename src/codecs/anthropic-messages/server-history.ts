import type { Message, Part } from '../../model/content.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { partsOf } from './blocks.ts';
import { objectOf, objectsOf, ownBlock, textOf } from './wire.ts';

/** A block that shows what a server tool did, as an ordinary call or result; undefined for every other part. */
export function expandedBlock(part: Part): Part | undefined {
  const block = part.type === 'opaque' ? ownBlock(part.origin) : undefined;
  switch (block?.type) {
    case 'mcp_tool_use':
      return callPart(block, `${textOf(block.server_name)}-${textOf(block.name)}`);
    case 'mcp_tool_result':
      return resultPart(block, partsOf(block.content), block.is_error === true);
    case 'server_tool_use':
      return textOf(block.name).startsWith('tool_search_tool') ? callPart(block, textOf(block.name)) : undefined;
    case 'tool_search_tool_result':
      return searchResult(block);
    default:
      return undefined;
  }
}

const callPart = (block: JsonObject, name: string): Part => ({
  type: 'tool-call',
  id: textOf(block.id),
  name,
  input: JSON.stringify(objectOf(block.input)),
});

const resultPart = (block: JsonObject, content: readonly Part[], isError: boolean): Part => ({
  type: 'tool-result',
  callId: textOf(block.tool_use_id),
  content,
  isError,
});

function searchResult(block: JsonObject): Part {
  const { type, error_code: code, error_message: message } = objectOf(block.content);
  if (type === 'tool_search_tool_result_error') {
    const text = `The search failed: ${textOf(message) || textOf(code)}`;
    return resultPart(block, [{ type: 'text', text }], true);
  }
  const names = namesIn(objectOf(block.content).tool_references);
  const text =
    names.length === 0 ? 'No tool matches.' : names.map((name) => `Tool ${name} is now available.`).join('\n');
  return resultPart(block, [{ type: 'text', text }], false);
}

const namesIn = (references: JsonValue | undefined): string[] =>
  objectsOf(references).flatMap(({ tool_name: name }) => (typeof name === 'string' ? [name] : []));

/** The tools that the history refers to, each once, in the order in which they were found. */
export function referencesIn(messages: readonly Message[]): string[] {
  const names = new Set<string>();
  for (const { parts } of messages) {
    for (const part of parts) for (const name of referencesOf(part)) names.add(name);
  }
  return [...names];
}

function referencesOf(part: Part): string[] {
  if (part.type === 'tool-result') return part.content.flatMap(referencesOf);
  const block = ownBlock(part.origin);
  if (block?.type === 'tool_reference') return namesIn([block]);
  return block?.type === 'tool_search_tool_result' ? namesIn(objectOf(block.content).tool_references) : [];
}
