import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { FunctionTool, Tool, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { customName, customTool } from '../custom-tools.ts';
import type { Ledger } from '../ledger.ts';
import { isNative } from '../native-tools.ts';
import { openAiTools } from '../schemas/strict.ts';
import { toolSchema } from '../schemas/tool-schema.ts';
import type { WireNames } from '../wire-names.ts';
import { nativeTool, offersNative } from './native-tools.ts';
import { joinedName, splitName } from './tool-names.ts';
import { objectOf, objectsOf, originOf, ownBlock, textOf } from './wire.ts';

/** The tools of a body, namespaces flattened; with `allowed_tools` as the choice, only those that it allows. */
export function decodeTools(body: JsonObject): Tool[] {
  const given = objectsOf(body.tools);
  const tools = given.flatMap((tool) => decodeTool(tool, given));
  const allowance = allowanceOf(body.tool_choice);
  if (!allowance) return tools;
  const allowed = new Set(objectsOf(allowance.tools).map(nameIn));
  return tools.filter(({ name }) => allowed.has(name));
}

function decodeTool(tool: JsonObject, given: readonly JsonObject[]): Tool[] {
  switch (tool.type) {
    case 'function':
      return [functionTool(tool, textOf(tool.name), tool)];
    case 'custom':
      return [wireCustom(tool)];
    case 'namespace':
      return objectsOf(tool.tools).map((inner) => namespacedTool(tool, inner));
    default:
      return [nativeTool(tool, given) ?? providerTool(tool)];
  }
}

const providerTool = (tool: JsonObject): Tool => ({
  type: 'provider',
  name: textOf(tool.name) || textOf(tool.type),
  origin: originOf(tool),
});

/** The origin of a tool in a namespace is the namespace with this tool alone: neighbours find together again. */
function namespacedTool(namespace: JsonObject, inner: JsonObject): Tool {
  const block = { ...namespace, tools: [inner] };
  if (inner.type === 'function') {
    return functionTool(inner, joinedName(textOf(inner.name), textOf(namespace.name)), block);
  }
  return { type: 'provider', name: textOf(inner.name) || textOf(inner.type), origin: originOf(block) };
}

function functionTool(definition: JsonObject, name: string, block: JsonObject): FunctionTool {
  const { description, parameters, strict } = definition;
  const tool: Writable<FunctionTool> = {
    type: 'function',
    name,
    inputSchema: objectOf(parameters),
    owner: 'client',
    origin: originOf(block),
  };
  if (typeof description === 'string') tool.description = description;
  if (typeof strict === 'boolean') tool.strict = strict;
  return tool;
}

function wireCustom(tool: JsonObject): FunctionTool {
  const { definition } = objectOf(tool.format);
  const { name, description } = tool;
  return customTool(
    { name: textOf(name), description: textOf(description), grammar: textOf(definition) },
    originOf(tool),
  );
}

const allowanceOf = (choice: JsonValue | undefined): JsonObject | undefined =>
  isObject(choice) && choice.type === 'allowed_tools' ? choice : undefined;

/** How a choice names a tool: the same fields as the tool's own. */
function nameIn(choice: JsonObject): string {
  const name = textOf(choice.name);
  if (choice.type === 'custom') return customName(name);
  return name === '' ? textOf(choice.type) : joinedName(name, textOf(choice.namespace));
}

/** Undefined when there is none, and for hosted tools, which only this format can choose. */
export function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const { tool_choice: choice } = body;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  const mode = allowanceOf(choice)?.mode;
  if (mode === 'auto' || mode === 'required') return { type: mode };
  if (isObject(choice) && offersNative(body, textOf(choice.type))) return { type: 'tool', name: textOf(choice.type) };
  if (!isObject(choice) || (choice.type !== 'function' && choice.type !== 'custom')) return undefined;
  return { type: 'tool', name: nameIn(choice) };
}

export function encodeToolChoice(choice: ToolChoice, tools: readonly Tool[], names: WireNames): JsonValue {
  if (choice.type !== 'tool') return choice.type;
  const chosen = tools.find(({ name }) => name === choice.name);
  return chosen && isNative(chosen.origin) ? { type: choice.name } : toolReference(choice.name, names);
}

function toolReference(name: string, names: WireNames): JsonObject {
  const split = splitName(name);
  if (split.kind === 'custom') return { type: 'custom', name: split.name };
  if (split.kind === 'search' || split.namespace === undefined) return { type: 'function', name: names.of(name) };
  return { type: 'function', name: split.name, namespace: split.namespace };
}

/** `choice` with more tools allowed, where it allows only some. */
export function allowing(choice: JsonValue | undefined, added: readonly JsonObject[]): JsonValue | undefined {
  const allowance = allowanceOf(choice);
  if (!allowance) return choice;
  const tools = added.map(({ type, name }) => ({ type: textOf(type), name: textOf(name) }));
  return { ...allowance, tools: [...objectsOf(allowance.tools), ...tools] };
}

/** `from` is the place of the first tool, for the ledger. */
export function encodeTools(tools: readonly Tool[], names: WireNames, ledger: Ledger, from = 0): JsonObject[] {
  const written: JsonObject[] = [];
  for (const tool of tools) {
    const at = `tools.${from + written.length}`;
    const own = ownBlock(tool.origin);
    if (own) push(written, ownTool(own, at, names, ledger));
    else if (tool.type === 'function') written.push(wireFunction(tool, at, names, ledger));
    else ledger.dropped(at, `"${tool.name}" is a tool of another format, which has no counterpart in this one`);
  }
  return written;
}

/** A tool as its client wrote it, but for a name that is too long here. */
function ownTool(own: JsonObject, at: string, names: WireNames, ledger: Ledger): JsonObject {
  if (own.type !== 'function') return own;
  const name = names.of(textOf(own.name));
  if (name === own.name) return own;
  ledger.rewritten(`${at}.name`, `"${textOf(own.name)}" is not a name that the API takes`);
  return { ...own, name };
}

/** Neighbours of one namespace become one container again. */
function push(written: JsonObject[], tool: JsonObject): void {
  const last = written.at(-1);
  if (tool.type === 'namespace' && last?.type === 'namespace' && last.name === tool.name) {
    written[written.length - 1] = { ...last, tools: [...objectsOf(last.tools), ...objectsOf(tool.tools)] };
  } else written.push(tool);
}

function wireFunction(tool: FunctionTool, at: string, names: WireNames, ledger: Ledger): JsonObject {
  const split = splitName(tool.name);
  if (split.kind === 'custom') {
    return { type: 'custom', name: split.name, ...(tool.description && { description: tool.description }) };
  }
  const name = names.of(tool.name);
  if (name !== tool.name) ledger.rewritten(`${at}.name`, `"${tool.name}" is not a name that the API takes`);
  const places = { schema: `${at}.parameters`, strict: `${at}.strict` };
  const { schema, isStrict } = toolSchema(tool, openAiTools, places, ledger.losses);
  const wire: JsonObject = { type: 'function', name };
  if (tool.description) wire.description = tool.description;
  wire.parameters = schema;
  // left out, it means true here, and false in every other format
  wire.strict = isStrict;
  return wire;
}
