import { ToolSchema } from '@modelcontextprotocol/sdk/types.js';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { CatalogTool } from '../contract.ts';

/**
 * The definition as its server gave it, but for members that are not what MCP says they are: one tool with such a one
 * spoils the whole list for its reader (Claude Code, and whoever else reads with the SDK).
 */
function definitionOf(tool: CatalogTool, name: string): JsonObject {
  const { inputSchema } = tool.definition;
  const schema = isObject(inputSchema) ? inputSchema : tool.inputSchema;
  const given: JsonObject = {
    ...tool.definition,
    name,
    inputSchema: schema.type === 'object' ? schema : { ...schema, type: 'object' },
  };
  const { error } = ToolSchema.safeParse(given);
  if (!error) return given;
  const faulty = new Set(error.issues.map(({ path: [member] }) => member));
  const readable: JsonObject = { inputSchema: readableSchema(tool.inputSchema), annotations: { ...tool.annotations } };
  return Object.fromEntries(
    Object.entries(given).flatMap(([member, value]) => {
      if (!faulty.has(member)) return [[member, value]];
      return readable[member] === undefined ? [] : [[member, readable[member]]];
    }),
  );
}

/** Readers take objects only for the schemas of arguments, and names only for those that are required. */
function readableSchema({ properties, required, ...schema }: JsonObject): JsonObject {
  const named = isObject(properties) ? Object.entries(properties) : [];
  return {
    ...schema,
    properties: Object.fromEntries(named.flatMap(([name, given]) => argumentOf(name, given))),
    ...(Array.isArray(required) && { required: required.filter((name) => typeof name === 'string') }),
  };
}

/** JSON Schema has `true` and `false` for anything and nothing. */
function argumentOf(name: string, given: JsonValue | undefined): [string, JsonObject][] {
  if (given === false) return [];
  return [[name, isObject(given) ? given : {}]];
}

/**
 * Writes the result of `tools/list`: every tool on one page, as some clients read no second one (Gemini CLI). A tool's
 * text is kept for as long as the catalog keeps the tool.
 */
export class Listing {
  readonly #nameOf: (tool: CatalogTool) => string;
  readonly #texts = new WeakMap<CatalogTool, string>();
  readonly #lists = new WeakMap<readonly CatalogTool[], string>();

  constructor(nameOf: (tool: CatalogTool) => string) {
    this.#nameOf = nameOf;
  }

  /** The same text for the same array, which is replaced and never edited. */
  textOf(tools: readonly CatalogTool[]): string {
    const known = this.#lists.get(tools);
    if (known !== undefined) return known;
    const text = `{"tools":[${tools.map((tool) => this.#textOfTool(tool)).join(',')}]}`;
    this.#lists.set(tools, text);
    return text;
  }

  #textOfTool(tool: CatalogTool): string {
    const known = this.#texts.get(tool);
    if (known !== undefined) return known;
    const text = JSON.stringify(definitionOf(tool, this.#nameOf(tool)));
    this.#texts.set(tool, text);
    return text;
  }
}
