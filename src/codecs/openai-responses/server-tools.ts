import type { Part } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { lookFor } from '../../model/marks.ts';
import type { BodySource, ChatRequest, FunctionTool, Settings, Tool, ToolChoice } from '../../model/request.ts';
import type { NamedSearch, NamedServer, ServerListing, ServerToolsAsked } from '../../model/server-tools.ts';
import type { ServerToolWords } from '../codec.ts';
import { isDeferred, requestWith, undeferred } from '../server-turns.ts';
import { shortHash } from '../short-hash.ts';
import { expandedHistory } from './server-history.ts';
import { serverRule } from './server-rules.ts';
import { CLIENT_SEARCH } from './tool-names.ts';
import { objectOf, originOf, ownBlock, textOf, without } from './wire.ts';

const namesServerTools = lookFor('"mcp', '"tool_search');

/** Tools of type `mcp` and `tool_search` as a Responses request asks for them, and the items that show them. */
export const serverTools: ServerToolWords = { mayAsk, asked, listed, asksApproval: true };

function mayAsk({ bytes }: BodySource): boolean {
  return namesServerTools(bytes);
}

function asked(request: ChatRequest): ServerToolsAsked | undefined {
  const { tools } = request;
  const history = expandedHistory(request.messages);
  const serverTools = tools.filter((tool) => SERVER_TYPES.has(typeOf(tool)));
  if (serverTools.length === 0 && !history) return undefined;
  const searches = tools.flatMap(searchOf);
  const deferred = searches.length > 0 ? tools.filter(isDeferred) : [];
  const kept = tools.filter((tool) => !SERVER_TYPES.has(typeOf(tool)) && !deferred.some((each) => each === tool));
  const loaded = (history?.loaded ?? []).filter(({ name }) => !tools.some((tool) => tool.name === name));
  const { settings, toolChoice } = withChoice(request);
  const rest = requestWith(request, {
    messages: history?.messages ?? request.messages,
    tools: [...kept.map(shownUndeferred), ...tools.flatMap(clientSearch), ...loaded],
    settings,
    toolChoice,
  });
  return {
    servers: serversOf(tools, history?.listed ?? new Set()),
    searches,
    deferred: deferred.map(undeferred),
    found: history?.found ?? [],
    rest,
    fields: tools.flatMap((tool, index) => (SERVER_TYPES.has(typeOf(tool)) ? [`tools.${index}`] : [])),
  };
}

const SERVER_TYPES: ReadonlySet<string> = new Set(['mcp', 'tool_search']);

const blockOf = (tool: Tool): JsonObject => (tool.type === 'provider' ? (ownBlock(tool.origin) ?? {}) : {});
const typeOf = (tool: Tool): string => textOf(blockOf(tool).type);

/** Without a search of ours, tools that wait for one are there from the start. */
const shownUndeferred = (tool: Tool): Tool => (isDeferred(tool) ? undeferred(tool) : tool);

function searchOf(tool: Tool): NamedSearch[] {
  const { type, execution } = blockOf(tool);
  return type === 'tool_search' && execution !== 'client' ? [{ name: 'tool_search', method: 'bm25' }] : [];
}

/** A search that the client runs is a function to every other model, and shown to the client under its own name. */
function clientSearch(tool: Tool): FunctionTool[] {
  const { type, execution, description, parameters } = blockOf(tool);
  if (type !== 'tool_search' || execution !== 'client') return [];
  return [
    {
      type: 'function',
      name: CLIENT_SEARCH,
      description: textOf(description) || 'Searches the tools that are available but not loaded.',
      inputSchema: isObject(parameters) ? parameters : { type: 'object', properties: {} },
      owner: 'client',
    },
  ];
}

function serversOf(tools: readonly Tool[], listed: ReadonlySet<string>): NamedServer[] {
  const servers = new Map<string, NamedServer>();
  tools.forEach((tool, index) => {
    if (typeOf(tool) !== 'mcp') return;
    const at = `tools.${index}`;
    const server = namedServer(blockOf(tool), at, listed);
    if (servers.has(server.name)) {
      throw refusal(`${at}.server_label: "${server.name}" names two servers`, `${at}.server_label`);
    }
    servers.set(server.name, server);
  });
  return [...servers.values()];
}

function namedServer(tool: JsonObject, at: string, listed: ReadonlySet<string>): NamedServer {
  const name = textOf(tool.server_label);
  if (name === '') throw refusal(`${at}.server_label: is required`, `${at}.server_label`);
  for (const field of ['connector_id', 'tunnel_id']) {
    if (tool[field] === undefined || tool[field] === null) continue;
    const advice = 'give the server_url of an MCP server, or ask a model of OpenAI itself';
    throw refusal(
      `${at}.${field}: "${textOf(tool[field])}" is something that only OpenAI can reach; ${advice}`,
      `${at}.${field}`,
    );
  }
  const url = textOf(tool.server_url);
  const token = textOf(tool.authorization);
  return {
    name,
    ...(url !== '' && { url }),
    headers: { ...headersOf(tool.headers), ...(token !== '' && { authorization: `Bearer ${token}` }) },
    ruleOf: serverRule(tool, url === '' ? 'as-configured' : 'ask'),
    isListed: listed.has(name),
  };
}

const headersOf = (headers: JsonObject[string]): Record<string, string> =>
  Object.fromEntries(Object.entries(objectOf(headers)).map(([name, value]) => [name.toLowerCase(), textOf(value)]));

/** A choice of one server's tools, or of one of them, in words that every format has. */
function withChoice({ settings, toolChoice }: ChatRequest): { settings: Settings; toolChoice: ToolChoice | undefined } {
  const own = ownBlock(settings.origin);
  const { type, server_label: server, name } = objectOf(own?.tool_choice);
  if (!own || type !== 'mcp') return { settings, toolChoice };
  const tool = textOf(name);
  return {
    settings: { ...settings, origin: originOf(without(own, 'tool_choice')) },
    toolChoice: tool === '' ? { type: 'required' } : { type: 'tool', name: `${textOf(server)}-${tool}` },
  };
}

function listed({ server, tools, error }: ServerListing): Part {
  const block: JsonObject = {
    id: `mcpl_bf_${shortHash(server, 24)}`,
    type: 'mcp_list_tools',
    server_label: server,
    tools: tools.map(({ name, description, inputSchema, annotations }) => ({
      annotations,
      description: description ?? null,
      input_schema: inputSchema,
      name,
    })),
    ...(error !== undefined && { error }),
  };
  return { type: 'opaque', origin: originOf(block) };
}

const refusal = (message: string, param: string): GatewayError =>
  new GatewayError('invalid-request', message, { param });
