import type { JsonObject } from './json.ts';
import type { ChatRequest, FunctionTool } from './request.ts';

/** A tool of an MCP server, as far as a rule about its use cares. */
export interface RuledTool {
  /** As its server calls it. */
  readonly name: string;
  readonly readOnly: boolean;
}

/** How one tool of a server that a request names may be used. */
export interface ToolRule {
  readonly enabled: boolean;
  /** Left out of the prompt until a tool search finds it. */
  readonly deferred: boolean;
  /** `ask`: only after the client approved the call; `as-configured`: the client said nothing about it. */
  readonly approval: 'never' | 'ask' | 'as-configured';
}

/** An MCP server that a request names for itself. */
export interface NamedServer {
  /** What the client calls it. */
  readonly name: string;
  /** Absent = the name is that of a configured MCP client. */
  readonly url?: string;
  /** Sent with every request to the server; they hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly ruleOf: (tool: RuledTool) => ToolRule;
  /** Its tools stand in the history already, so that they need not be listed to the client again. */
  readonly isListed: boolean;
}

/** A search over tools that are left out of the prompt. */
export interface NamedSearch {
  /** What the model calls it. */
  readonly name: string;
  readonly method: 'regex' | 'bm25';
  readonly description?: string;
}

/** What a request asks the model's API itself to run, and what is left of the request without it. */
export interface ServerToolsAsked {
  readonly servers: readonly NamedServer[];
  readonly searches: readonly NamedSearch[];
  /** The client's own tools that wait for the search. */
  readonly deferred: readonly FunctionTool[];
  /** Names of tools that the history shows as found, in the order in which they were. */
  readonly found: readonly string[];
  /** The request as any provider can take it, its history in ordinary turns. */
  readonly rest: ChatRequest;
  /** The fields of the client's body that `rest` no longer has, for the ledger. */
  readonly fields: readonly string[];
}

/** One tool in the list that a client is shown of a server. */
export interface ShownTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly annotations: JsonObject;
}

/** What a client is shown of a server's tools before they are used. */
export interface ServerListing {
  readonly server: string;
  readonly tools: readonly ShownTool[];
  /** Why there are none. */
  readonly error?: string;
}
