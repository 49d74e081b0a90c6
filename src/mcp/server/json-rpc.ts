import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { RpcError } from '../peer.ts';

/** `1` and `"1"` are two ids, and an answer carries the one that was asked with. */
export type JsonRpcId = string | number;

export type IncomingMessage =
  | { readonly kind: 'request'; readonly id: JsonRpcId; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | {
      readonly kind: 'response';
      readonly id: JsonRpcId | null;
      readonly result: JsonObject;
      readonly error?: RpcError;
    }
  | { readonly kind: 'invalid'; readonly id: JsonRpcId | null; readonly reason: string };

export type IncomingRequest = Extract<IncomingMessage, { kind: 'request' }>;
export type IncomingResponse = Extract<IncomingMessage, { kind: 'response' }>;
export type IncomingNotification = Extract<IncomingMessage, { kind: 'notification' }>;

/** JSON-RPC 2.0 section 5.1; -32000 and -32001 are the codes that the MCP SDKs give to refused HTTP requests. */
export const RPC_CODE = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  refused: -32000,
  sessionNotFound: -32001,
  resourceNotFound: -32002,
  urlElicitationRequired: -32042,
} as const;

const isId = (value: unknown): value is JsonRpcId => typeof value === 'string' || typeof value === 'number';

const invalid = (id: JsonRpcId | null, reason: string): IncomingMessage => ({ kind: 'invalid', id, reason });

/** One parsed JSON value as the JSON-RPC message it is. Never throws: what breaks the rules comes back as `invalid`. */
export function incomingOf(value: unknown): IncomingMessage {
  if (!isObject(value)) return invalid(null, 'a message must be a JSON object');
  const id = isId(value.id) ? value.id : null;
  if (value.jsonrpc !== '2.0') return invalid(id, 'the member "jsonrpc" must be "2.0"');
  if (typeof value.method !== 'string') {
    return 'result' in value || 'error' in value
      ? responseOf(value, id)
      : invalid(id, 'the member "method" is missing');
  }
  const params = value.params ?? {};
  if (!isObject(params)) return invalid(id, 'the member "params" must be an object');
  if (!('id' in value)) return { kind: 'notification', method: value.method, params };
  if (id === null) return invalid(null, 'the member "id" must be a string or a number');
  return { kind: 'request', id, method: value.method, params };
}

function responseOf({ result, error }: JsonObject, id: JsonRpcId | null): IncomingMessage {
  const answer = { kind: 'response', id, result: isObject(result) ? result : {} } as const;
  return error === undefined ? answer : { ...answer, error: rpcErrorOf(error) };
}

/** A JSON-RPC error as it came over the wire. */
function rpcErrorOf(value: unknown): RpcError {
  const { code, message, data } = isObject(value) ? value : {};
  return new RpcError(
    typeof code === 'number' ? code : RPC_CODE.internalError,
    typeof message === 'string' ? message : 'the client answered with an error',
    data,
  );
}

/** Texts, not objects: each answer is written once, and a part that is text already is never parsed again. */
export const resultText = (id: JsonRpcId, result: string): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;

export const errorText = (id: JsonRpcId | null, code: number, message: string, data?: JsonValue): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } });

export const requestText = (id: JsonRpcId, method: string, params: JsonObject): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

export const notificationText = (method: string, params?: JsonObject): string =>
  JSON.stringify({ jsonrpc: '2.0', method, ...(params && { params }) });
