import type { McpClientConfig, WhiteList } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import type { WhyHeld } from './safety/judgement.ts';

/** What a client's config says about who may use its tools, and how they are given. */
export type ClientRules = Pick<McpClientConfig, 'name' | 'disabled' | 'tools_to_execute' | 'tools_to_auto_execute'> &
  Partial<Pick<McpClientConfig, 'client_id' | 'tool_mode' | 'is_code_mode_client' | 'tool_pricing' | 'sampling'>>;

/** The parts of a caller that narrow what it sees. */
export type CallerFilters = Pick<Caller, 'includeClients' | 'includeTools' | 'keyTools' | 'keyOwner'>;

/** Why a tool may not be used, as programs tell the reasons apart. */
export type WhyNot =
  | 'client-disabled'
  | 'client-not-included'
  | 'not-in-tools-to-execute'
  | WhyHeld
  | 'filtered-by-request'
  | 'not-allowed-for-key';

const WORDS: Readonly<Record<WhyNot, (client: string) => string>> = {
  'client-disabled': (client) => `client ${client} is disabled`,
  'client-not-included': (client) => `client ${client} is not in request-context include list`,
  'not-in-tools-to-execute': () => "not in client's ToolsToExecute allow-list",
  'definition-changed': () =>
    'its definition has changed since it was first seen, and an admin has not released it yet',
  'tool-is-new': () => 'its client did not have it when it was first seen, and an admin has not released it yet',
  'definition-flagged': () => 'its definition holds hidden instructions, and an admin has not released it yet',
  'filtered-by-request': () => 'filtered by request context',
  'not-allowed-for-key': () => 'not allowed for the virtual key',
};

interface NamedTool {
  readonly name: string;
  readonly upstreamName: string;
  readonly heldBack?: WhyHeld | undefined;
}

/** The one policy, for listing, injection, execution and inspection alike; undefined when the tool may be used. */
export function whyNot(tool: NamedTool, client: ClientRules, caller: CallerFilters): WhyNot | undefined {
  if (client.disabled) return 'client-disabled';
  if (!includesClient(caller.includeClients, client.name)) return 'client-not-included';
  if (!allows(client.tools_to_execute, tool.upstreamName)) return 'not-in-tools-to-execute';
  if (tool.heldBack) return tool.heldBack;
  if (!includesTool(caller.includeTools, client.name, tool.name)) return 'filtered-by-request';
  if (!includesTool(caller.keyTools, client.name, tool.name)) return 'not-allowed-for-key';
  return undefined;
}

/** The policy in the words of a refused call; undefined when the tool may be used. */
export function refusalOf(tool: NamedTool, client: ClientRules, caller: CallerFilters): string | undefined {
  const why = whyNot(tool, client, caller);
  if (why === 'not-allowed-for-key') {
    return `MCP tool '${tool.name}' is not allowed for virtual key '${caller.keyOwner?.name ?? ''}'`;
  }
  return why && `tool '${tool.name}' is not permitted (${WORDS[why](client.name)})`;
}

/** A call that the policy refuses; what the key is the reason for has Bifrost's name of it. */
export const refusedTool = (name: string, refusal: string | undefined, why: WhyNot | undefined): GatewayError =>
  new GatewayError('permission', refusal ?? unknownTool(name), {
    ...(why === 'not-allowed-for-key' && { type: 'mcp_tool_blocked' }),
  });

/** For a name that no client has. */
export const unknownTool = (name: string, why?: string): string =>
  `tool '${name}' is not available or not permitted${why ? ` (${why})` : ''}`;

/** Whether the request itself narrowed what it sees; what its key leaves out was not asked for. */
export const isFiltered = (caller: CallerFilters): boolean =>
  caller.includeClients !== undefined || caller.includeTools !== undefined;

/** Whether a client is for every virtual key that does not say otherwise; the newer name wins where both are given. */
export const isForEveryKey = ({
  allow_by_default: byDefault,
  allow_on_all_virtual_keys: older,
}: Pick<McpClientConfig, 'allow_by_default' | 'allow_on_all_virtual_keys'>): boolean => byDefault ?? older ?? false;

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

/**
 * The caller, who may use nothing but `entries` (`client-*` or exposed names) from here on. Two such lists meet in one:
 * an entry stays where the other list has it, alone or among all tools of its client.
 */
export function narrowedTo<Given extends CallerFilters>(caller: Given, entries: readonly string[]): Given {
  const { includeTools } = caller;
  if (includeTools === undefined) return { ...caller, includeTools: entries };
  const met = [
    ...entries.filter((entry) => covers(includeTools, entry)),
    ...includeTools.filter((entry) => covers(entries, entry)),
  ];
  return { ...caller, includeTools: [...new Set(met)] };
}

/** Whether the caller's key leaves anything of `entries`; an address of which it leaves nothing is not the caller's. */
export const meetsKey = ({ keyTools }: CallerFilters, entries: readonly string[]): boolean =>
  keyTools === undefined ||
  entries.some((entry) => covers(keyTools, entry)) ||
  keyTools.some((entry) => covers(entries, entry));

/** Client names hold no hyphen, so the first one ends the name. */
const covers = (entries: readonly string[], entry: string): boolean =>
  entries.includes(entry) || entries.includes(`${entry.slice(0, entry.indexOf('-'))}-*`);
