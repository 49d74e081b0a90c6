import type { ToolOutput } from '../agent/tools.ts';
import type { ToolManagerConfig } from '../config/schema.ts';
import type { CatalogTool, ToolCallRequest, ToolResult } from '../mcp/contract.ts';
import { MetaRuns } from '../mcp/meta-runs.ts';
import { isMetaTool, type MetaToolName } from '../mcp/meta-tools.ts';
import { parseToolArguments } from '../mcp/tool-arguments.ts';
import type { CallContext, Caller } from '../model/call.ts';
import type { ToolCallPart } from '../model/content.ts';
import { type Leave, nestedCalls } from './nested-calls.ts';
import { type Leg, outputOf, pausedText, resultOutput } from './tool-output.ts';
import type { LoggedTools } from './tool-runs.ts';

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

export function modedTools(tools: LoggedTools, manager: () => ToolManagerConfig): ModedTools {
  const metaRuns = new MetaRuns(manager);
  const runsByItself = (name: string): boolean =>
    isMetaTool(name) || tools.catalog.byName.get(name)?.autoExecute === true;

  const callMeta = async (name: MetaToolName, request: ToolCallRequest, leave: Leave): Promise<ToolResult> => {
    const { arguments: args, caller, signal, peer } = request;
    const origin = { caller, signal, peer, llmRequestId: undefined, leave };
    const run = await metaRuns.run(name, args, nestedCalls(tools, runsByItself, origin));
    return run.type === 'ended' ? run.result : { content: [{ type: 'text', text: pausedText(run) }] };
  };
  const callFor = (request: ToolCallRequest, leave: Leave): Promise<ToolResult> => {
    const { name } = request;
    return isMetaTool(name) ? callMeta(name, request, leave) : tools.call(request);
  };
  const legInLoop: Leg = ({ caller, signal, requestId }, step) =>
    step(nestedCalls(tools, runsByItself, { caller, signal, llmRequestId: requestId, leave: { type: 'pause' } }));

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
    async run({ name, input }, context) {
      const args = parseToolArguments(name, input);
      if (isMetaTool(name)) {
        const run = await legInLoop(context, (host) => metaRuns.run(name, args, host));
        return outputOf(name, run, legInLoop);
      }
      const { caller, signal, requestId } = context;
      return resultOutput(name, await tools.call({ name, arguments: args, caller, signal }, requestId));
    },
    close: () => metaRuns.close(),
  };
}
