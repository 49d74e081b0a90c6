import type { ToolOutput } from '../agent/tools.ts';
import { exposedName } from '../mcp/catalog.ts';
import type { CatalogTool, ToolAnnotations, ToolResult } from '../mcp/contract.ts';
import type { ListedTool } from '../mcp/listed-tools.ts';
import type { RequestServers } from '../mcp/request-servers.ts';
import { resultParts } from '../mcp/result-text.ts';
import { parseToolArguments } from '../mcp/tool-arguments.ts';
import type { CallContext } from '../model/call.ts';
import type { ServedTool, ToolCallPart } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import type { FunctionTool } from '../model/request.ts';
import type { NamedServer, ServerListing, ToolRule } from '../model/server-tools.ts';
import { askedBy, type LoggedTools, type RunLog } from './tool-runs.ts';

/** One tool of a server that a request named, under that request's rules. */
export interface JoinedTool {
  readonly definition: FunctionTool;
  readonly deferred: boolean;
  readonly runsByItself: boolean;
  readonly served: ServedTool;
  readonly run: (call: ToolCallPart, context: CallContext) => Promise<ToolOutput>;
}

export interface JoinedServer {
  readonly name: string;
  readonly tools: readonly JoinedTool[];
  readonly listing: ServerListing;
  /** The client has seen the list before. */
  readonly isListed: boolean;
}

/** Connects a server that a request names. Throws GatewayError. `asks`: the client can be asked to approve calls. */
export type ServerJoiner = (server: NamedServer, asks: boolean, context: CallContext) => Promise<JoinedServer>;

/** A tool as its server lists it, and how it is run. */
interface Offer {
  readonly upstreamName: string;
  readonly description?: string;
  readonly inputSchema: FunctionTool['inputSchema'];
  readonly annotations: ToolAnnotations;
  /** Absent for servers of the request's own: nobody configured anything about them. */
  readonly autoExecute?: boolean;
  readonly call: (call: ToolCallPart, context: CallContext) => Promise<ToolResult>;
}

/** By address, or by the name of a configured MCP client, whose own rules and filters then hold too. */
export function serverJoiner(servers: RequestServers, configured: LoggedTools, runLog: RunLog): ServerJoiner {
  return async (server, asks, context) => {
    const offers =
      server.url === undefined
        ? configuredOffers(server.name, configured, context)
        : await remoteOffers({ ...server, url: server.url }, servers, runLog);
    const ruled = offers.map((offer) => ({ offer, rule: ruleFor(offer, server) })).filter(({ rule }) => rule.enabled);
    return {
      name: server.name,
      tools: ruled.map(({ offer, rule }) => joined(server.name, offer, rule, asks)),
      listing: { server: server.name, tools: ruled.map(({ offer }) => shown(offer)) },
      isListed: server.isListed,
    };
  };
}

const ruleFor = ({ upstreamName, annotations }: Offer, { ruleOf }: NamedServer): ToolRule =>
  ruleOf({ name: upstreamName, readOnly: annotations.readOnlyHint === true });

const shown = ({ upstreamName, description, inputSchema, annotations }: Offer) => ({
  name: upstreamName,
  ...(description !== undefined && { description }),
  inputSchema,
  annotations: { read_only: annotations.readOnlyHint === true },
});

function joined(server: string, offer: Offer, { deferred, approval }: ToolRule, asks: boolean): JoinedTool {
  const { upstreamName, description, inputSchema, call: ask } = offer;
  const name = exposedName(server, upstreamName);
  // a request can ask for more care than the config, never for less
  const mayRun = approval !== 'ask' && offer.autoExecute !== false;
  return {
    definition: {
      type: 'function',
      name,
      ...(description !== undefined && { description }),
      inputSchema,
      owner: 'gateway',
    },
    deferred,
    runsByItself: mayRun,
    served: { type: 'mcp', server, ...(!mayRun && asks && { approval: { type: 'asked' } }) },
    async run(call, context) {
      const result = await ask(call, context);
      return { content: resultParts(name, result), isError: result.isError === true };
    },
  };
}

function configuredOffers(name: string, tools: LoggedTools, { caller }: CallContext): Offer[] {
  const visible = tools.visibleTools(caller).filter(({ clientName }) => clientName === name);
  if (visible.length === 0) {
    const advice = 'give its url, or the name of an MCP client of this gateway whose tools you may use';
    throw new GatewayError('invalid-request', `nothing says where MCP server "${name}" is: ${advice}`);
  }
  return visible.map((tool) => ({ ...offerOf(tool), call: runConfigured(tool, tools) }));
}

const offerOf = ({ upstreamName, description, inputSchema, annotations, autoExecute }: CatalogTool) => ({
  upstreamName,
  ...(description !== undefined && { description }),
  inputSchema,
  annotations,
  autoExecute,
});

const runConfigured =
  ({ name }: CatalogTool, tools: LoggedTools): Offer['call'] =>
  ({ input }, { caller, signal, requestId }) =>
    tools.call({ name, arguments: parseToolArguments(name, input), caller, signal }, requestId);

async function remoteOffers(
  server: NamedServer & { readonly url: string },
  servers: RequestServers,
  runLog: RunLog,
): Promise<Offer[]> {
  const open = await servers.open(server);
  return open.tools.map((tool: ListedTool) => ({
    ...tool,
    call: ({ name, input }, { caller, signal, requestId }) => {
      const args = parseToolArguments(name, input);
      const facts = {
        ...askedBy(caller),
        llmRequestId: requestId,
        serverLabel: server.name,
        toolName: tool.upstreamName,
        arguments: args,
      };
      return runLog(facts, () => open.call(tool.upstreamName, { name, arguments: args, caller, signal }));
    },
  }));
}
