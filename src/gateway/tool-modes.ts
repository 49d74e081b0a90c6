import { randomUUID } from 'node:crypto';
import type { PausedRun, ToolOutput } from '../agent/tools.ts';
import type { ToolManagerConfig } from '../config/schema.ts';
import type { CatalogTool, ToolCallRequest, ToolResult } from '../mcp/contract.ts';
import { parseToolArguments } from '../mcp/execute.ts';
import { type MetaHost, type MetaRun, MetaRuns } from '../mcp/meta-runs.ts';
import { isMetaTool, type MetaToolName } from '../mcp/meta-tools.ts';
import type { Peer } from '../mcp/peer.ts';
import { resultParts } from '../mcp/result-text.ts';
import type { CallContext, Caller } from '../model/call.ts';
import type { Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import { orderedId } from '../model/ordered-id.ts';
import type { LoggedTools } from './tool-runs.ts';

/** What becomes of a nested call that does not run by itself. */
type Leave =
  /** The caller has allowed the whole run. */
  | { readonly type: 'given' }
  /** The run pauses until the client brings a result. */
  | { readonly type: 'pause' }
  /** The MCP client is asked, if it can be; otherwise the call fails. */
  | { readonly type: 'ask' };

/** The tools as each client's mode gives them: themselves, or meta tools that stand for them. */
export interface ModedTools extends LoggedTools {
  /** What a model or an MCP caller is given in place of what it may see. */
  offeredTools(caller: Caller): readonly CatalogTool[];
  /** Meta tools as well. */
  call(request: ToolCallRequest): Promise<ToolResult>;
  /** The same for somebody who has decided that every tool inside of the run may run. */
  callAllowed(request: ToolCallRequest): Promise<ToolResult>;
  runsByItself(name: string): boolean;
  /** As the agent loop runs a tool: what needs somebody's leave pauses the run. */
  run(call: ToolCallPart, context: CallContext): Promise<ToolOutput>;
  close(): Promise<void>;
}

interface Origin {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly peer?: Peer | undefined;
  readonly llmRequestId: string | undefined;
  readonly leave: Leave;
}

export function modedTools(tools: LoggedTools, manager: () => ToolManagerConfig): ModedTools {
  const metaRuns = new MetaRuns(manager);
  const runsByItself = (name: string): boolean =>
    isMetaTool(name) || tools.catalog.byName.get(name)?.autoExecute === true;

  const hostOf = ({ caller, signal, peer, llmRequestId, leave }: Origin, parentId: string): MetaHost => ({
    visible: tools.visibleTools(caller),
    signal,
    needsLeave: (tool) => leave.type === 'pause' && !runsByItself(tool),
    async allow(name, input, callSignal) {
      if (leave.type === 'ask' && !runsByItself(name)) await askLeave(name, input, peer, callSignal);
    },
    call(name, input, callSignal) {
      const request = { name, arguments: input, caller, signal: callSignal, ...(peer && { peer }) };
      return tools.call(request, llmRequestId, parentId);
    },
  });

  /**
   * One leg of a run: to its end or its next pause. The log has a row for each call inside, under the leg's id as their
   * `parent_id`, and none for the leg itself, which calls no server.
   */
  const leg = (origin: Origin, step: (host: MetaHost) => Promise<MetaRun>): Promise<MetaRun> =>
    step(hostOf(origin, orderedId()));

  const runMeta = (name: MetaToolName, args: JsonObject, origin: Origin): Promise<MetaRun> =>
    leg(origin, (host) => metaRuns.run(name, args, host));

  const outputOf = (name: string, run: MetaRun): ToolOutput => {
    if (run.type === 'ended') return { content: resultParts(name, run.result), isError: run.result.isError === true };
    const calls = run.calls.map(({ number, tool, input }) => ({ number, part: handedCall(tool, input) }));
    const paused: PausedRun = {
      calls: calls.map(({ part }) => part),
      async resume(results, { caller, signal, requestId }) {
        const origin: Origin = { caller, signal, llmRequestId: requestId, leave: { type: 'pause' } };
        const found = new Map(calls.flatMap(({ number, part }) => numbered(number, results.get(part.id))));
        return outputOf(name, await leg(origin, (host) => run.resume(found, host)));
      },
      abandon: () => run.abandon(),
    };
    const text = `${pausedText(run.calls.map(({ tool }) => tool))} (${calls.map(({ part }) => part.id).join(', ')})`;
    return { content: [{ type: 'text', text }], isError: false, paused };
  };

  const callMeta = async (name: MetaToolName, request: ToolCallRequest, leave: Leave): Promise<ToolResult> => {
    const { arguments: args, caller, signal, peer } = request;
    const run = await runMeta(name, args, { caller, signal, peer, llmRequestId: undefined, leave });
    return run.type === 'ended' ? run.result : textResult(pausedText(run.calls.map(({ tool }) => tool)));
  };

  const callFor = (request: ToolCallRequest, leave: Leave): Promise<ToolResult> => {
    const { name } = request;
    return isMetaTool(name) ? callMeta(name, request, leave) : tools.call(request);
  };

  return {
    get catalog() {
      return tools.catalog;
    },
    visibleTools: (caller) => tools.visibleTools(caller),
    onChange: (listener) => tools.onChange(listener),
    offeredTools: (caller) => metaRuns.given(tools.visibleTools(caller)).offered,
    runsByItself,
    // a single call is not asked about: the MCP client has shown its user the tool and its arguments
    call: (request) => callFor(request, request.name === 'executeTool' ? { type: 'given' } : { type: 'ask' }),
    callAllowed: (request) => callFor(request, { type: 'given' }),
    async run({ name, input }, { caller, signal, requestId }) {
      const args = parseToolArguments(name, input);
      if (isMetaTool(name)) {
        const origin: Origin = { caller, signal, llmRequestId: requestId, leave: { type: 'pause' } };
        return outputOf(name, await runMeta(name, args, origin));
      }
      const result = await tools.call({ name, arguments: args, caller, signal }, requestId);
      return { content: resultParts(name, result), isError: result.isError === true };
    },
    close: () => metaRuns.close(),
  };
}

const textResult = (text: string): ToolResult => ({ content: [{ type: 'text', text }] });

const pausedText = (names: readonly string[]): string =>
  `Paused: it goes on when the client brings the result of ${names.join(', ')}, which must be allowed first.`;

/** An id of our own making: no model's numbering can meet it, and every format takes it as it is. */
const handedCall = (name: string, input: JsonObject): ToolCallPart => ({
  type: 'tool-call',
  id: `call_${randomUUID().replaceAll('-', '')}`,
  name,
  input: JSON.stringify(input),
});

const numbered = (number: number, result: ToolResultPart | undefined): [number, ToolResult][] =>
  result ? [[number, { content: result.content.flatMap(blockOf), isError: result.isError }]] : [];

function blockOf(part: Part): JsonObject[] {
  if (part.type === 'text') return [{ type: 'text', text: part.text }];
  if (part.type !== 'media' || part.source.type !== 'base64') return [];
  const type = part.mediaType.startsWith('audio/') ? 'audio' : 'image';
  return [{ type, data: part.source.data, mimeType: part.mediaType }];
}

/** Throws unless the person behind the MCP client says yes. Silence, a cancelled form and a refusal are no. */
async function askLeave(tool: string, input: JsonObject, peer: Peer | undefined, signal: AbortSignal): Promise<void> {
  if (!peer || !takesForms(peer.capabilities.elicitation)) {
    const advice = `call ${tool} by itself, or put it into tools_to_auto_execute of its MCP client`;
    throw new GatewayError(
      'permission',
      `${tool} must be allowed before it runs, and nobody can be asked here: ${advice}`,
    );
  }
  const message = `A script wants to call ${tool} with ${shortened(JSON.stringify(input))}. May it?`;
  const params = { message, requestedSchema: { type: 'object', properties: {} } };
  const { action } = await peer.ask({ method: 'elicitation/create', params }, signal);
  if (action !== 'accept') throw new GatewayError('permission', `the call of ${tool} was not allowed`);
}

/** An empty declaration means forms (MCP 2025-11-25, elicitation capabilities). */
const takesForms = (elicitation: unknown): boolean =>
  typeof elicitation === 'object' && elicitation !== null && ('form' in elicitation || !('url' in elicitation));

const MAX_SHOWN_LENGTH = 1_000;
const shortened = (text: string): string =>
  text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}… (${text.length} characters)`;
