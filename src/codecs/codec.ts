import type { CodecId, Part } from '../model/content.ts';
import type { GatewayError } from '../model/errors.ts';
import type { FinishReason, StreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import type { BodySource, ChatRequest, DecodedRequest, RequestHead } from '../model/request.ts';
import type { ChatResponse } from '../model/response.ts';
import type { ServerListing, ServerToolsAsked } from '../model/server-tools.ts';
import type { ModelTraits } from '../model/traits.ts';
import type { Usage } from '../model/usage.ts';
import type { ToolSchemas } from './schemas/tool-schema.ts';

/** One server-sent event. `data` is the joined data lines, unparsed. */
export interface WireEvent {
  readonly event?: string;
  readonly data: string;
}

/** What a deployment wants of the body that `encodeRequest` writes, and what its model takes. */
export interface EncodeTarget extends ModelTraits {
  /** The model name upstream. */
  readonly model: string;
  readonly stream: boolean;
  /** The name of the parameter that limits output, where deployments of one format differ. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens';
  /** How this deployment takes the schemas of tools; absent = as the format's own vendor does. */
  readonly toolSchemas?: ToolSchemas;
  /** How a hosted web search is asked for here: as a tool, by `web_search_options`, or as a plugin; absent = there is none. */
  readonly webSearch?: 'tool' | 'options' | 'plugin';
  /** Makes an id that this deployment accepts out of any tool-call id; pure and collision-poor. */
  readonly toolCallId?: (id: string) => string;
  /** The message field under which earlier thinking goes back to a model that wants it (DeepSeek); absent = it wants none. */
  readonly reasoningField?: 'reasoning_content' | 'reasoning';
  /** True where a tool is a function among `tools` and nothing else: not free text, nor the older `functions`. */
  readonly functionsOnly?: true;
  /** How documents are taken where that is not OpenAI's way; absent = as OpenAI does. */
  readonly files?: 'document_url' | 'none';
  /** False where nothing can be listened to; absent = as OpenAI does. */
  readonly sound?: false;
}

export interface EncodedRequest {
  readonly body: JsonObject;
  readonly losses: readonly Loss[];
  /** Wire name -> the request's own name, for tools that had to be renamed; absent when none was. */
  readonly toolNames?: ReadonlyMap<string, string>;
  /** True when a tool of the codec's own was added, whose call is the answer. */
  readonly answersByTool?: boolean;
}

/** What only the caller knows about the call whose answer is decoded. */
export interface AnswerContext {
  /** `EncodedRequest.toolNames` of the request: calls come back under the request's own names. */
  readonly toolNames?: ReadonlyMap<string, string>;
  /** `EncodedRequest.answersByTool` of the request. */
  readonly answersByTool?: boolean;
  /** Unique for the upstream call; tool-call ids that the wire leaves out are derived from it. */
  readonly callId?: string;
  /** True when the client speaks another format: tools then have one plain name, whatever fields name them here. */
  readonly foreign?: boolean;
}

/** What an answer to a client says of itself beside its content. */
export interface AnswerHead {
  /** The name the client asked for. */
  readonly model: string;
  /** Stands in where the upstream gave no time of creation. */
  readonly createdAtMs?: number;
  /** Stands in where the upstream gave no id. */
  readonly id?: string;
  /** The client's request: formats whose answers repeat it read it when they are written. */
  readonly asked?: { readonly body: JsonObject };
}

/** Turns wire events into meaning. A state machine: no reader, no fetch, no clock. */
export interface StreamDecoder {
  /** Throws GatewayError when the event is the dialect's error event or cannot be understood. */
  push(event: WireEvent): readonly StreamEvent[];
  /** Called once when the wire ends. Throws GatewayError('network') if the response was cut before its end. */
  end(): readonly StreamEvent[];
}

/** What can be read from the end of an answer without decoding it. */
export interface Glance {
  readonly usage?: Usage;
  readonly reason?: FinishReason;
  /** False when a stream ended without its terminal event: it was cut. */
  readonly complete: boolean;
  /** The dialect's in-stream error, if the stream ended with one. */
  readonly error?: GatewayError;
}

export interface WireError {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a same-format body that would travel as it came must hold of earlier turns, or be refused. */
export interface HistoryRules {
  /** Whether the bytes give reason to look closer. A search without a parse; a false alarm costs time only. */
  mayLack(bytes: Buffer): boolean;
  /** Whether the provider would refuse the body for what is missing; `encodeRequest` without `raw` then mends it. */
  lacks(body: JsonObject, target: EncodeTarget): boolean;
}

/** The words of a format in which a client asks the model's API itself to run tools. Pure functions. */
export interface ServerToolWords {
  /** Whether a body may ask for such tools, or hold them in its history. A search of the bytes, without a parse. */
  mayAsk(source: BodySource): boolean;
  /**
   * What the request asks for, for a target that runs no such tools. Undefined when it asks for none and its history
   * shows none. Throws GatewayError('invalid-request').
   */
  asked(request: ChatRequest): ServerToolsAsked | undefined;
  /** The part in which a client is shown a server's tools before the answer; undefined where the format has none. */
  listed(listing: ServerListing): Part | undefined;
  /** Whether a client can be asked to approve a call. */
  readonly asksApproval: boolean;
}

/** How a stream travels to a client where not as server-sent events. Inside the gateway it is text all the same. */
export interface Framing {
  readonly contentType: string;
  /** One for each answer: whole frames out of the codec's own text, or out of an upstream's in any pieces. */
  writer(): (piece: Uint8Array | string) => Uint8Array;
}

/** One wire format, in both directions: pure functions; no I/O, no clock, no config. */
export interface Codec {
  readonly id: CodecId;

  /** client -> us. Throws GatewayError('invalid-request') that names the field. Unknown fields are not its business. */
  decodeRequest(body: JsonObject): DecodedRequest;
  /**
   * Whether a body may hold marks of ours in its history, which `decodeRequest` turns back into turns: such bytes never
   * travel as they are. Absent = this format carries none. A search of the bytes, without a parse.
   */
  holdsOurs?(bytes: Uint8Array): boolean;
  /** Absent = nobody can ask for server tools in this format. */
  readonly serverTools?: ServerToolWords;
  /** What providers of this format want back of the model's earlier turns; absent = nothing. */
  readonly history?: HistoryRules;
  /** Whether nothing in a same-format body is what its model refuses. Without a parse; absent = such bodies always travel. */
  fitsModel?(source: BodySource, traits: ModelTraits): boolean;
  /** us -> client, a whole answer. */
  encodeResponse(response: ChatResponse, head?: AnswerHead): JsonObject;
  /** us -> client, streamed: SSE text for each event (may be empty). */
  encodeStream(head: AnswerHead): (event: StreamEvent) => string;
  /** us -> client, before the first byte. */
  encodeError(error: GatewayError): WireError;
  /** us -> client, SSE text that ends a stream that has begun. */
  encodeStreamError(error: GatewayError): string;
  /** SSE text that keeps an open stream alive and means nothing. */
  readonly keepAlive: string;
  /** Absent = streams are server-sent events. */
  readonly framing?: Framing;

  /** us -> provider. Appends to `request.raw.body` when that is in this format, builds anew otherwise. */
  encodeRequest(request: ChatRequest, target: EncodeTarget): EncodedRequest;
  /** provider -> us, a whole answer. */
  decodeResponse(body: JsonObject, context?: AnswerContext): ChatResponse;
  /** provider -> us, streamed. */
  decodeStream(context?: AnswerContext): StreamDecoder;
  /** provider -> us, an error status. `text` is the body as it came: JSON, HTML or nothing. */
  decodeError(status: number, text: string, headers: Readonly<Record<string, string>>): GatewayError;
  /** provider -> us, verbatim traffic: usage and outcome from the last bytes only. */
  glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance;
}

/** A format that travels in another API's envelope. */
export interface Envelope {
  /** The format itself, its errors and streams in the envelope's words. */
  readonly codec: Codec;
  /** A body as the format itself writes it, and headers for what stood in it. Throws GatewayError('invalid-request'). */
  opened(
    bytes: Buffer,
    said: Pick<RequestHead, 'model' | 'stream'>,
  ): { readonly bytes: Buffer; readonly headers: Readonly<Record<string, string>> };
}
