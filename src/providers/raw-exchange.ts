import type { CallContext, RawExchange } from '../model/call.ts';
import { isObject, type JsonObject, type JsonValue, jsonOrText } from '../model/json.ts';
import type { DirectResponse } from './direct-response.ts';
import type { Outgoing } from './outgoing.ts';
import type { Provider } from './provider.ts';

/**
 * Notes what is sent to a provider, for a caller who is to see it; what else is to be noted of the exchange goes into
 * the same object. Undefined where nobody asks, which is the usual case.
 */
export function rawExchange(
  { sendsBackRaw }: Provider,
  { body }: Outgoing,
  { caller, trace }: CallContext,
): RawExchange | undefined {
  const asked = caller.sendsBackRaw;
  if (!sendsBackRaw && !asked) return undefined;
  const request = asked?.request ?? sendsBackRaw?.request ?? false;
  const response = asked?.response ?? sendsBackRaw?.response ?? false;
  if (!request && !response) return undefined;
  trace.raw ??= {};
  trace.raw.request = request ? withoutSecrets(jsonOrText(textOf(body))) : undefined;
  trace.raw.response = undefined;
  return response ? trace.raw : undefined;
}

/** Notes a whole answer, or what comes of a stream as it is read. */
export function noteAnswer(raw: RawExchange, { stream, bytes }: DirectResponse): void {
  if (!stream) {
    raw.response = jsonOrText(textOf(bytes));
    return;
  }
  const text = new TextDecoder();
  stream.onRead = (piece) => {
    raw.response = `${typeof raw.response === 'string' ? raw.response : ''}${text.decode(piece, { stream: true })}`;
  };
}

const textOf = (body: string | Uint8Array): string =>
  typeof body === 'string' ? body : Buffer.from(body).toString('utf8');

/** Our keys are in headers; a body may hold those of MCP servers that the client named (Messages, Responses). */
function withoutSecrets(body: JsonValue): JsonValue {
  if (!isObject(body)) return body;
  const hidden = (list: JsonValue | undefined) => (Array.isArray(list) ? list.map(serverWithoutSecrets) : list);
  const { mcp_servers: servers, tools } = body;
  return {
    ...body,
    ...(servers !== undefined && { mcp_servers: hidden(servers) }),
    ...(tools !== undefined && { tools: hidden(tools) }),
  };
}

const HIDDEN = '***';

function serverWithoutSecrets(server: JsonValue): JsonValue {
  if (!isObject(server)) return server;
  const shown: JsonObject = { ...server };
  for (const field of ['authorization', 'authorization_token']) {
    if (typeof shown[field] === 'string') shown[field] = HIDDEN;
  }
  if (isObject(server.headers)) {
    shown.headers = Object.fromEntries(Object.keys(server.headers).map((name) => [name, HIDDEN]));
  }
  return shown;
}
