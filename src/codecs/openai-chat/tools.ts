import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { FunctionTool, Tool, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { customName, customNameIn, customTool } from '../custom-tools.ts';
import { copyOf } from '../members.ts';
import { openAiTools } from '../schemas/strict.ts';
import { toolSchema } from '../schemas/tool-schema.ts';
import type { Writing } from './provider-content.ts';
import { isFunctionTool } from './schema.ts';
import { inNewerForm, retoldTool } from './tool-forms.ts';
import { objectOf, objectsOf, originOf, ownBlock, textOf } from './wire.ts';

/** The tools of a body; with `allowed_tools` as the choice, only those that it allows. */
export function decodeTools(body: JsonObject): Tool[] {
  const tools = objectsOf(body.tools).map(decodeTool);
  for (const definition of objectsOf(body.functions)) tools.push(functionTool(definition, definition));
  const allowed = allowedNames(body.tool_choice);
  return allowed ? tools.filter((tool) => allowed.has(tool.name)) : tools;
}

function decodeTool(tool: JsonObject): Tool {
  if (isFunctionTool(tool)) return functionTool(objectOf(tool.function), tool);
  if (tool.type === 'custom') return wireCustom(tool);
  return { type: 'provider', name: textOf(tool.name) || textOf(tool.type), origin: originOf(tool) };
}

/** Some clients write it as the Responses API has it. */
function wireCustom(tool: JsonObject): FunctionTool {
  const { name, description, format } = isObject(tool.custom) ? tool.custom : tool;
  const { grammar, definition } = objectOf(format);
  return customTool(
    {
      name: textOf(name),
      description: textOf(description),
      grammar: textOf(objectOf(grammar).definition) || textOf(definition),
    },
    originOf(tool),
  );
}

/** `block`: what holds the definition; in the older `functions` it stands by itself. */
function functionTool(definition: JsonObject, block: JsonObject): FunctionTool {
  const { description, parameters, strict } = definition;
  const tool: Writable<FunctionTool> = {
    type: 'function',
    name: textOf(definition.name),
    inputSchema: objectOf(parameters),
    owner: 'client',
    origin: originOf(block),
  };
  if (typeof description === 'string') tool.description = description;
  if (typeof strict === 'boolean') tool.strict = strict;
  return tool;
}

const allowanceOf = (choice: JsonValue | undefined): JsonObject | undefined => {
  const { type, allowed_tools: allowance } = objectOf(choice);
  return type === 'allowed_tools' && isObject(allowance) ? allowance : undefined;
};

export function nameIn({ type, function: named, custom, name }: JsonObject): string {
  const given = textOf(objectOf(named ?? custom).name) || textOf(name);
  return type === 'custom' && given !== '' ? customName(given) : given;
}

function allowedNames(choice: JsonValue | undefined): ReadonlySet<string> | undefined {
  const allowance = allowanceOf(choice);
  return allowance && new Set(objectsOf(allowance.tools).map(nameIn));
}

export function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const choice = body.tool_choice ?? body.function_call;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  // clones' and other dialects' word for it
  if (choice === 'any') return { type: 'required' };
  const mode = allowanceOf(choice)?.mode;
  if (mode === 'auto' || mode === 'required') return { type: mode };
  const name = nameIn(objectOf(choice));
  return name === '' ? undefined : { type: 'tool', name };
}

export function encodeToolChoice(choice: ToolChoice, tools: readonly Tool[], { names, target }: Writing): JsonValue {
  if (choice.type !== 'tool') return choice.type;
  const chosen = tools.find(({ name }) => name === choice.name);
  const own = chosen && ownBlock(chosen.origin);
  if (own?.type === 'custom' && !target.functionsOnly) {
    return { type: 'custom', custom: { name: customNameIn(choice.name) ?? choice.name } };
  }
  return { type: 'function', function: { name: names.of(choice.name) } };
}

/** `choice` with more tools allowed, where it allows only some. */
export function allowing(choice: JsonValue | undefined, added: readonly JsonObject[]): JsonValue | undefined {
  const allowance = allowanceOf(choice);
  if (!allowance || !isObject(choice)) return choice;
  const tools = added.map((tool) => ({ type: 'function', function: { name: nameIn(tool) } }));
  return { ...choice, allowed_tools: { ...allowance, tools: [...objectsOf(allowance.tools), ...tools] } };
}

/** `from` is the place of the first tool, for the ledger. */
export function encodeTools(tools: readonly Tool[], writing: Writing, from = 0): JsonObject[] {
  const written: JsonObject[] = [];
  for (const tool of tools) {
    const wire = encodeTool(tool, `tools.${from + written.length}`, writing);
    if (wire) written.push(wire);
  }
  return written;
}

function encodeTool(tool: Tool, at: string, { target, names, ledger }: Writing): JsonObject | undefined {
  if (tool.type === 'provider') {
    const own = ownBlock(tool.origin);
    if (!own) ledger.dropped(at, `"${tool.name}" is a tool of another format, which has no counterpart in this one`);
    return own;
  }
  if (tool.origin?.block.defer_loading && !tool.description) {
    ledger.dropped(at, `"${tool.name}" is a placeholder for tools that are loaded later`);
    return undefined;
  }
  const given = ownBlock(tool.origin);
  if (given?.type === 'custom' && !target.functionsOnly) return given;
  const own = given?.type === 'custom' ? undefined : given && inNewerForm(given);
  if (given && own !== given) retoldTool(given, at, ledger);
  const name = names.of(tool.name);
  if (name !== tool.name) ledger.rewritten(`${at}.function.name`, `"${tool.name}" is not a name that the API takes`);
  const places = { schema: `${at}.function.parameters`, strict: `${at}.function.strict` };
  const { schema, isStrict } = toolSchema(tool, target.toolSchemas ?? openAiTools, places, ledger.losses);
  const definition = copyOf(objectOf(own?.function));
  definition.name = name;
  if (tool.description) definition.description = tool.description;
  if (tool.strict !== undefined) definition.strict = isStrict;
  definition.parameters = schema;
  return { ...own, type: 'function', function: definition };
}
