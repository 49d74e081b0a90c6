import type { GatewayTools, RequestScope, ToolOutput } from '../agent/tools.ts';
import { runTools } from '../agent/tools.ts';
import type { ServerToolWords } from '../codecs/codec.ts';
import { parseToolArguments } from '../mcp/tool-arguments.ts';
import type { CallContext } from '../model/call.ts';
import type { CodecId, Message, Part, ServedTool, ToolCallPart } from '../model/content.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest, FunctionTool } from '../model/request.ts';
import type { NamedSearch, ServerListing, ServerToolsAsked } from '../model/server-tools.ts';
import type { ServerToolHost } from '../router/server-tools.ts';
import type { JoinedServer, JoinedTool, ServerJoiner } from './joined-servers.ts';
import { foundBy, searchTool } from './tool-search.ts';

export interface ServerToolsOptions {
  readonly wordsOf: (dialect: CodecId) => ServerToolWords | undefined;
  readonly hostOf: (request: ChatRequest, context: CallContext) => ServerToolHost;
  /** What every request gets: the configured MCP clients. */
  readonly everyones: GatewayTools;
  readonly join: ServerJoiner;
  readonly maxParallelTools: number;
}

/**
 * Opens what a request asks the model's API to run and the API at hand does not: MCP servers that it names, and a
 * search over tools that it defers. Undefined for every other request, found out without a parse where the body would
 * otherwise travel as it came.
 */
export function serverToolScopes(
  options: ServerToolsOptions,
): (request: ChatRequest, context: CallContext) => (() => Promise<RequestScope>) | undefined {
  return (request, context) => {
    const words = options.wordsOf(context.dialect);
    const host = words ? options.hostOf(request, context) : 'provider';
    if (!words || host === 'provider') return undefined;
    if (host === 'nobody' && request.raw && !words.mayAsk(request.raw)) return undefined;
    const asked = words.asked(request);
    return asked && (() => opened(asked, words, options, context));
  };
}

const RUN_HERE = 'run by the gateway: the provider has no such tool';

async function opened(
  asked: ServerToolsAsked,
  words: ServerToolWords,
  options: ServerToolsOptions,
  context: CallContext,
): Promise<RequestScope> {
  const servers = await Promise.all(asked.servers.map((server) => joinedOrTold(server, words, options, context)));
  const tools = new ScopedTools(asked, servers, options.everyones);
  const listings = servers.filter(({ isListed }) => !isListed).flatMap(({ listing }) => words.listed(listing) ?? []);
  const { request, shown } = await withApprovedRuns(asked.rest, tools, options, context);
  const losses = asked.fields.map((field): Loss => ({ field, action: 'rewritten', reason: RUN_HERE }));
  return { request, tools, opening: [...listings, ...shown], losses };
}

/** A server that cannot be reached is told in the answer where the format has words for that, and ends it elsewhere. */
async function joinedOrTold(
  server: ServerToolsAsked['servers'][number],
  words: ServerToolWords,
  { join }: ServerToolsOptions,
  context: CallContext,
): Promise<JoinedServer> {
  try {
    return await join(server, words.asksApproval, context);
  } catch (thrown) {
    const error = asGatewayError(thrown);
    const listing: ServerListing = { server: server.name, tools: [], error: error.message };
    if (error.kind !== 'network' || !words.listed(listing)) throw error;
    return { name: server.name, tools: [], listing, isListed: false };
  }
}

/** The tools of one request: those that everyone gets, those of its own servers, and what its searches find. */
class ScopedTools implements GatewayTools {
  readonly #asked: ServerToolsAsked;
  readonly #servers: readonly JoinedServer[];
  readonly #everyones: GatewayTools;
  readonly #joined = new Map<string, JoinedTool>();
  readonly #searches: ReadonlyMap<string, NamedSearch>;
  /** What the searches look through; one array, so that it is indexed once. */
  readonly #hidden: readonly FunctionTool[];

  constructor(asked: ServerToolsAsked, servers: readonly JoinedServer[], everyones: GatewayTools) {
    this.#asked = asked;
    this.#servers = servers;
    this.#everyones = everyones;
    for (const { tools } of servers) for (const tool of tools) this.#joined.set(tool.definition.name, tool);
    this.#searches = new Map(asked.searches.map((search) => [search.name, search]));
    this.#hidden = [...asked.deferred, ...this.#joinedWhere(({ deferred }) => deferred)];
  }

  any(): boolean {
    return true;
  }

