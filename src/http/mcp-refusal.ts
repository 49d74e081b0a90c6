import type { ServerResponse } from 'node:http';
import { errorText, type JsonRpcId, RPC_CODE } from '../mcp/server/json-rpc.ts';
import { asGatewayError, statusOf } from '../model/errors.ts';
import { Unadmitted } from './mcp-admission.ts';

/** Why a request is refused before any message of it was answered. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly id: JsonRpcId | null;

  constructor(status: number, message: string, code: number = RPC_CODE.refused, id: JsonRpcId | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.id = id;
  }
}

export const invalidRequest = (reason: string, id: JsonRpcId | null = null): Refusal =>
  new Refusal(400, `Invalid Request: ${reason}`, RPC_CODE.invalidRequest, id);

/** There is nothing at this address for this caller, and it is not told which of the two it is. */
export function nothingAt(slug: string | undefined): Unadmitted {
  const message = `access_denied: there is no MCP server at /mcp/${slug ?? ''}, or you may not use it`;
  return new Unadmitted(403, message, { type: 'access_denied' });
}

/** Answers what was thrown on the way; once an answer has begun, it is cut off. */
export function refuse(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (thrown instanceof Unadmitted) {
    if (thrown.challenge !== undefined) response.setHeader('www-authenticate', thrown.challenge);
    denyAccess(response, thrown);
    return;
  }
  const { status, code, id, message } = refusalOf(thrown);
  const text = errorText(id, code, message);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(status === 405 && { allow: 'GET, POST, DELETE' }),
  });
  response.end(text);
}

/** A body that JSON-RPC clients can read, with the members that the gateway's other errors have. */
function denyAccess(response: ServerResponse, { status, type, message }: Unadmitted): void {
  const error = { code: RPC_CODE.refused, ...(type !== undefined && { type }), message };
  const text = JSON.stringify({ jsonrpc: '2.0', id: null, is_bifrost_error: false, status_code: status, error });
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const error = asGatewayError(thrown);
  const code = error.kind === 'internal' ? RPC_CODE.internalError : RPC_CODE.refused;
  return new Refusal(statusOf(error), error.message, code);
}
