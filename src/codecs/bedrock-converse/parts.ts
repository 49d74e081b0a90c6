import type { Message, Part, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { addUserTurn } from '../user-turn.ts';
import { mediaOf } from './media.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/** A content block of a request or an answer as a part. Blocks that nobody else understands become opaque. */
export function partOf(block: JsonObject): Part {
  const origin = originOf(block);
  if (typeof block.text === 'string') return { type: 'text', text: block.text, origin };
  if (isRunThere(block)) return { type: 'opaque', origin };
  if (isObject(block.reasoningContent)) {
    return { type: 'reasoning', text: textOf(objectOf(block.reasoningContent.reasoningText).text), origin };
  }
  if (isObject(block.toolUse)) {
    const { toolUseId, name, input } = block.toolUse;
    return { type: 'tool-call', id: textOf(toolUseId), name: textOf(name), input: JSON.stringify(input ?? {}), origin };
  }
  if (isObject(block.toolResult)) return resultPart(block, block.toolResult);
  const text = textInside(block);
  if (text !== undefined) return { type: 'text', text, origin };
  return mediaOf(block) ?? { type: 'opaque', origin };
}

/** What Bedrock itself runs, and what came of it, have types of their own (ToolUseBlock, ToolResultBlock). */
export const isRunThere = ({ toolUse, toolResult }: JsonObject): boolean =>
  objectOf(toolUse).type === 'server_tool_use' || typeof objectOf(toolResult).type === 'string';

/** Blocks of their own kinds whose meaning elsewhere is the text in them. */
function textInside({ guardContent, citationsContent, searchResult }: JsonObject): string | undefined {
  const guarded = objectOf(objectOf(guardContent).text).text;
  if (typeof guarded === 'string') return guarded;
  if (isObject(citationsContent)) return textsOf(citationsContent.content).join('');
  if (!isObject(searchResult)) return undefined;
  const { title, source, content } = searchResult;
  return [`${textOf(title)} (${textOf(source)})`, ...textsOf(content)].join('\n');
}

const textsOf = (content: JsonValue | undefined): string[] => objectsOf(content).map(({ text }) => textOf(text));

function resultPart(block: JsonObject, { toolUseId, content, status }: JsonObject): ToolResultPart {
  return {
    type: 'tool-result',
    callId: textOf(toolUseId),
    content: objectsOf(content).map(resultContent),
    isError: status === 'error',
    origin: originOf(block),
  };
}

function resultContent(block: JsonObject): Part {
  if (block.json === undefined) return partOf(block);
  return { type: 'text', text: JSON.stringify(block.json), origin: originOf(block) };
}

/** A client's conversation. */
export function decodeMessages(system: JsonValue | undefined, history: readonly JsonObject[]): Message[] {
  const messages: Message[] = [];
  const instructions = objectsOf(system).map(partOf);
  if (instructions.length > 0) messages.push({ role: 'system', parts: instructions });
  for (const { role, content } of history) {
    const blocks = objectsOf(content);
    if (role === 'assistant' || role === 'system') messages.push({ role, parts: blocks.map(partOf) });
    else addUserTurn(messages, blocks.map(userPart));
  }
  return messages;
}

/** A result is one in the user's turn, whatever stands beside it. */
const userPart = (block: JsonObject): Part =>
  isObject(block.toolResult) ? resultPart(block, block.toolResult) : partOf(block);
