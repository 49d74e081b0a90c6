import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, JSONRPCNotification, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js';
import type { Flight, Origin } from './peer.ts';

export type ServerMessage = JSONRPCRequest | JSONRPCNotification;

/** The SDK's transport, with what the gateway wants to know and do beside it. */
export interface GatewayTransport extends Transport {
  /** The process of a stdio server. */
  readonly pid?: number | undefined;
  /** The last lines a stdio server wrote to stderr. */
  readonly stderr: readonly string[];
  /** Why the transport ended by itself, as far as it knows. */
  readonly endReason?: string | undefined;
  /** Whether the server gave us a session, which it may forget. */
  readonly hasSession: boolean;
  /** Whether messages of the server come with the call that caused them. */
  readonly tellsOrigins: boolean;
  /** The server is told with each request who asks, and keeps nothing of it: one connection does for every caller. */
  readonly isStateless?: boolean;
  /** A server of the newer era may keep sessions with clients of the older one as well; nobody has tried in vain. */
  readonly mayHaveOlderSessions?: boolean;
  /** Takes what the server asks or says of itself, which is then not the SDK's; false where it did not. */
  onserver?: ((message: ServerMessage, origin: Origin | undefined) => boolean) | undefined;
  /** Sends a request with what belongs to it alone; `send` is for everything else, and for what the SDK asks. */
  request(message: JSONRPCRequest, flight: Flight): Promise<void>;
}

/** Hands a message on: answers one way, what the server asks or says of itself the other. */
export function deliver(transport: GatewayTransport, message: JSONRPCMessage, origin?: Origin): void {
  if (!('method' in message && transport.onserver?.(message, origin))) transport.onmessage?.(message);
}
