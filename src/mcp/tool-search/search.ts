import type { CatalogTool } from '../contract.ts';
import { foundByWords, type SearchedTool } from './tool-index.ts';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 30;
const MAX_SHOWN_LENGTH = 300;

export interface ToolQuery {
  readonly query: string;
  /** Only tools of this MCP client. */
  readonly server?: string | undefined;
  readonly limit?: number | undefined;
}

/** What `searchTools` answers: the tools that fit, best first, as JSON. */
export async function searchText({ query, server, limit }: ToolQuery, tools: readonly CatalogTool[]): Promise<string> {
  const found = await foundByWords(query, searchedTools(tools));
  const wanted = server?.toLowerCase();
  const fitting = wanted === undefined ? found : found.filter((each) => each.server.toLowerCase() === wanted);
  const most = Math.min(Math.max(Math.floor(limit ?? DEFAULT_LIMIT), 1), MAX_LIMIT);
  if (fitting.length === 0) return nothingFound(tools, server);
  const shown = fitting.slice(0, most).map(({ tool }) => ({
    tool: tool.name,
    server: tool.clientName,
    description: shortened(tool.description ?? ''),
  }));
  return JSON.stringify({ tools: shown, total: fitting.length }, null, 2);
}

/** What `getToolDetails` answers: the whole definition of one tool as JSON, or which ones there are. */
export function detailsText(name: string, tools: readonly CatalogTool[]): string {
  const tool = tools.find((each) => each.name === name) ?? onlyOne(tools.filter((each) => each.upstreamName === name));
  if (!tool) return `There is no tool "${name}". Use searchTools, or one of the names that you were given.`;
  const { description, inputSchema, definition, annotations } = tool;
  const { outputSchema } = definition;
  return JSON.stringify(
    {
      tool: tool.name,
      server: tool.clientName,
      ...(description !== undefined && { description }),
      inputSchema,
      ...(outputSchema !== undefined && { outputSchema }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    null,
    2,
  );
}

interface SearchedCatalogTool extends SearchedTool {
  readonly server: string;
  readonly tool: CatalogTool;
}

const searched = new WeakMap<readonly CatalogTool[], readonly SearchedCatalogTool[]>();

/** The tools under the names that their servers give them: the client's own name is a field of its own. */
function searchedTools(tools: readonly CatalogTool[]): readonly SearchedCatalogTool[] {
  let result = searched.get(tools);
  if (!result) {
    result = tools.map((tool) => ({ ...tool, name: tool.upstreamName, server: tool.clientName, tool }));
    searched.set(tools, result);
  }
  return result;
}

const nothingFound = (tools: readonly CatalogTool[], server: string | undefined): string => {
  const servers = [...new Set(tools.map(({ clientName }) => clientName))].join(', ');
  return `No tool matches${server === undefined ? '' : ` on server "${server}"`}. Try other words. Servers: ${servers || '(none)'}`;
};

const onlyOne = <Value>(values: readonly Value[]): Value | undefined => (values.length === 1 ? values[0] : undefined);

const shortened = (text: string): string =>
  text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`;
