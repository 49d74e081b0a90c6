import type { Message } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import { type JsonObject, ownValue } from '../../model/json.ts';
import { lookFor } from '../../model/marks.ts';
import type { BodySource, ChatRequest, Settings, Tool } from '../../model/request.ts';
import type { NamedSearch, NamedServer, ServerToolsAsked, ToolRule } from '../../model/server-tools.ts';
import type { ServerToolWords } from '../codec.ts';
import { isDeferred, requestWith, turnsOf, undeferred } from '../server-turns.ts';
import { expandedBlock, referencesIn } from './server-history.ts';
import { objectOf, objectsOf, originOf, ownBlock, textOf } from './wire.ts';

const namesServerTools = lookFor('"tool_search_tool_', '"mcp_tool_use"', '"mcp_toolset"');

/**
 * MCP servers and tool search as a Messages request asks for them: `mcp_servers` with `mcp_toolset` (beta
 * mcp-client-2025-11-20) or `tool_configuration` (2025-04-04), `tool_search_tool_*` with `defer_loading`.
 */
export const serverTools: ServerToolWords = {
  mayAsk,
  asked,
  // an answer of this format does not list a server's tools
  listed: () => undefined,
  asksApproval: false,
};

function mayAsk(source: BodySource): boolean {
  return source.has('mcp_servers') || namesServerTools(source.bytes);
}

function asked(request: ChatRequest): ServerToolsAsked | undefined {
  const { tools, settings } = request;
  const messages = expandedMessages(request.messages);
  const servers = serversOf(tools, ownBlock(settings.origin)?.mcp_servers);
  const searches = tools.flatMap(searchOf);
  if (servers.length === 0 && searches.length === 0 && messages === request.messages) return undefined;
  const deferred = searches.length > 0 ? tools.filter(isDeferred) : [];
  const kept = tools.filter((tool) => !isServerTool(tool) && !deferred.some((waiting) => waiting === tool));
  const rest = requestWith(request, { messages, tools: kept, settings: withoutServers(settings) });
  const fields = tools.flatMap((tool, index) => (isServerTool(tool) ? [`tools.${index}`] : []));
  return {
    servers,
    searches,
    deferred: deferred.map(undeferred),
    found: referencesIn(request.messages),
    rest,
    fields: [...(servers.length > 0 ? ['mcp_servers'] : []), ...fields],
  };
}

const typeOf = (tool: Tool): string => (tool.type === 'provider' ? textOf(ownBlock(tool.origin)?.type) : '');

const isServerTool = (tool: Tool): boolean => typeOf(tool) === 'mcp_toolset' || searchOf(tool).length > 0;

function searchOf(tool: Tool): NamedSearch[] {
  const [, method] = /^tool_search_tool_(regex|bm25)/.exec(typeOf(tool)) ?? [];
  return method === 'regex' || method === 'bm25' ? [{ name: tool.name, method }] : [];
}

/** A server without a toolset offers all it has; a toolset without a server names one that the gateway knows. */
function serversOf(tools: readonly Tool[], given: JsonObject[string]): NamedServer[] {
  const toolsets = new Map<string, JsonObject>();
  for (const tool of tools) {
    if (typeOf(tool) !== 'mcp_toolset' || tool.type !== 'provider') continue;
    toolsets.set(textOf(tool.origin.block.mcp_server_name), tool.origin.block);
  }
  const definitions = objectsOf(given);
  const known = new Set(definitions.map(({ name }) => textOf(name)));
  const others = [...toolsets.keys()].filter((name) => !known.has(name)).map((name) => ({ name }));
  return [...definitions, ...others].map((definition, index) => {
    const name = textOf(definition.name);
    if (name === '') throw refusal(`mcp_servers.${index}.name: is required`, `mcp_servers.${index}.name`);
    return namedServer(name, definition, toolsets.get(name));
  });
}

function namedServer(name: string, definition: JsonObject, toolset: JsonObject | undefined): NamedServer {
  const token = textOf(definition.authorization_token);
  const url = textOf(definition.url);
  const configuration = objectOf(definition.tool_configuration);
  const allowed = Array.isArray(configuration.allowed_tools) ? configuration.allowed_tools : undefined;
  const approval = url === '' ? 'as-configured' : 'never';
  return {
    name,
    ...(url !== '' && { url }),
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ruleOf: ({ name: tool }) => {
      const rule = toolsetRule(toolset, tool);
      const enabled = rule.enabled && configuration.enabled !== false && (allowed?.includes(tool) ?? true);
      return { ...rule, enabled, approval };
    },
    isListed: false,
  };
}

/** A tool's own config stands above the default one, field by field (Anthropic MCP connector, toolset). */
function toolsetRule(toolset: JsonObject | undefined, tool: string): Omit<ToolRule, 'approval'> {
  const config = { ...objectOf(toolset?.default_config), ...objectOf(ownValue(objectOf(toolset?.configs), tool)) };
  return { enabled: config.enabled !== false, deferred: config.defer_loading === true };
}

function withoutServers(settings: Settings): Settings {
  const own = ownBlock(settings.origin);
  if (own?.mcp_servers === undefined) return settings;
  const { mcp_servers: _served, ...block } = own;
  return { ...settings, origin: originOf(block) };
}

/** The same array when no message holds a block of a server tool. */
function expandedMessages(messages: readonly Message[]): readonly Message[] {
  let isExpanded = false;
  const expanded = messages.flatMap((message): Message[] => {
    if (message.role !== 'assistant') return [message];
    const parts = message.parts.map((part) => expandedBlock(part) ?? part);
    if (parts.every((part, index) => part === message.parts[index])) return [message];
    isExpanded = true;
    return turnsOf(parts);
  });
  return isExpanded ? expanded : messages;
}

const refusal = (message: string, param: string): GatewayError =>
  new GatewayError('invalid-request', message, { param });
