import type { Caller } from '../model/call.ts';
import type { FunctionTool } from '../model/request.ts';
import type { CatalogTool } from './contract.ts';
import { isFiltered } from './filters.ts';

export interface Injection {
  /** What this caller may see, in catalog order. */
  readonly visible: readonly CatalogTool[];
  /** The names of the request's own tools: they win. */
  readonly ownNames: Iterable<string>;
  readonly caller: Pick<Caller, 'userAgent' | 'includeClients' | 'includeTools'>;
  /** `disable_auto_tool_inject`: only a caller that names clients or tools in its headers gets any. */
  readonly onlyOnDemand: boolean;
}

/** The tools to append to a request, in catalog order. The same array for the same catalog when none is left out. */
export function injectedTools({ visible, ownNames, caller, onlyOnDemand }: Injection): readonly FunctionTool[] {
  if (onlyOnDemand && !isFiltered(caller)) return [];
  const whole = functionTools(visible);
  const taken = takenNames(ownNames, caller.userAgent);
  if (taken.size === 0) return whole;
  const kept = whole.filter((tool) => !taken.has(tool.name) && !taken.has(underscored(tool.name)));
  return kept.length === whole.length ? whole : kept;
}

const cached = new WeakMap<readonly CatalogTool[], readonly FunctionTool[]>();

function functionTools(tools: readonly CatalogTool[]): readonly FunctionTool[] {
  let result = cached.get(tools);
  if (!result) {
    result = tools.map(functionTool);
    cached.set(tools, result);
  }
  return result;
}

const functionTool = ({ name, description, inputSchema }: CatalogTool): FunctionTool => ({
  type: 'function',
  name,
  ...(description !== undefined && { description }),
  inputSchema,
  owner: 'gateway',
});

/**
 * How agents rename the tools of an MCP server they are connected to. When that server is our own `/mcp`, what stands
 * behind the prefix is a name of ours. Server and tool names may hold the separator, so every place counts as the end
 * of the prefix. Source: Bifrost, duplicate detection at injection; names as captured from the agents.
 */
const AGENTS: readonly { readonly userAgent: RegExp; readonly prefix: string; readonly separator: string }[] = [
  { userAgent: /^claude-(cli|code)\b/i, prefix: 'mcp__', separator: '__' },
  { userAgent: /^gemini-?cli/i, prefix: 'mcp_', separator: '_' },
  { userAgent: /^qwen-?code/i, prefix: 'mcp__', separator: '__' },
  { userAgent: /^codex/i, prefix: 'mcp__', separator: '__' },
  { userAgent: /^opencode/i, prefix: '', separator: '_' },
];

/** Codex writes `-` as `_`. A gateway name in that form is compared only with names that came behind a prefix. */
const UNDERSCORED = 'behind-prefix:';
const underscored = (name: string): string => UNDERSCORED + name.replaceAll('-', '_');

function takenNames(ownNames: Iterable<string>, userAgent: string | undefined): ReadonlySet<string> {
  const agent = userAgent === undefined ? undefined : AGENTS.find((each) => each.userAgent.test(userAgent));
  const taken = new Set<string>();
  for (const name of ownNames) {
    taken.add(name);
    if (!agent || !name.startsWith(agent.prefix)) continue;
    const { prefix, separator } = agent;
    for (let at = name.indexOf(separator, prefix.length); at !== -1; at = name.indexOf(separator, at + 1)) {
      taken.add(underscored(name.slice(at + separator.length)));
    }
  }
  return taken;
}
