import { agentLoop } from '../agent/loop.ts';
import { PausedRuns } from '../agent/paused-runs.ts';
import type { GatewayTools } from '../agent/tools.ts';
import { TranscriptMemory } from '../agent/transcript-memory.ts';
import type { ToolManagerConfig } from '../config/schema.ts';
import { estimatedTokens } from '../governance/token-estimate.ts';
import { logged, loggedOperation } from '../logs/logged.ts';
import type { LogSink } from '../logs/sink.ts';
import { injectedTools } from '../mcp/inject.ts';
import type { AnswerSampling } from '../mcp/relay.ts';
import type { RequestServers } from '../mcp/request-servers.ts';
import { resultText } from '../mcp/result-text.ts';
import type { LargeResults } from '../mcp/results/large-results.ts';
import { isReaderTool } from '../mcp/results/reader-tools.ts';
import type { CallContext, Caller, ModelCall } from '../model/call.ts';
import type { JsonObject } from '../model/json.ts';
import type { OperationCall } from '../model/operation.ts';
import { orderedId } from '../model/ordered-id.ts';
import type { ChatRequest } from '../model/request.ts';
import { mayBeBlocked, refuseBlockedTools } from './blocked-tools.ts';
import { fittingTools, searchedTools } from './fitting-tools.ts';
import { serverJoiner } from './joined-servers.ts';
import { readableTools } from './readable-results.ts';
import { ResponseOwners } from './response-owners.ts';
import { samplingAnswers } from './sampling.ts';
import { type ServerToolsOptions, serverToolScopes } from './server-tools.ts';
import { type ModedTools, modedTools } from './tool-modes.ts';
import { type LoggedTools, loggedTools, type McpTools, runLog } from './tool-runs.ts';

export interface GatewayParts {
  readonly routed: ModelCall;
  readonly routedOperation: OperationCall;
  /** Undefined when the provider that would answer does not count tokens. */
  readonly countTokens: (request: ChatRequest, context: CallContext) => Promise<number | undefined>;
  /** How many tools whoever may be asked takes. */
  readonly mostTools: (request: ChatRequest, context: CallContext) => number;
  readonly mcp: McpTools;
  /** What becomes of results that are too large. */
  readonly results: LargeResults;
  /** For requests that name MCP servers or tool searches of their own. */
  readonly serverTools: Pick<ServerToolsOptions, 'wordsOf' | 'hostOf'> & { readonly servers: RequestServers };
  readonly toolManager: ToolManagerConfig;
  readonly sink: LogSink;
}

/** The request path, wired. */
export interface Gateway {
  readonly call: ModelCall;
  /** What is no chat: embeddings, images, sound, reranking, legacy completions. */
  readonly operate: OperationCall;
  /** The provider that made a response of the Responses API, as far as it is remembered. */
  readonly ownerOf: (responseId: string) => string | undefined;
  /** Every MCP tool, with each run logged, as the clients' tool modes give them. */
  readonly tools: ModedTools;
  /** Completions that MCP servers ask for. */
  readonly answerSampling: AnswerSampling;
  countTokens(request: ChatRequest, context: CallContext): Promise<number>;
  executeTool(call: ManualToolCall, context: CallContext): Promise<{ text: string; isError: boolean }>;
  /** Ends what waits for clients. */
  close(): Promise<void>;
}

export interface ManualToolCall {
  readonly name: string;
  readonly arguments: JsonObject;
}

export function createGateway(parts: GatewayParts): Gateway {
  const { routed, routedOperation, countTokens, mostTools, mcp, results, serverTools, toolManager, sink } = parts;
  const logRun = runLog(sink);
  const tools = loggedTools(mcp, sink);
  const asGiven = (given: LoggedTools): ModedTools =>
    readableTools(
      modedTools(given, () => toolManager),
      tools,
      results,
      logRun,
    );
  const moded = asGiven(tools);
  const searched = asGiven(searchedTools(tools));
  const everyones = fittingTools(agentTools(moded, toolManager), agentTools(searched, toolManager), mostTools);
  const paused = new PausedRuns();
  const oneTurn = logged(routed, sink);
  const call = agentLoop({
    callModel: oneTurn,
    tools: everyones,
    scopeOf: serverToolScopes({
      ...serverTools,
      everyones,
      join: serverJoiner(serverTools.servers, tools, logRun),
      maxParallelTools: toolManager.max_parallel_tools,
    }),
    memory: new TranscriptMemory(() => performance.now()),
    paused,
    // The admin API may change it.
    get maxDepth() {
      return toolManager.max_agent_depth;
    },
    maxParallelTools: toolManager.max_parallel_tools,
    showsTools: (context) => showsTools(context, toolManager.tool_visibility),
    newId: orderedId,
  });
  const owners = new ResponseOwners();
  return {
    call: owners.watch(call),
    ownerOf: (responseId) => owners.providerOf(responseId),
    operate: loggedOperation(routedOperation, sink),
    tools: moded,
    answerSampling: samplingAnswers(oneTurn, orderedId),
    countTokens: async (request, context) => (await countTokens(request, context)) ?? (await estimatedTokens(request)),
    executeTool: async ({ name, arguments: input }, { caller, signal }) => {
      const result = await moded.callAllowed({ name, arguments: input, caller, signal });
      return { text: resultText(name, result), isError: result.isError === true };
    },
    async close() {
      paused.close();
      await Promise.all([moded.close(), searched.close()]);
    },
  };
}

/**
 * Clients of Messages send back what they are shown, so what ran travels in their own history. Codex does not: it
 * throws the items of a mixed turn away (measured with 0.169). Who keeps them asks for them by header.
 */
function showsTools({ caller, dialect }: CallContext, configured: ToolManagerConfig['tool_visibility']): boolean {
  if (dialect === 'openai-responses') return caller.toolVisibility === 'native';
  return dialect === 'anthropic-messages' && (caller.toolVisibility ?? configured) === 'native';
}

/** The MCP clients' tools as the loop wants them. */
function agentTools(tools: ModedTools, manager: ToolManagerConfig): GatewayTools {
  const injected = (request: ChatRequest, caller: Caller, seen: Caller) =>
    injectedTools({
      visible: tools.offeredTools(seen),
      ownNames: request.tools.map((tool) => tool.name),
      caller,
      onlyOnDemand: manager.disable_auto_tool_inject,
    });
  return {
    any: ({ caller }) => mayBeBlocked(caller) || tools.visibleTools(caller).length > 0,
    offered(request, { caller }) {
      if (mayBeBlocked(caller)) refuseBlockedTools(caller, tools, (seen) => injected(request, caller, seen));
      return injected(request, caller, caller);
    },
    // results that are read in parts are another request's: each is told of its own where they come
    appeared: (request, { caller }) => injected(request, caller, caller).filter(({ name }) => !isReaderTool(name)),
    runsByItself: tools.runsByItself,
    run: tools.run,
  };
}
