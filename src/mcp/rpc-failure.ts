import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { RpcError } from './peer.ts';

/** The SDK's own codes for a connection that closed and a request that timed out. */
const LOCAL_CODES: ReadonlySet<number> = new Set([-32000, -32001]);

/** The error that a server answered with, in its own words; undefined when the failure is another. */
export function rpcErrorIn(thrown: unknown): RpcError | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof RpcError) return error;
    if (!(error instanceof McpError) || LOCAL_CODES.has(error.code)) continue;
    // what SDK errors hold came as JSON
    const data = error.data as RpcError['data'];
    return new RpcError(error.code, error.message.replace(/^MCP error -?\d+: /, ''), data);
  }
  return undefined;
}
