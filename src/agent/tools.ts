import PQueue from 'p-queue';
import type { CallContext } from '../model/call.ts';
import type { Part, ServedTool, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest, FunctionTool } from '../model/request.ts';

/** The gateway's own tools, as the loop needs them. */
export interface GatewayTools {
  /** Whether the caller can see any tool at all; false lets the request pass unread. */
  any(context: CallContext): boolean;
  /** The tools to append to this request, in a stable order. */
  offered(request: ChatRequest, context: CallContext): readonly FunctionTool[];
  /** Another form of what `offered` gave, where that is more than the model's provider takes; undefined where it is not. */
  fewer?(request: ChatRequest, offered: readonly FunctionTool[], context: CallContext): Offer | undefined;
  /** What the request, in a later round, does not offer yet: tools that a server has got since. */
  appeared?(request: ChatRequest, context: CallContext): readonly FunctionTool[];
  /** True for a tool that may run without asking. */
  runsByItself(name: string): boolean;
  /** How a tool is shown to the client, where its name does not tell. */
  servedAs?(name: string): ServedTool | undefined;
  /** Runs one call. Throws when it could not be run; what the tool itself calls an error is a result. */
  run(call: ToolCallPart, context: CallContext): Promise<ToolOutput>;
}

/** Tools, and which of them a request is given. */
export interface Offer {
  readonly tools: GatewayTools;
  readonly offered: readonly FunctionTool[];
  readonly losses: readonly Loss[];
}

export interface ToolOutput {
  readonly content: readonly Part[];
  readonly isError: boolean;
  /** What a tool search found, or what a result is read with: the model is offered it from the next turn on. */
  readonly found?: readonly FunctionTool[];
  /** The run is not over: it waits for calls that somebody must allow. The content says so. */
  readonly paused?: PausedRun;
}

/** A run that goes on when the client brings the results of calls it was handed. */
export interface PausedRun {
  /** Under ids that are nobody else's. */
  readonly calls: readonly ToolCallPart[];
  /** By call id; a call without a result fails inside of the run. */
  resume(results: ReadonlyMap<string, ToolResultPart>, context: CallContext): Promise<ToolOutput>;
  /** Nobody will bring results any more. */
  abandon(): void;
}

/** What one request brings along: a request of its own for the model, and tools that nobody else sees. */
export interface RequestScope {
  readonly request: ChatRequest;
  readonly tools: GatewayTools;
  /** Parts that the client is shown before the model's answer. */
  readonly opening: readonly Part[];
  /** What of the client's request the scope took over. */
  readonly losses: readonly Loss[];
}

/**
 * Runs the calls of one turn, at most `limit` at once, and gives their results in call order, whatever ends first.
 * Never rejects for a tool that fails: the failure is the result, so that the model can react. Rejects on cancel.
 */
export async function runTools(
  calls: readonly ToolCallPart[],
  tools: GatewayTools,
  context: CallContext,
  limit: number,
): Promise<RanTools> {
  const queue = new PQueue({ concurrency: limit });
  const paused: PausedRun[] = [];
  const ran = await queue.addAll(calls.map((call) => () => ranOne(call, tools, context, paused)));
  if (context.signal.aborted) for (const run of paused) run.abandon();
  context.signal.throwIfAborted();
  return { results: ran.map(({ result }) => result), found: ran.flatMap(({ found = [] }) => found), paused };
}

export interface RanTools {
  readonly results: readonly ToolResultPart[];
  /** What the model is offered from the next turn on. */
  readonly found: readonly FunctionTool[];
  /** Runs whose result only says that they wait. */
  readonly paused: readonly PausedRun[];
}

interface RanTool {
  readonly result: ToolResultPart;
  readonly found?: readonly FunctionTool[] | undefined;
}

async function ranOne(
  call: ToolCallPart,
  tools: GatewayTools,
  context: CallContext,
  pausedRuns: PausedRun[],
): Promise<RanTool> {
  try {
    context.signal.throwIfAborted();
    const { content, isError, found, paused } = await tools.run(call, context);
    if (paused) pausedRuns.push(paused);
    const isSearch = tools.servedAs?.(call.name)?.type === 'tool-search';
    const result = { type: 'tool-result', callId: call.id, content, isError, ...(isSearch && { found }) } as const;
    return { result, found };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const text = `Error executing tool ${call.name}: ${why}`;
    return { result: { type: 'tool-result', callId: call.id, content: [{ type: 'text', text }], isError: true } };
  }
}

/** What was found and the model was not offered before; each once. */
export function newlyFound(found: readonly FunctionTool[], { tools }: ChatRequest): FunctionTool[] {
  const byName = new Map(found.map((tool) => [tool.name, tool]));
  for (const { name } of tools) byName.delete(name);
  return [...byName.values()];
}
