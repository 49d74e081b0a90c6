import type { Caller } from '../model/call.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';

/** What an MCP server or client answers instead of a result; both protocol eras use JSON-RPC's shape. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: JsonValue | undefined;

  constructor(code: number, message: string, data?: JsonValue) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** A method and its parameters, in whichever direction it goes. */
export interface RpcMessage {
  readonly method: string;
  readonly params: JsonObject;
}

/** The MCP client at the far end of a call, as far as the server that runs the call may turn to it. */
export interface Peer {
  /** What the client declared: `sampling`, `elicitation`, `roots`, with what each of them holds. */
  readonly capabilities: JsonObject;
  /** The same object for every call of one client session. */
  readonly identity: object;
  /** Whether the client opened a session, so that `identity` outlives this call. */
  readonly hasSession: boolean;
  /** The one server that this session is about (`/mcp/<client>`); undefined where it is about all of them. */
  readonly scope?: string | undefined;
  /** Asks the client. Rejects with RpcError when it refuses, has gone, or the signal says so. */
  ask(request: RpcMessage, signal: AbortSignal): Promise<JsonObject>;
  tell(notification: RpcMessage): void;
  /** The server wants to be polled: it closed the stream of the call, to be resumed after this many milliseconds. */
  pause?(retryMs: number | undefined): void;
}

/** On whose behalf a server works: the call that is under way there. */
export interface Origin {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Absent where no MCP client is behind the call: the agent loop, a person. */
  readonly peer?: Peer | undefined;
  /** Under which the log has what the server works for; only where the server may ask our models. */
  readonly requestId?: string | undefined;
  /** The server works for nobody else in this session. */
  readonly isAlone?: boolean;
}

/** One request on its way to a server. */
export interface Flight {
  readonly id: string | number;
  /** Beside the configured ones. */
  readonly headers: Readonly<Record<string, string>>;
  readonly origin: Origin | undefined;
}

/** What servers ask and say of themselves. `origin` is the call that caused it, as far as that can be known. */
export interface PeerEvents {
  /** Rejects with RpcError. */
  onRequest(request: RpcMessage, origin: Origin | undefined, signal: AbortSignal): Promise<JsonObject>;
  onNotification(notification: RpcMessage, origin: Origin | undefined): void;
}