  /** Found tools stand last, in the order in which they were found, as they did when they were: caches keep hitting. */
  offered(request: ChatRequest, context: CallContext): readonly FunctionTool[] {
    const own = new Set(request.tools.map(({ name }) => name));
    const usual = this.#everyones.any(context) ? this.#everyones.offered(request, context) : [];
    const hidden = new Map(this.#hidden.map((tool) => [tool.name, tool]));
    const searches = hidden.size > 0 ? [...this.#searches.values()] : [];
    return [
      ...this.#besideServers(usual),
      ...searches.map((search) => searchTool(search, hidden.size)),
      ...this.#joinedWhere(({ deferred }) => !deferred || searches.length === 0),
      ...this.#asked.found.flatMap((name) => hidden.get(name) ?? []),
    ].filter(({ name }) => !own.has(name));
  }

  appeared(request: ChatRequest, context: CallContext): readonly FunctionTool[] {
    return this.#besideServers(this.#everyones.appeared?.(request, context) ?? []);
  }

  /** A server that the request names stands in front of a client of the same name. */
  #besideServers(tools: readonly FunctionTool[]): FunctionTool[] {
    const named = new Set(this.#servers.map(({ name }) => name));
    return tools.filter(({ name }) => !named.has(name.slice(0, name.indexOf('-'))) && !this.#joined.has(name));
  }

  runsByItself(name: string): boolean {
    const joined = this.#joined.get(name);
    if (joined) return joined.runsByItself;
    return this.#searches.has(name) || this.#everyones.runsByItself(name);
  }

  servedAs(name: string): ServedTool | undefined {
    if (this.#searches.has(name)) return { type: 'tool-search' };
    return this.#joined.get(name)?.served;
  }

  async run(call: ToolCallPart, context: CallContext): Promise<ToolOutput> {
    const search = this.#searches.get(call.name);
    if (search) return this.#search(search, call);
    const joined = this.#joined.get(call.name);
    return joined ? joined.run(call, context) : this.#everyones.run(call, context);
  }

  async #search(search: NamedSearch, { name, input }: ToolCallPart): Promise<ToolOutput> {
    try {
      const found = await foundBy(search, parseToolArguments(name, input), this.#hidden);
      const names = found.map((tool) => `Tool ${tool.name} is now available.`);
      return { content: [{ type: 'text', text: names.join('\n') || 'No tool matches.' }], isError: false, found };
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return { content: [{ type: 'text', text: `The search failed: ${why}` }], isError: true, found: [] };
    }
  }

  #joinedWhere(holds: (tool: JoinedTool) => boolean): FunctionTool[] {
    return [...this.#joined.values()].filter(holds).map(({ definition }) => definition);
  }
}

/** The request with the results of calls that the client has just allowed, and the parts that show them. */
async function withApprovedRuns(
  request: ChatRequest,
  tools: GatewayTools,
  { maxParallelTools }: ServerToolsOptions,
  context: CallContext,
): Promise<{ request: ChatRequest; shown: readonly Part[] }> {
  const answered = new Set(request.messages.flatMap(({ parts }) => parts.map(resultId)));
  const isOpen = (part: Part): part is ToolCallPart => isAllowed(part) && !answered.has(part.id);
  const calls = request.messages.flatMap(({ parts }) => parts.filter(isOpen));
  if (calls.length === 0) return { request, shown: [] };
  for (const { name } of calls) requireKnown(name, tools);
  const { results } = await runTools(calls, tools, context, maxParallelTools);
  const turn = { round: 0, mixed: false };
  const shown = calls.flatMap((call, index): Part[] => {
    const result = results[index];
    const parts: Part[] = [{ ...call, owner: 'gateway', turn }];
    return result ? [...parts, { ...result, owner: 'gateway', turn }] : parts;
  });
  const messages = request.messages.flatMap((message): Message[] => {
    const own = results.filter(({ callId }) => message.parts.some((part) => isOpen(part) && part.id === callId));
    return own.length > 0 ? [message, { role: 'tool', parts: own }] : [message];
  });
  return { request: { ...request, messages }, shown };
}

const resultId = (part: Part): string | undefined => (part.type === 'tool-result' ? part.callId : undefined);

const isAllowed = (part: Part): part is ToolCallPart =>
  part.type === 'tool-call' && part.served?.type === 'mcp' && part.served.approval?.type === 'given';

/** An approval runs nothing but what a server of this very request offers. */
function requireKnown(name: string, tools: GatewayTools): void {
  if (tools.servedAs?.(name)?.type === 'mcp') return;
  throw new GatewayError(
    'invalid-request',
    `the approved call of "${name}" cannot run: no MCP server of this request offers it; send its mcp tool again`,
    { param: 'tools' },
  );
}
