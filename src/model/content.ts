import type { JsonObject } from './json.ts';

/** A wire format. A new one is a folder in `codecs/` and a line here; the compiler then lists every place to decide. */
export type CodecId = 'anthropic-messages' | 'bedrock-converse' | 'gemini' | 'openai-chat' | 'openai-responses';

/** The block exactly as it came over the wire. Re-emitted verbatim by the same codec, ignored by the others. */
export interface Origin {
  readonly codec: CodecId;
  readonly block: JsonObject;
  /**
   * At the end of an answer that took several turns: how long the last texts are that the block speaks of, those of its
   * own turn. Absent means all.
   */
  readonly covers?: number;
  /** Of a picture that begins: how often it was shown unfinished before, which no part holds. */
  readonly drafts?: number;
  /** At the end of an answer that took several turns: what was said at the ends of those before the last. */
  readonly earlier?: readonly EarlierEnd[];
}

export interface EarlierEnd {
  readonly origin: Origin | undefined;
  /** Where the texts of that turn begin in all of the answer's, and how long they are. */
  readonly from: number;
  readonly length: number;
}

/** Who runs a tool: the caller, we (an MCP tool), or the provider itself (hosted web search and the like). */
export type ToolOwner = 'client' | 'gateway' | 'provider';

export interface TextPart {
  readonly type: 'text';
  text: string;
  origin?: Origin;
}

/** Thinking. Signatures and encrypted state live in `origin`: they mean something only to the model that made them. */
export interface ReasoningPart {
  readonly type: 'reasoning';
  text: string;
  origin?: Origin;
}

export type MediaSource =
  | { readonly type: 'base64'; readonly data: string }
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'file'; readonly id: string };

/** An image, document or audio clip. `mediaType` is an IANA type, or `image/*` when the wire names only the kind. */
export interface MediaPart {
  readonly type: 'media';
  readonly mediaType: string;
  readonly source: MediaSource;
  readonly name?: string;
  origin?: Origin;
}

export interface ToolCallPart {
  readonly type: 'tool-call';
  readonly id: string;
  /** As the model knows it; an MCP tool is `<client>-<tool>`. */
  readonly name: string;
  /** The JSON text as the model wrote it, which may be malformed; empty means `{}`. */
  input: string;
  /** Absent means `client`. */
  readonly owner?: ToolOwner;
  /** Set on what the gateway ran: which round of the loop, and whether the client's own calls came in the same turn. */
  readonly turn?: GatewayTurn;
  /** What the gateway's tool is, where its name does not tell: `<client>-<tool>` of a configured MCP client. */
  readonly served?: ServedTool;
  origin?: Origin;
}

export type ServedTool =
  /** A tool of a server whose name may hold hyphens. */
  | { readonly type: 'mcp'; readonly server: string; readonly approval?: Approval }
  /** A search over tools that are left out of the prompt. */
  | { readonly type: 'tool-search' };

/** The client is asked whether a call may run, or has said yes to the request with this id. */
export type Approval = { readonly type: 'asked' } | { readonly type: 'given'; readonly requestId: string };

export interface GatewayTurn {
  readonly round: number;
  readonly mixed: boolean;
  /** Of a mixed turn: which of its calls this is, the client's own counted. */
  readonly place?: number;
}

export interface ToolResultPart {
  readonly type: 'tool-result';
  readonly callId: string;
  readonly content: readonly Part[];
  readonly isError: boolean;
  readonly owner?: ToolOwner;
  readonly turn?: GatewayTurn;
  /** What a tool search found; there for every search, even one that failed. */
  readonly found?: readonly FunctionTool[];
  origin?: Origin;
}

/** A function that a model may call. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description?: string;
  /** JSON Schema as it came; each target derives its own form from it, never from another target's. */
  readonly inputSchema: JsonObject;
  readonly strict?: boolean;
  readonly owner: ToolOwner;
  readonly origin?: Origin;
}

/** A block that has no meaning outside its own format: kept for that format, dropped with a ledger entry for others. */
export interface OpaquePart {
  readonly type: 'opaque';
  origin: Origin;
}

export type Part = TextPart | ReasoningPart | MediaPart | ToolCallPart | ToolResultPart | OpaquePart;

/** `tool` messages hold only tool results; every other role may hold any part. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly parts: readonly Part[];
}
