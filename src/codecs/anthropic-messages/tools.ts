import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { FunctionTool, Tool, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { anthropicTools } from '../schemas/strict.ts';
import { toolSchema } from '../schemas/tool-schema.ts';
import { clientToolOf } from './client-tools.ts';
import { isCustomTool } from './schema.ts';
import type { ToolNames } from './tool-names.ts';
import { objectOf, objectsOf, originOf, ownBlock, textOf } from './wire.ts';

/** Claude Code sends this one only to keep tool search switched on; its own description says never to call it. */
const PLACEHOLDER = 'DeferredToolPlaceholder';

export const decodeTools = (tools: JsonValue | undefined): Tool[] => objectsOf(tools).map(decodeTool);

function decodeTool(tool: JsonObject): Tool {
  const name = textOf(tool.name) || textOf(tool.type);
  const known = clientToolOf(tool);
  if (known) return { type: 'function', name, ...known, owner: 'client', origin: originOf(tool) };
  if (!isCustomTool(tool) || (tool.defer_loading === true && name === PLACEHOLDER)) {
    return { type: 'provider', name, origin: originOf(tool) };
  }
  const decoded: Writable<FunctionTool> = {
    type: 'function',
    name,
    inputSchema: objectOf(tool.input_schema),
    owner: 'client',
    origin: originOf(tool),
  };
  if (typeof tool.description === 'string') decoded.description = tool.description;
  if (typeof tool.strict === 'boolean') decoded.strict = tool.strict;
  return decoded;
}

export function decodeToolChoice(choice: JsonValue | undefined): ToolChoice | undefined {
  const { type, name } = objectOf(choice);
  switch (type) {
    case 'auto':
    case 'none':
      return { type };
    case 'any':
      return { type: 'required' };
    case 'tool':
      return { type: 'tool', name: textOf(name) };
    default:
      return undefined;
  }
}

/** Tools of this format as they came, function tools of others written anew; `from` is the first one's place. */
export function encodeTools(tools: readonly Tool[], names: ToolNames, losses: Loss[], from = 0): JsonObject[] {
  const written: JsonObject[] = [];
  tools.forEach((tool, index) => {
    const field = `tools.${from + index}`;
    const own = ownBlock(tool.origin);
    if (tool.type === 'function') written.push(encodeFunctionTool(tool, field, names, losses));
    else if (own) written.push(ownProviderTool(own));
    else losses.push({ field, action: 'dropped', reason: `only another provider can run its tool ${tool.name}` });
  });
  return written;
}

/** A server tool may name a model of its own (advisor); upstream it has no provider in front. */
export function ownProviderTool(tool: JsonObject): JsonObject {
  if (typeof tool.model !== 'string' || !tool.model.includes('/')) return tool;
  return { ...tool, model: tool.model.slice(tool.model.indexOf('/') + 1) };
}

function encodeFunctionTool(tool: FunctionTool, field: string, names: ToolNames, losses: Loss[]): JsonObject {
  const name = names.toWire(tool.name);
  if (name !== tool.name) {
    losses.push({
      field: `${field}.name`,
      action: 'rewritten',
      reason: `${tool.name} is not a name this format takes`,
    });
  }
  const own = ownBlock(tool.origin);
  if (own) return own.name === name ? own : { ...own, name };
  const places = { schema: `${field}.input_schema`, strict: `${field}.strict` };
  const { schema, isStrict } = toolSchema(tool, anthropicTools, places, losses);
  const written: JsonObject = { name };
  if (tool.description !== undefined) written.description = tool.description;
  written.input_schema = schema;
  if (isStrict) written.strict = true;
  return written;
}

export function encodeToolChoice(choice: ToolChoice, names: ToolNames): JsonObject {
  switch (choice.type) {
    case 'required':
      return { type: 'any' };
    case 'tool':
      return { type: 'tool', name: names.toWire(choice.name) };
    default:
      return { type: choice.type };
  }
}
