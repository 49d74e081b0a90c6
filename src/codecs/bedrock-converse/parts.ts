import type { Message, Part, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
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
export function decodeMessages(body: JsonObject): Message[] {
  return [...systemMessages(body.system), ...objectsOf(body.messages).flatMap(decodeMessage)];
}

function systemMessages(system: JsonValue | undefined): Message[] {
  const parts = objectsOf(system).map(partOf);
  return parts.length > 0 ? [{ role: 'system', parts }] : [];
}

/** Results of tools become a message of their own, ahead of what else the user says. */
function decodeMessage({ role, content }: JsonObject): Message[] {
  const blocks = objectsOf(content);
  if (role === 'assistant' || role === 'system') return [{ role, parts: blocks.map(partOf) }];
  const results = blocks.filter((block) => isObject(block.toolResult));
  const rest = blocks.filter((block) => !isObject(block.toolResult));
  const messages: Message[] = [];
  if (results.length > 0)
    messages.push({ role: 'tool', parts: results.map((block) => resultPart(block, objectOf(block.toolResult))) });
  if (rest.length > 0 || results.length === 0) messages.push({ role: 'user', parts: rest.map(partOf) });
  return messages;
}
