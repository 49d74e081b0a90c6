import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

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
  /**
   * Runs `send`, whose first message carries `headers` beside the configured ones. The SDK hands a request to its
   * transport synchronously, so calls at the same time never mix up their headers.
   */
  carrying<T>(headers: Readonly<Record<string, string>>, send: () => T): T;
}

/**
 * Hands a message to the SDK. It handles answers at once and notifications a microtask later, so that progress which
 * came just before its answer would find the call gone and be dropped: answers wait for that microtask too.
 */
export function deliver(transport: Transport, message: JSONRPCMessage): void {
  if ('method' in message) transport.onmessage?.(message);
  else queueMicrotask(() => transport.onmessage?.(message));
}
