import type { GatewayTools, Offer } from '../agent/tools.ts';
import type { CatalogTool } from '../mcp/contract.ts';
import type { CallContext } from '../model/call.ts';
import type { ChatRequest, FunctionTool } from '../model/request.ts';
import type { LoggedTools } from './tool-runs.ts';

/** No provider is known that takes fewer: OpenAI, Azure and Groq refuse the next one. */
const ALWAYS_TAKEN = 128;

/**
 * Tools that fit into what a provider takes: where the request's own and all of ours are too many, ours are `searched`.
 * A client whose own are too many already, or nearly, gets none, as they would only spoil its request.
 */
export function fittingTools(
  whole: GatewayTools,
  searched: GatewayTools,
  mostTools: (request: ChatRequest, context: CallContext) => number,
): GatewayTools {
  const fewer = (request: ChatRequest, offered: readonly FunctionTool[], context: CallContext): Offer | undefined => {
    const own = request.tools.length;
    if (offered.length === 0 || own + offered.length <= ALWAYS_TAKEN) return undefined;
    const most = mostTools(request, context);
    if (own + offered.length <= most) return undefined;
    const fitting = searched.offered(request, context);
    const fits = own + fitting.length <= most;
    const reason = `tools of MCP clients, ${fits ? 'found by a search' : 'left out'}: ${request.model} takes ${most} at most`;
    return {
      tools: searched,
      offered: fits ? fitting : [],
      losses: [{ field: 'tools', action: fits ? 'rewritten' : 'dropped', reason, count: offered.length }],
    };
  };
  return { ...whole, fewer };
}

const known = new WeakMap<readonly CatalogTool[], readonly CatalogTool[]>();

/** The same tools, none of which is given as itself: a search stands for them, unless code does. */
export const searchedTools = (tools: LoggedTools): LoggedTools => ({
  get catalog() {
    return tools.catalog;
  },
  visibleTools: (caller) => searchedOnly(tools.visibleTools(caller)),
  onChange: (listener) => tools.onChange(listener),
  call: (request, llmRequestId, parentId) => tools.call(request, llmRequestId, parentId),
});

/** The same for the same array, so that prompts keep their bytes. */
function searchedOnly(visible: readonly CatalogTool[]): readonly CatalogTool[] {
  let searched = known.get(visible);
  if (!searched) {
    searched = visible.map((tool) => (tool.mode === 'code' ? tool : { ...tool, mode: 'search' }));
    known.set(visible, searched);
  }
  return searched;
}
