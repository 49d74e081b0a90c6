import type { ToolOutput } from '../agent/tools.ts';
import type { CatalogTool, ToolResult } from '../mcp/contract.ts';
import { isMetaTool } from '../mcp/meta-tools.ts';
import { resultParts } from '../mcp/result-text.ts';
import type { LargeResults } from '../mcp/results/large-results.ts';
import { isReaderTool, READER_TOOLS, type ReaderToolName } from '../mcp/results/reader-tools.ts';
import { parseToolArguments } from '../mcp/tool-arguments.ts';
import type { Caller } from '../model/call.ts';
import type { JsonObject } from '../model/json.ts';
import type { FunctionTool } from '../model/request.ts';
import type { ModedTools } from './tool-modes.ts';
import { askedBy, type LoggedTools, type RunLog } from './tool-runs.ts';

/** The server's name of what the gateway itself runs, in the log. */
const OWN_LABEL = 'bifrost';

/**
 * The same tools, whose results fit: what is too large becomes a preview, and tools come along that read the rest. Only
 * what goes to a model or an MCP caller is looked at; what a script calls it gets whole.
 */
export function readableTools(
  moded: ModedTools,
  tools: LoggedTools,
  results: LargeResults,
  runLog: RunLog,
): ModedTools {
  const read = (name: ReaderToolName, input: JsonObject, caller: Caller, llmRequestId?: string): Promise<ToolResult> =>
    runLog({ ...askedBy(caller), llmRequestId, serverLabel: OWN_LABEL, toolName: name, arguments: input }, () =>
      results.read(name, input, caller),
    );
  return {
    get catalog() {
      return moded.catalog;
    },
    visibleTools: (caller) => moded.visibleTools(caller),
    offeredTools: (caller) => results.offered(moded.offeredTools(caller), caller),
    onChange(listener) {
      const stops = [moded.onChange(listener), results.onOffer(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    runsByItself: (name) => isReaderTool(name) || moded.runsByItself(name),
    async call(request) {
      const { name, arguments: input, caller } = request;
      if (isReaderTool(name)) return read(name, input, caller);
      return results.shown(request, await moded.call(request));
    },
    async callAllowed(request) {
      const { name, arguments: input, caller } = request;
      if (isReaderTool(name)) return read(name, input, caller);
      return results.shown(request, await moded.callAllowed(request));
    },
    async run(call, context) {
      const { name, input } = call;
      const { caller, signal, requestId } = context;
      if (isMetaTool(name)) return moded.run(call, context);
      const args = parseToolArguments(name, input);
      if (isReaderTool(name)) return outputOf(name, await read(name, args, caller, requestId));
      const result = await tools.call({ name, arguments: args, caller, signal }, requestId);
      const shown = await results.shown({ name, caller }, result);
      const isNew = shown !== result && results.offersReaders(caller);
      return { ...outputOf(name, shown), ...(isNew && { found: READER_FUNCTIONS }) };
    },
    close: () => moded.close(),
  };
}

const outputOf = (name: string, result: ToolResult): ToolOutput => ({
  content: resultParts(name, result),
  isError: result.isError === true,
});

/** For the turns of the request in which the first large result came. */
const READER_FUNCTIONS: readonly FunctionTool[] = READER_TOOLS.map(functionTool);

function functionTool({ name, description, inputSchema }: CatalogTool): FunctionTool {
  return { type: 'function', name, ...(description !== undefined && { description }), inputSchema, owner: 'gateway' };
}
