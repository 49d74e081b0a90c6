import type { ToolMode } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';
import type { JsonObject } from '../model/json.ts';
import type { Peer } from './peer.ts';
import type { Finding } from './safety/finding.ts';
import type { WhyHeld } from './safety/judgement.ts';

/**
 * Bifrost v2's states. `unstable` is informational, calls are still tried; in `needs_reauth` and `pending_verification`
 * they wait for a person; `error` = never connected, and no prospect of it as configured.
 */
export const CONNECTION_STATES = [
  'healthy',
  'unstable',
  'needs_reauth',
  'pending_verification',
  'disabled',
  'error',
] as const;

export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** Why a client was not healthy, the last time it was not. */
export interface LastFailure {
  /** `connect`, `ping`, `list_tools`, `tool_discovery`, `transport_lost`, `credential`. */
  readonly stage: string;
  /** At most 512 characters, without secrets. */
  readonly message: string;
  readonly at: string;
  /** When this trouble began. */
  readonly since: string;
}

export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** One tool of one connected server. */
export interface CatalogTool {
  /** `<client>-<upstreamName>`: what models and MCP callers see. */
  readonly name: string;
  /** With `upstreamName` the key by which rules know the tool: it outlives a new name of the client. */
  readonly clientId: string;
  readonly clientName: string;
  readonly upstreamName: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  /** The whole definition as the server gave it (title, outputSchema, annotations, icons, _meta). */
  readonly definition: JsonObject;
  readonly annotations: ToolAnnotations;
  /** Runs without asking: in `tools_to_execute` and in `tools_to_auto_execute`. */
  readonly autoExecute: boolean;
  /** The server may ask the gateway's models while the tool runs; absent = it may not. */
  readonly asksModels?: true;
  /** `tool_pricing`: US dollars for each run that succeeds. */
  readonly priceUsd?: number;
  /** How its client's tools are given to models and MCP callers; absent = `direct`. */
  readonly mode?: ToolMode;
}

/** A snapshot: sorted by client, then by tool; replaced whole, never edited. `version` grows with each change. */
export interface Catalog {
  readonly version: number;
  readonly tools: readonly CatalogTool[];
  readonly byName: ReadonlyMap<string, CatalogTool>;
}

export interface ToolProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

export interface ToolCallRequest {
  /** Exposed name, `<client>-<tool>`. */
  readonly name: string;
  readonly arguments: JsonObject;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ToolProgress) => void;
  /** The MCP client that called, to be asked and told things while the call runs; absent where there is none. */
  readonly peer?: Peer | undefined;
  /** Under which the log has this call, or the model call that asked for it; only where the server may ask our models. */
  readonly requestId?: string | undefined;
  /** The caller's `_meta`, passed on except for its progress token. */
  readonly meta?: JsonObject;
}

/** The server's own CallToolResult, untouched: `content`, `structuredContent`, `isError`, `_meta`. */
export type ToolResult = JsonObject & { readonly content: JsonObject[]; readonly isError?: boolean };

export interface ClientStatus {
  readonly id: string;
  readonly name: string;
  readonly state: ConnectionState;
  readonly tools: readonly CatalogTool[];
  /** Upstream tools that the allow-list hides, by upstream name. */
  readonly hiddenTools: readonly string[];
  /** What is neither listed nor callable until an admin releases it, by upstream name. */
  readonly heldTools: readonly { readonly tool: string; readonly why: WhyHeld }[];
  /** What hides something in its definition, by upstream name. */
  readonly flaggedTools: readonly { readonly tool: string; readonly findings: readonly Finding[] }[];
  readonly lastFailure?: LastFailure;
  readonly serverInfo?: JsonObject;
  readonly pid?: number;
  /** The tools are those of an earlier run; the server was not asked yet. */
  readonly isStale: boolean;
  /** A process that is not started, or was stopped, for want of calls; the next call starts it. */
  readonly isResting: boolean;
  readonly restarts: number;
  /** The last lines a stdio server wrote to stderr. */
  readonly stderr: readonly string[];
}
