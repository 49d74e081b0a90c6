import { asGatewayError, GatewayError } from '../../model/errors.ts';
import type { RpcError } from '../peer.ts';
import { rpcErrorIn } from '../rpc-failure.ts';
import { errorText, type JsonRpcId, RPC_CODE } from './json-rpc.ts';

// What failed, as the JSON texts that clients are answered with.

export const errorTextOf = (id: JsonRpcId, { code, message, data }: RpcError): string =>
  errorText(id, code, message, data);

/** Nobody waits for what a client cancelled; what the gateway ended by itself is told. */
export const endedText = (id: JsonRpcId, { reason }: AbortSignal): string | undefined =>
  reason instanceof GatewayError ? errorText(id, RPC_CODE.internalError, reason.message) : undefined;

export function refusalText(id: JsonRpcId, thrown: unknown): string {
  const error = rpcErrorIn(thrown);
  if (error) return errorTextOf(id, error);
  const { kind, message } = asGatewayError(thrown);
  return errorText(id, kind === 'permission' ? RPC_CODE.invalidParams : RPC_CODE.internalError, message);
}

/** A failed call is a result that the model reads, so that it can do something else (Bifrost's wording). */
export function failureText(thrown: unknown): string {
  const { message, details } = asGatewayError(thrown);
  // Whoever must log in first reads where, and nothing before that (Bifrost).
  const text = details.mcpAuthRequired ? message : `Tool execution failed: ${message}`;
  return JSON.stringify({ content: [{ type: 'text', text }], isError: true });
}
