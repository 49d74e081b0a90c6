import type { ProviderKey } from '../config/schema.ts';
import type { CallContext, Caller, KeptExchange, RawExchange, Trace } from '../model/call.ts';
import { isObject, type JsonObject, type JsonValue, jsonOrText } from '../model/json.ts';
import type { DirectResponse } from './direct-response.ts';
import type { Outgoing } from './outgoing.ts';
import type { Provider } from './provider.ts';
import { withoutKey } from './refusal.ts';

/** Of each side; the log keeps no more of what is said either. */
const MOST_KEPT = 1024 * 1024;

/** Who is to have an answer besides the client: the caller as it came, or the log. */
interface RawAnswer {
  readonly shown: RawExchange | undefined;
  readonly kept: KeptExchange | undefined;
  readonly key: ProviderKey;
}

/**
 * Notes what is sent to a provider, for a caller who is to see it or a log that is to keep it; what comes back is noted
 * with what this gives. Undefined where nobody asks, which is the usual case.
 */
export function rawExchange(
  { provider, key }: { readonly provider: Provider; readonly key: ProviderKey },
  { body }: Outgoing,
  { caller, trace }: CallContext,
): RawAnswer | undefined {
  forget(trace);
  const keeps = caller.storesRaw ?? provider.storesRaw;
  if (!provider.sendsBackRaw && !caller.sendsBackRaw && !keeps) return undefined;
  const { request, response } = shownOf(provider, caller);
  const sent = request || keeps ? withoutSecrets(jsonOrText(textOf(body))) : undefined;
  if (request || response) {
    trace.raw ??= {};
    if (request) trace.raw.request = sent;
  }
  if (keeps) trace.keptRaw = keptOf(sent);
  return response || keeps ? { shown: response ? trace.raw : undefined, kept: trace.keptRaw, key } : undefined;
}

/** An earlier target's exchange is none of this one's. */
function forget(trace: Trace): void {
  if (trace.keptRaw) trace.keptRaw = undefined;
  if (!trace.raw) return;
  trace.raw.request = undefined;
  trace.raw.response = undefined;
}

const shownOf = ({ sendsBackRaw }: Provider, { sendsBackRaw: asked }: Caller) => ({
  request: asked?.request ?? sendsBackRaw?.request ?? false,
  response: asked?.response ?? sendsBackRaw?.response ?? false,
});

function keptOf(sent: JsonValue | undefined): KeptExchange {
  const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
  return { request: text.slice(0, MOST_KEPT), response: '', truncated: text.length > MOST_KEPT };
}

/** Notes a whole answer, or what comes of a stream as it is read. */
export function noteAnswer({ shown, kept, key }: RawAnswer, { stream, bytes }: DirectResponse): void {
  if (!stream) {
    const text = withoutKey(bytes.toString('utf8'), key);
    if (shown) shown.response = jsonOrText(text);
    if (kept) keep(kept, text, key);
    return;
  }
  const decoder = new TextDecoder();
  stream.onRead = (bytesRead) => {
    const piece = decoder.decode(bytesRead, { stream: true });
    if (shown) shown.response = `${typeof shown.response === 'string' ? shown.response : ''}${withoutKey(piece, key)}`;
    if (kept) keep(kept, piece, key);
  };
}

/** Adds to what is kept of an answer. A key may stand on the border of two pieces, so the end is looked at again. */
function keep(kept: KeptExchange, piece: string, key: ProviderKey): void {
  if (kept.truncated && kept.response.length >= MOST_KEPT) return;
  const seenBefore = Math.max(0, kept.response.length - key.value.value.length);
  const end = withoutKey(kept.response.slice(seenBefore) + piece, key);
  const whole = kept.response.slice(0, seenBefore) + end;
  kept.response = whole.slice(0, MOST_KEPT);
  if (whole.length > MOST_KEPT) kept.truncated = true;
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
