import type { MetaHost } from '../mcp/meta-runs.ts';
import type { Peer } from '../mcp/peer.ts';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import { orderedId } from '../model/ordered-id.ts';
import type { LoggedTools } from './tool-runs.ts';

/** What becomes of a nested call that does not run by itself. */
export type Leave =
  /** The caller has allowed the whole run. */
  | { readonly type: 'given' }
  /** The run pauses until the client brings a result. */
  | { readonly type: 'pause' }
  /** The MCP client is asked, if it can be; otherwise the call fails. */
  | { readonly type: 'ask' };

/** On whose behalf a meta tool runs. */
export interface Origin {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly peer?: Peer | undefined;
  readonly llmRequestId: string | undefined;
  readonly leave: Leave;
}

/**
 * The calls inside of a meta tool's run, until it ends or pauses. The log has a row for each of them, under an id of this
 * leg of the run as their `parent_id`, and none for the leg itself, which calls no server.
 */
export function nestedCalls(
  tools: LoggedTools,
  runsByItself: (name: string) => boolean,
  { caller, signal, peer, llmRequestId, leave }: Origin,
): MetaHost {
  const parentId = orderedId();
  return {
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
  };
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
