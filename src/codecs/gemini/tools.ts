import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { FunctionTool, ProviderTool, Tool, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import type { Ledger } from '../ledger.ts';
import { lossesAt } from '../schemas/derivation.ts';
import { writtenSchema } from '../schemas/gemini.ts';
import { jsonSchemaOf } from '../schemas/gemini-given.ts';
import { objectSchema } from '../schemas/targets.ts';
import type { WireNames } from '../wire-names.ts';
import { objectOf, objectsOf, originOf, ownBlock, stringsOf, textOf } from './wire.ts';

/** The tools of a body; where only some functions may be called, only those. */
export function decodeTools(body: JsonObject): Tool[] {
  const tools = objectsOf(body.tools).flatMap(decodeTool);
  const allowed = allowedNames(body);
  if (allowed.length === 0) return tools;
  return tools.filter((tool) => tool.type === 'provider' || allowed.includes(tool.name));
}

/** One entry holds any number of functions, and hosted tools beside them. */
function decodeTool(entry: JsonObject): Tool[] {
  return Object.entries(entry).flatMap(([name, value]): Tool[] => {
    if (name === 'functionDeclarations') return objectsOf(value).map(functionTool);
    if (value === undefined || value === null) return [];
    return [{ type: 'provider', name, origin: originOf({ [name]: value }) }];
  });
}

function functionTool(declaration: JsonObject): FunctionTool {
  const { name, description, parameters, parametersJsonSchema } = declaration;
  const tool: Writable<FunctionTool> = {
    type: 'function',
    name: textOf(name),
    inputSchema: inputSchema(parameters, parametersJsonSchema),
    owner: 'client',
    origin: originOf(declaration),
  };
  if (typeof description === 'string') tool.description = description;
  return tool;
}

/** A function without parameters has none in this format; every other format wants an object that is empty. */
function inputSchema(parameters: JsonValue | undefined, asJsonSchema: JsonValue | undefined): JsonObject {
  if (isObject(asJsonSchema)) return asJsonSchema;
  return isObject(parameters) ? jsonSchemaOf(parameters) : { type: 'object', properties: {} };
}

const callingConfig = (body: JsonObject): JsonObject => objectOf(objectOf(body.toolConfig).functionCallingConfig);

const allowedNames = (body: JsonObject): string[] => stringsOf(callingConfig(body).allowedFunctionNames);

export function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const [only, ...more] = allowedNames(body);
  switch (textOf(callingConfig(body).mode).toUpperCase()) {
    case 'AUTO':
    // calls, if any, keep to the schemas
    case 'VALIDATED':
      return { type: 'auto' };
    case 'NONE':
      return { type: 'none' };
    case 'ANY':
      return only !== undefined && more.length === 0 ? { type: 'tool', name: only } : { type: 'required' };
    default:
      return undefined;
  }
}

/** `from` is the place of the first tool, for the ledger. Functions stand together in one entry, as Google's SDKs write them. */
export function encodeTools(tools: readonly Tool[], names: WireNames, ledger: Ledger, from = 0): JsonObject[] {
  const hasFunctions = tools.some((tool) => tool.type === 'function');
  const hosted: JsonObject[] = [];
  const declarations: JsonObject[] = [];
  tools.forEach((tool, index) => {
    const at = `tools.${from + index}`;
    if (tool.type === 'provider') {
      const own = ownBlock(tool.origin) ?? (hasFunctions ? undefined : hostedCounterpart(tool, at, ledger));
      if (own) hosted.push(own);
      else ledger.dropped(at, `"${tool.name}" is a tool of another format, which has no counterpart in this one`);
      return;
    }
    const declaration = encodeFunction(tool, at, names, ledger);
    if (declaration) declarations.push(declaration);
  });
  if (declarations.length > 0) hosted.push({ functionDeclarations: declarations });
  return hosted;
}

/** Web search is the one hosted tool that every vendor has; Gemini before 3 refuses it beside functions. */
function hostedCounterpart({ origin }: ProviderTool, at: string, ledger: Ledger): JsonObject | undefined {
  if (!/^web_search(_|$)/.test(textOf(origin.block.type))) return undefined;
  ledger.rewritten(at, 'web search is Google Search here, which takes no options');
  return { googleSearch: {} };
}

function encodeFunction(tool: FunctionTool, at: string, names: WireNames, ledger: Ledger): JsonObject | undefined {
  const name = names.of(tool.name);
  if (name !== tool.name) ledger.rewritten(`${at}.name`, `"${tool.name}" is not a name that the API takes`);
  const own = ownBlock(tool.origin);
  if (own) return own.name === name ? own : { ...own, name };
  if (tool.origin?.block.defer_loading && !tool.description) {
    ledger.dropped(at, `"${tool.name}" is a placeholder for tools that are loaded later`);
    return undefined;
  }
  if (tool.strict) ledger.dropped(`${at}.strict`, 'function declarations have no such field');
  const declaration: JsonObject = { name };
  if (tool.description) declaration.description = tool.description;
  addParameters(declaration, tool, at, ledger);
  return declaration;
}

/** A function that takes nothing has no parameters at all: an object without properties is refused. */
function addParameters(declaration: JsonObject, { inputSchema }: FunctionTool, at: string, ledger: Ledger): void {
  const plain = objectSchema(inputSchema);
  const given = plain.schema;
  const takesAnything =
    Object.keys(objectOf(given.properties)).length > 0 || UNIONS.some((word) => given[word] !== undefined);
  if (!takesAnything && !isObject(given.additionalProperties)) {
    const says = Object.keys(given).some((keyword) => keyword !== 'type' && keyword !== 'properties');
    if (says) ledger.dropped(`${at}.parameters`, 'a function that takes nothing has no parameters here');
    return;
  }
  const { schema, form, removed } = writtenSchema(given);
  const field = form === 'openapi' ? 'parameters' : 'parametersJsonSchema';
  ledger.losses.push(...lossesAt(`${at}.${field}`, plain));
  if (removed.length > 0) {
    ledger.rewritten(
      `${at}.${field}`,
      `the API's schemas know no ${removed.join(', ')}; ranges are told in descriptions`,
    );
  }
  declaration[field] = schema;
}

const UNIONS = ['anyOf', 'oneOf', 'allOf', '$ref', 'patternProperties'] as const;

export function encodeToolChoice(choice: ToolChoice, names: WireNames): JsonObject {
  switch (choice.type) {
    case 'auto':
      return { mode: 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [names.of(choice.name)] };
  }
}

/** A tool config that allows the added functions too, where it allows several by name. */
export function allowing(toolConfig: JsonObject, added: readonly JsonObject[]): JsonObject {
  const calling = objectOf(toolConfig.functionCallingConfig);
  const allowed = stringsOf(calling.allowedFunctionNames);
  const more = added.flatMap((entry) => objectsOf(entry.functionDeclarations)).map(({ name }) => textOf(name));
  if (allowed.length < 2 || more.length === 0) return toolConfig;
  return { ...toolConfig, functionCallingConfig: { ...calling, allowedFunctionNames: [...allowed, ...more] } };
}
