import type { ToolRunRecord, ToolRunStart } from '../logs/record.ts';
import type { Catalog, CatalogTool, ToolCallRequest, ToolResult } from '../mcp/contract.ts';
import type { Caller } from '../model/call.ts';
import { asGatewayError } from '../model/errors.ts';
import { orderedId } from '../model/ordered-id.ts';

/** The MCP clients, as the request path sees them. */
export interface McpTools {
  readonly catalog: Catalog;
  visibleTools(caller: Caller): readonly CatalogTool[];
  call(request: ToolCallRequest): Promise<ToolResult>;
  onChange(listener: () => void): () => void;
}

interface RunSink {
  beginToolRun(start: ToolRunStart): void;
  recordToolRun(record: ToolRunRecord): void;
}

export interface LoggedTools extends McpTools {
  /** `llmRequestId`: the model call that asked for the run; `parentId`: the run inside of which this one happens. */
  call(request: ToolCallRequest, llmRequestId?: string, parentId?: string): Promise<ToolResult>;
}

/** The same tools, with one record in the log for each run, whoever asked for it: the loop, a client or a person. */
export function loggedTools(tools: McpTools, sink: RunSink): LoggedTools {
  const run = runLog(sink);
  return {
    get catalog() {
      return tools.catalog;
    },
    visibleTools: (caller) => tools.visibleTools(caller),
    onChange: (listener) => tools.onChange(listener),
    call(request, llmRequestId, parentId) {
      const [serverLabel, toolName] = splitName(request.name);
      const { logLabels, keyOwner, keepsContents, dimensions } = request.caller;
      const metadata = parentId === undefined ? logLabels : { ...logLabels, parent_id: parentId };
      const tool = tools.catalog.byName.get(request.name);
      const costUsd = tool?.priceUsd;
      const id = orderedId();
      // what the server asks our models is logged as a part of this
      const traced = tool?.asksModels ? { ...request, requestId: llmRequestId ?? id } : request;
      const facts = {
        id,
        llmRequestId,
        serverLabel,
        toolName,
        arguments: request.arguments,
        metadata,
        virtualKeyId: keyOwner?.id,
        virtualKeyName: keyOwner?.name,
        keepsContents,
        dimensions,
      };
      return run(facts, () => tools.call(traced), costUsd);
    },
  };
}

/** What the record of a run says of whoever asked for it. */
export const askedBy = ({ logLabels, keyOwner, keepsContents, dimensions }: Caller) => ({
  metadata: logLabels,
  virtualKeyId: keyOwner?.id,
  virtualKeyName: keyOwner?.name,
  keepsContents,
  dimensions,
});

/** Runs a tool and records it, however it ends. `costUsd`: what a run that succeeds costs. */
export type RunLog = (
  facts: Omit<ToolRunStart, 'id' | 'startedAtMs'> & Partial<Pick<ToolRunStart, 'id'>>,
  run: () => Promise<ToolResult>,
  costUsd?: number,
) => Promise<ToolResult>;

export const runLog =
  (sink: RunSink): RunLog =>
  async (facts, run, costUsd) => {
    const start = { ...facts, id: facts.id ?? orderedId(), startedAtMs: Date.now() };
    const started = performance.now();
    const latency = () => performance.now() - started;
    sink.beginToolRun(start);
    try {
      const result = await run();
      sink.recordToolRun({ ...start, status: 'success', latencyMs: latency(), result, costUsd });
      return result;
    } catch (thrown) {
      const error = asGatewayError(thrown);
      const status = error.kind === 'cancelled' ? 'cancelled' : 'error';
      // only what ran is paid for
      sink.recordToolRun({ ...start, status, latencyMs: latency(), error });
      throw thrown;
    }
  };

/** An exposed name is `<client>-<tool>`; client names hold no hyphen. */
function splitName(name: string): [client: string, tool: string] {
  const at = name.indexOf('-');
  return at < 0 ? ['', name] : [name.slice(0, at), name.slice(at + 1)];
}
