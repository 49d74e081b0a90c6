import { isObject, type JsonObject } from '../../model/json.ts';
import type { FunctionTool, Tool, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { addAll } from '../lists.ts';
import { lossesAt } from '../schemas/derivation.ts';
import { bedrockSchema, novaSchema } from '../schemas/targets.ts';
import type { WireNames } from '../wire-names.ts';
import { documentOf } from './documents.ts';
import { cachePoint, type Writing } from './provider-blocks.ts';
import { objectOf, objectsOf, originOf, ownBlock, textOf } from './wire.ts';

export const decodeTools = (body: JsonObject): Tool[] => objectsOf(objectOf(body.toolConfig).tools).map(decodeTool);

/** Cache points and tools that the provider itself runs stand in the same list. */
function decodeTool(entry: JsonObject): Tool {
  const spec = entry.toolSpec;
  if (!isObject(spec)) {
    const name = textOf(objectOf(entry.systemTool).name) || (Object.keys(entry)[0] ?? '');
    return { type: 'provider', name, origin: originOf(entry) };
  }
  const tool: Writable<FunctionTool> = {
    type: 'function',
    name: textOf(spec.name),
    inputSchema: objectOf(objectOf(spec.inputSchema).json),
    owner: 'client',
    origin: originOf(entry),
  };
  if (typeof spec.description === 'string') tool.description = spec.description;
  if (typeof spec.strict === 'boolean') tool.strict = spec.strict;
  return tool;
}

export function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const { auto, any, tool } = objectOf(objectOf(body.toolConfig).toolChoice);
  if (isObject(tool)) return { type: 'tool', name: textOf(tool.name) };
  if (isObject(any)) return { type: 'required' };
  return isObject(auto) ? { type: 'auto' } : undefined;
}

/** Tools of this format as they came, function tools of others written anew; `from` is the first one's place. */
export function encodeTools(tools: readonly Tool[], writing: Writing, from = 0): JsonObject[] {
  const written: JsonObject[] = [];
  tools.forEach((tool, index) => {
    const at = `toolConfig.tools.${from + index}`;
    const own = ownBlock(tool.origin);
    if (tool.type === 'function') addAll(written, encodeFunction(tool, at, writing));
    else if (own) written.push(own);
    else writing.ledger.dropped(at, `only another provider can run its tool ${tool.name}`);
  });
  return written;
}

function encodeFunction(tool: FunctionTool, at: string, writing: Writing): JsonObject[] {
  const { names, ledger, traits } = writing;
  const name = names.of(tool.name);
  if (name !== tool.name) ledger.rewritten(`${at}.name`, `"${tool.name}" is not a name that Bedrock takes`);
  const own = ownBlock(tool.origin);
  const spec = objectOf(own?.toolSpec);
  if (own) return [spec.name === name ? own : { ...own, toolSpec: { ...spec, name } }];
  if (tool.origin?.block.defer_loading === true && !tool.description) {
    ledger.dropped(at, `"${tool.name}" is a placeholder for tools that are loaded later`);
    return [];
  }
  const written = { toolSpec: specOf(tool, name, at, writing) };
  const mark = tool.origin?.block.cache_control;
  if (!isObject(mark)) return [written];
  if (traits.isClaude) return [written, cachePoint(mark)];
  ledger.dropped(`${at}.cache_control`, 'this model takes no cache points among its tools');
  return [written];
}

function specOf(tool: FunctionTool, name: string, at: string, writing: Writing): JsonObject {
  const spec: JsonObject = { name };
  // an empty one is refused
  if (tool.description?.trim()) spec.description = tool.description;
  spec.inputSchema = schemaOf(tool, at, writing);
  if (tool.strict) spec.strict = true;
  return spec;
}

/** Amazon's own models take less of a schema than the others on Bedrock. */
function schemaOf({ inputSchema }: FunctionTool, at: string, { ledger, traits }: Writing): JsonObject {
  const derive = traits.isNova ? novaSchema : bedrockSchema;
  const derived = derive(inputSchema);
  ledger.losses.push(...lossesAt(`${at}.toolSpec.inputSchema.json`, derived));
  const { value, changed } = documentOf(derived.schema);
  if (changed) ledger.rewritten(`${at}.toolSpec.inputSchema`, 'Bedrock takes no empty keys in JSON');
  return { json: value };
}

/** Undefined for "none", which this format has no word for. */
export function encodeToolChoice(choice: ToolChoice, names: WireNames): JsonObject | undefined {
  switch (choice.type) {
    case 'auto':
      return { auto: {} };
    case 'none':
      return undefined;
    case 'required':
      return { any: {} };
    case 'tool':
      return { tool: { name: names.of(choice.name) } };
  }
}

/** Tools for the calls of a history whose own tools are gone: with calls in it, Bedrock wants a tool config. */
export function toolsOfHistory(messages: readonly JsonObject[]): JsonObject[] {
  const names = new Set<string>();
  for (const { content } of messages) {
    for (const { toolUse } of objectsOf(content)) if (isObject(toolUse)) names.add(textOf(toolUse.name));
  }
  return [...names].map((name) => ({ toolSpec: { name, inputSchema: { json: { type: 'object', properties: {} } } } }));
}
