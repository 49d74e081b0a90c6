import type { Message, Part, ToolResultPart } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';
import type { ChatRequest, FunctionTool, Settings, Tool } from '../model/request.ts';
import { objectsOf } from './members.ts';

/**
 * One assistant message whose parts hold the results of its own calls, as the turns in which they happened: what the
 * model said and called, the results, and what it said then.
 */
export function turnsOf(parts: readonly Part[]): Message[] {
  const turns: Message[] = [];
  let said: Part[] = [];
  let results: ToolResultPart[] = [];
  const finish = () => {
    if (said.length > 0) turns.push({ role: 'assistant', parts: said });
    if (results.length > 0) turns.push({ role: 'tool', parts: results });
    said = [];
    results = [];
  };
  for (const part of parts) {
    if (part.type === 'tool-result') {
      results.push(part);
      continue;
    }
    if (results.length > 0) finish();
    said.push(part);
  }
  finish();
  return turns;
}

interface Rest {
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  readonly settings: Settings;
  readonly toolChoice?: ChatRequest['toolChoice'];
}

/** The request with other content, of which the client's own body no longer tells. */
export const requestWith = (request: ChatRequest, rest: Rest): ChatRequest => ({
  model: request.model,
  stream: request.stream,
  fallbacks: request.fallbacks,
  toolChoice: request.toolChoice,
  ...rest,
  untouched: false,
});

export const isDeferred = (tool: Tool): tool is FunctionTool =>
  tool.type === 'function' && tool.origin !== undefined && definitionIn(tool.origin.block).defer_loading === true;

/** The tool without its mark: whoever is offered it now has it at once. */
export function undeferred(tool: FunctionTool): FunctionTool {
  if (!tool.origin) return tool;
  const { block, codec } = tool.origin;
  const { defer_loading: _waited, ...definition } = definitionIn(block);
  const whole = block.type === 'namespace' ? { ...block, tools: [definition] } : definition;
  return { ...tool, origin: { codec, block: whole } };
}

/** A tool in a namespace of the Responses API has that as its block, with itself alone inside. */
const definitionIn = (block: JsonObject): JsonObject =>
  block.type === 'namespace' ? (objectsOf(block.tools)[0] ?? block) : block;
