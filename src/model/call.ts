import type { AskedCompat } from './compat.ts';
import type { CodecId } from './content.ts';
import type { Frame } from './event.ts';
import type { JsonValue } from './json.ts';
import type { Loss } from './loss.ts';
import type { ChatRequest } from './request.ts';

/** Who asks, and what they narrowed the request to. */
export interface Caller {
  /** Virtual key, when the caller showed one. Never logged whole. */
  readonly virtualKey?: string;
  readonly userAgent?: string;
  /** `x-bf-api-key-id` or `x-bf-api-key`: the one stored key that may be used; an id goes above a name. */
  readonly keyPin?: { readonly by: 'id' | 'name'; readonly value: string };
  /** The caller's own key of a provider, in place of a stored one; only where the configuration lets callers bring theirs. */
  readonly directKey?: DirectKey;
  /** `x-bf-mcp-include-clients`: exact client names; absent = no filter, empty = none. */
  readonly includeClients?: readonly string[];
  /** `x-bf-mcp-include-tools`: `client-*` or `client-tool`; absent = no filter, empty = none. */
  readonly includeTools?: readonly string[];
  /** `x-bf-mcp-tool-visibility`: how gateway-run tools appear in the answer; absent = as configured. */
  readonly toolVisibility?: 'native' | 'hidden';
  /** `x-bf-mcp-session-id`: whose logins to MCP servers are meant, where no virtual key says so. */
  readonly mcpSessionId?: string;
  /** Where the caller reached the gateway (`http://host:port`); only while MCP clients ask their callers to log in. */
  readonly gatewayUrl?: string;
  /** `x-bf-send-back-raw-request` and `-response`, where callers may ask; each absent = as the provider is configured. */
  readonly sendsBackRaw?: { readonly request?: boolean; readonly response?: boolean };
  /** `x-bf-store-raw-request-response`, where callers may say so: whether the log keeps the raw exchange; absent = as configured. */
  readonly storesRaw?: boolean;
  /** `x-bf-compat`: what of the original's conversions is wanted beside what is configured. */
  readonly compat?: AskedCompat;
  /** Request headers that may travel on (`anthropic-beta`, `anthropic-version`, `x-bf-eh-*` with the prefix removed). */
  readonly forwardHeaders: Readonly<Record<string, string>>;
  /** Request headers, lower-case, that some MCP client's `allowed_extra_headers` asks for; never sent to providers. */
  readonly mcpHeaders?: Readonly<Record<string, string>>;
  /** What the request's headers want its log records to say (`client.logging_headers`, `x-bf-lh-*`). */
  readonly logLabels?: Readonly<Record<string, string>>;
  /** `x-bf-dim-*` by the rest of their names, for the metrics; only where some are configured as labels. */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** `x-bf-disable-content-logging`, where callers may say so: whether the log keeps what is said; absent = as configured. */
  readonly keepsContents?: boolean;
  /** Whose virtual key it is, once it was found among the configured ones. */
  readonly keyOwner?: { readonly id: string; readonly name: string };
  /** What that key lets through of the MCP clients: `client-*` or exposed names; absent = everything. */
  readonly keyTools?: readonly string[];
  /** Why that key may ask no model, in words; absent = it may. */
  readonly modelsRefused?: string;
}

/** A raw key of a provider, for one request. Never logged, never sent to any other provider than the one asked for. */
export interface DirectKey {
  readonly value: string;
  /** `x-bf-azure-endpoint`: the resource that the key belongs to. */
  readonly azureEndpoint?: string;
}

/** One try at one target with one key, for the log and for response headers. */
export interface Attempt {
  readonly provider: string;
  readonly model: string;
  readonly keyName: string;
  readonly fallbackIndex: number;
  /** Where the key calls the model otherwise: the `model_*` members that its alias names. */
  readonly alias?: Readonly<Record<string, string>>;
  /** Since 1970. */
  readonly startedAtMs: number;
  error?: string;
}

/** Whose words a client gets. */
export type Answerer = Pick<Attempt, 'provider' | 'model' | 'keyName' | 'fallbackIndex' | 'alias'>;

/** What is learnt about a call while it runs; each field has one writer. */
export interface Trace {
  readonly attempts: Attempt[];
  readonly losses: Loss[];
  /** What the client's model name means, before any fallback or alias. */
  requested?: { readonly provider: string; readonly model: string };
  /** Milliseconds spent waiting for providers, all attempts together; of a stream until it began. */
  upstreamMs: number;
  /** Whose error is told where every target failed: the first one's, though others were asked after it. */
  failedAt?: Answerer;
  /** Response headers of the upstream that answered, lower-case (rate limits, request ids). */
  upstreamHeaders?: Readonly<Record<string, string>> | undefined;
  /** The operation that a provider was asked for in place of the client's, which it speaks but the model does not take. */
  convertedTo?: string | undefined;
  /** True where an answer that travels as it came must tell the losses nevertheless. */
  tellsLosses?: true;
  /** Only where the caller is to see it. */
  raw?: RawExchange;
  /** Only where the log is to keep it. */
  keptRaw?: KeptExchange | undefined;
}

/** What was last sent to a provider and what came back. It holds no key. */
export interface RawExchange {
  request?: JsonValue | undefined;
  /** A whole answer, or the text of a stream as far as it has not been shown yet. */
  response?: JsonValue | undefined;
}

/** The same as the texts that travelled, cut where they are very long. */
export interface KeptExchange {
  readonly request: string;
  response: string;
  truncated: boolean;
}

export interface CallContext {
  readonly requestId: string;
  readonly parentId?: string;
  /** The route's own name in logs: `chat_completion`, `chat_completion_stream`, ... */
  readonly operation: string;
  /** The format the client speaks. */
  readonly dialect: CodecId;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly trace: Trace;
  readonly startedAtMs: number;
}

/** Everything on the request path is one of these, or wraps one. Iteration throws GatewayError. */
export type ModelCall = (request: ChatRequest, context: CallContext) => AsyncIterable<Frame>;

/** Undefined when nobody was asked. */
export const answererOf = ({ failedAt, attempts }: Trace): Answerer | undefined => failedAt ?? attempts.at(-1);

export const newTrace = (): Trace => ({ attempts: [], losses: [], upstreamMs: 0 });
