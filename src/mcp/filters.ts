import type { McpClientConfig, WhiteList } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';

/** What a client's config says about who may use its tools. */
export type ClientRules = Pick<McpClientConfig, 'name' | 'disabled' | 'tools_to_execute' | 'tools_to_auto_execute'>;

/** The parts of a caller that narrow what it sees. */
export type CallerFilters = Pick<Caller, 'includeClients' | 'includeTools'>;

/** The one policy, for listing, injection and execution alike: why the tool may not be used, or undefined when it may. */
export function refusalOf(
  tool: { readonly name: string; readonly upstreamName: string },
  client: ClientRules,
  caller: CallerFilters,
): string | undefined {
  if (client.disabled) return refused(tool.name, `client ${client.name} is disabled`);
  if (!includesClient(caller.includeClients, client.name)) {
    return refused(tool.name, `client ${client.name} is not in request-context include list`);
  }
  if (!allows(client.tools_to_execute, tool.upstreamName)) {
    return refused(tool.name, "not in client's ToolsToExecute allow-list");
  }
  if (!includesTool(caller.includeTools, client.name, tool.name)) {
    return refused(tool.name, 'filtered by request context');
  }
  return undefined;
}

/** For a name that no client has. */
export const unknownTool = (name: string, why?: string): string =>
  `tool '${name}' is not available or not permitted${why ? ` (${why})` : ''}`;

const refused = (name: string, why: string): string => `tool '${name}' is not permitted (${why})`;

export const isFiltered = (caller: CallerFilters): boolean =>
  caller.includeClients !== undefined || caller.includeTools !== undefined;

const lowerCase = new WeakMap<WhiteList, ReadonlySet<string>>();

/** `["*"]` = all, empty = none, otherwise exactly those, compared without case. */
export function allows(list: WhiteList, name: string): boolean {
  let names = lowerCase.get(list);
  if (!names) {
    names = new Set(list.map((entry) => entry.toLowerCase()));
    lowerCase.set(list, names);
  }
  return names.has('*') || names.has(name.toLowerCase());
}

const includesClient = (filter: readonly string[] | undefined, client: string): boolean =>
  filter === undefined || filter.includes('*') || filter.includes(client);

/** Entries are `client-*` or an exposed name; a bare `*` is no wildcard here. */
const includesTool = (filter: readonly string[] | undefined, client: string, tool: string): boolean =>
  filter === undefined || filter.includes(`${client}-*`) || filter.includes(tool);
