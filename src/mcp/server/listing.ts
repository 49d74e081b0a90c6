import { isObject, type JsonObject } from '../../model/json.ts';
import type { CatalogTool } from '../contract.ts';

/** A tool without an inputSchema object spoils the whole list for its reader (Claude Code, `tools/list`). */
function definitionOf(tool: CatalogTool, name: string): JsonObject {
  const { inputSchema } = tool.definition;
  const schema = isObject(inputSchema) ? inputSchema : tool.inputSchema;
  return {
    ...tool.definition,
    name,
    inputSchema: isObject(schema) && schema.type === 'object' ? schema : { ...schema, type: 'object' },
  };
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
