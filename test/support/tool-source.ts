import type { CatalogTool, ToolCallRequest, ToolResult } from '../../src/mcp/contract.ts';
import type { ToolSource } from '../../src/mcp/server/server.ts';
import type { Caller } from '../../src/model/call.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { JsonObject } from '../../src/model/json.ts';

type Run = (request: ToolCallRequest) => ToolResult | Promise<ToolResult>;

const catalogTool = (name: string, definition: JsonObject): CatalogTool => ({
  name,
  clientId: `id-of-${name.slice(0, name.indexOf('-'))}`,
  clientName: name.slice(0, name.indexOf('-')),
  upstreamName: name.slice(name.indexOf('-') + 1),
  inputSchema: { type: 'object', properties: {} },
  definition: { name: name.slice(name.indexOf('-') + 1), inputSchema: { type: 'object' }, ...definition },
  annotations: {},
  autoExecute: false,
});

export const textResult = (text: string): ToolResult => ({ content: [{ type: 'text', text }] });

/** Tools that are functions of this process, with the catalog's rules for who sees and may call them. */
export class LocalTools implements ToolSource {
  readonly calls: ToolCallRequest[] = [];
  readonly #tools = new Map<string, { tool: CatalogTool; run: Run }>();
  readonly #listeners = new Set<() => void>();

  /** `name` is the exposed one, `<client>-<tool>`. */
  add(name: string, run: Run, definition: JsonObject = {}): this {
    this.#tools.set(name, { tool: catalogTool(name, definition), run });
    for (const listener of this.#listeners) listener();
    return this;
  }

  visibleTools(caller: Caller): CatalogTool[] {
    const tools = [...this.#tools.values()].map(({ tool }) => tool);
    return tools.filter((tool) => caller.includeClients?.includes(tool.clientName) ?? true);
  }

  async call(request: ToolCallRequest): Promise<ToolResult> {
    this.calls.push(request);
    const isVisible = this.visibleTools(request.caller).some((tool) => tool.name === request.name);
    const known = isVisible ? this.#tools.get(request.name) : undefined;
    if (!known) throw new GatewayError('permission', `tool '${request.name}' is not available or not permitted`);
    return known.run(request);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
