import { compacted } from '../codecs/ledger.ts';
import { answererOf, type CallContext, type RawExchange, type Trace } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import { isObject, type JsonObject } from '../model/json.ts';

/** Dialects whose answers have room for the original's account of a call; the vendors' own shapes have none. */
const HOLDING: ReadonlySet<CodecId> = new Set(['openai-chat', 'openai-responses']);

export const holdsExtraFields = (dialect: CodecId): boolean => HOLDING.has(dialect);

/** What the original's `extra_fields` say of a call, the loss ledger among it. `model` is as the client asked for it. */
export function extraFields(context: CallContext, model: string): JsonObject {
  const { trace, operation, startedAtMs } = context;
  return {
    request_type: operation,
    ...routingFields(context, model),
    latency: Math.round(performance.now() - startedAtMs),
    ...(trace.upstreamMs > 0 && { upstream_latency: Math.round(trace.upstreamMs) }),
    ...rawFields(trace),
    ...changedFields(trace),
    ...(trace.losses.length > 0 && { losses: compacted(trace.losses).map((loss) => ({ ...loss })) }),
    ...(trace.upstreamHeaders && { provider_response_headers: { ...trace.upstreamHeaders } }),
  };
}

/** What became of the request, in the original's words. */
function changedFields({ convertedTo, losses }: Trace): JsonObject {
  const dropped = losses.filter(({ action }) => action === 'dropped').map(({ field }) => field);
  return {
    ...(convertedTo !== undefined && { converted_request_type: convertedTo }),
    ...(dropped.length > 0 && { dropped_compat_plugin_params: [...new Set(dropped)] }),
  };
}

/** Whether an answer that travels as it came must hold the account nevertheless. */
export const tellsInside = ({ raw, tellsLosses }: Trace): boolean => raw !== undefined || tellsLosses === true;

const rawFields = ({ raw }: CallContext['trace']): JsonObject => ({
  ...(raw?.request !== undefined && { raw_request: raw.request }),
  ...(raw?.response !== undefined && { raw_response: raw.response }),
});

function routingFields({ trace }: CallContext, model: string): JsonObject {
  const answered = answererOf(trace);
  const first = trace.attempts[0];
  if (!answered) return { original_model_requested: model };
  const isFallback = answered.fallbackIndex > 0;
  return {
    provider: answered.provider,
    original_model_requested: model,
    resolved_model_used: answered.model,
    routing_info: {
      provider: answered.provider,
      model: answered.model,
      key: answered.keyName,
      ...(answered.alias && { resolved_key_alias: { ...answered.alias } }),
      is_fallback: isFallback,
      ...(isFallback && first && { primary_provider: first.provider, primary_model: first.model }),
    },
  };
}

/** A whole answer that came in the client's own format, with `extra_fields` in it: only who asked for them gets them there. */
export function withExtraFields(bytes: Uint8Array, context: CallContext, model: string): Uint8Array {
  const body: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (!isObject(body)) return bytes;
  return Buffer.from(JSON.stringify({ ...body, extra_fields: extraFields(context, model) }));
}

/** The end of every event that is an object: the fields of a chunk go in ahead of its last brace. */
const END = '}\n\n';
const BETWEEN = '\n\n';

/**
 * Puts `extra_fields` into the events of a stream: the first says who answers, each its place and the time since the
 * one before, the last everything. What is no object (`[DONE]`, comments) stays as it is.
 */
export class ChunkFields {
  readonly #context: CallContext;
  readonly #model: string;
  #index = 0;
  /** The start of an event whose end is still to come. */
  #rest: Buffer = Buffer.alloc(0);
  #lastMs = performance.now();

  constructor(context: CallContext, model: string) {
    this.#context = context;
    this.#model = model;
  }

  /** The same for a stream's own bytes, in any pieces: whole events, and at the end whatever is left. */
  intoBytes(bytes: Uint8Array, isLast: boolean): string {
    const all = Buffer.concat([this.#rest, bytes]);
    const last = all.lastIndexOf(BETWEEN);
    const end = isLast ? all.length : last < 0 ? 0 : last + BETWEEN.length;
    this.#rest = all.subarray(end);
    return this.into(all.toString('utf8', 0, end), false);
  }

  /** `isLast`: the text holds the end of the answer. */
  into(text: string, isLast: boolean): string {
    const last = isLast ? text.lastIndexOf(END) : -1;
    let written = '';
    let from = 0;
    for (let at = text.indexOf(END); at >= 0; at = text.indexOf(END, from)) {
      written += `${text.slice(from, at)},"extra_fields":${this.#fields(at === last)}${END}`;
      from = at + END.length;
    }
    return from === 0 ? text : written + text.slice(from);
  }

  #fields(isLast: boolean): string {
    const now = performance.now();
    const latency = Math.round(now - this.#lastMs);
    this.#lastMs = now;
    const place = this.#index;
    this.#index += 1;
    const { raw } = this.#context.trace;
    if (isLast) return JSON.stringify({ ...extraFields(this.#context, this.#model), chunk_index: place });
    if (place > 0 && !raw) return `{"chunk_index":${place},"latency":${latency}}`;
    const shown = raw ? this.#shown(raw, place) : {};
    if (place > 0) return JSON.stringify({ chunk_index: place, latency, ...shown });
    const routed = routingFields(this.#context, this.#model);
    const changed = changedFields(this.#context.trace);
    const request_type = this.#context.operation;
    return JSON.stringify({ request_type, ...routed, ...changed, chunk_index: 0, latency, ...shown });
  }

  /** What was sent stands in the first event, and in each what came since the one before. */
  #shown(raw: RawExchange, place: number): JsonObject {
    const { request, response } = raw;
    raw.response = undefined;
    return {
      ...(place === 0 && request !== undefined && { raw_request: request }),
      ...(response !== undefined && { raw_response: response }),
    };
  }
}
