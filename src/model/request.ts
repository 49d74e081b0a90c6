import type { CodecId, FunctionTool, Message, Origin } from './content.ts';
import type { JsonObject, JsonValue } from './json.ts';

export type { FunctionTool } from './content.ts';

/** A tool that the provider runs (hosted web search, code execution): known by its wire `type`, never by its name. */
export interface ProviderTool {
  readonly type: 'provider';
  readonly name: string;
  readonly origin: Origin;
}

export type Tool = FunctionTool | ProviderTool;

export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly name: string };

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export interface ReasoningSettings {
  readonly effort?: ReasoningEffort;
  /** Tokens the model may think for. */
  readonly budgetTokens?: number;
  /** The model decides how long it thinks. */
  readonly adaptive?: boolean;
}

export type ResponseFormat =
  | { readonly type: 'json-object' }
  | { readonly type: 'json-schema'; readonly name: string; readonly schema: JsonObject; readonly strict?: boolean };

/** Only what at least three providers share; everything else survives in `raw` and in origins. */
export interface Settings {
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly stopSequences?: readonly string[];
  readonly seed?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly parallelToolCalls?: boolean;
  readonly user?: string;
  readonly reasoning?: ReasoningSettings;
  readonly responseFormat?: ResponseFormat;
  /** The rest of the client's top-level fields; like a part's origin, for its own format only. */
  readonly origin?: Origin;
}

/** A client's body as it came, and what can be said of it without parsing it. */
export interface BodySource {
  readonly codec: CodecId;
  readonly bytes: Uint8Array;
  /** The bytes with another model name, gateway-only fields cut out, and `members` (JSON text such as `"a":1`) put in. */
  withModel(model: string, members?: string): Uint8Array;
  /** Whether the body has this top-level field. */
  has(field: string): boolean;
  /** The value of one top-level field, parsed by itself; undefined when there is none. */
  member(field: string): JsonValue | undefined;
  /** Parsed on first use; throws GatewayError('invalid-request'). */
  readonly body: JsonObject;
}

/**
 * The client's own body, which travels verbatim when nothing of ours is inside. The first `messageCount` messages and
 * `toolCount` tools of the request came from it: whatever stands behind them was appended by the gateway. Whoever
 * edits an earlier message or tool returns the request without `raw`.
 */
export interface RawRequest extends BodySource {
  readonly messageCount: number;
  readonly toolCount: number;
}

export interface ChatRequest {
  /** As the client asked for it: `openai/gpt-4o`. */
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice | undefined;
  readonly settings: Settings;
  /** Gateway-only field `fallbacks`: `provider/model`, best first. Never sent upstream. */
  readonly fallbacks: readonly string[];
  readonly raw?: RawRequest | undefined;
  /** True while nothing was appended or edited, so that `raw.bytes` say all there is to say. */
  readonly untouched: boolean;
  /** True once a provider refused what models left for themselves in the history: none of it is put back. */
  readonly stateless?: true;
}

/** What a codec reads from a client's body. */
export type DecodedRequest = Pick<ChatRequest, 'messages' | 'tools' | 'toolChoice' | 'settings'> & {
  /** True when the codec rewrote history (say, gateway blocks back into turns), so the body no longer says the same. */
  readonly rewritten?: boolean;
};

export interface RequestHead {
  readonly model: string;
  readonly stream: boolean;
  readonly fallbacks: readonly string[];
}

/**
 * A request that reads its body on first use: traffic that leaves in the format it came in never pays for a parse.
 * `decode` runs at most once and may throw GatewayError.
 */
export class DeferredRequest implements ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly fallbacks: readonly string[];
  readonly #source: BodySource;
  readonly #decode: (body: JsonObject) => DecodedRequest;
  #decoded: DecodedRequest | undefined;
  #raw: RawRequest | undefined;

  constructor(head: RequestHead, source: BodySource, decode: (body: JsonObject) => DecodedRequest) {
    this.model = head.model;
    this.stream = head.stream;
    this.fallbacks = head.fallbacks;
    this.#source = source;
    this.#decode = decode;
  }

  get messages(): readonly Message[] {
    return this.#content.messages;
  }

  get tools(): readonly Tool[] {
    return this.#content.tools;
  }

  get toolChoice(): ToolChoice | undefined {
    return this.#content.toolChoice;
  }

  get settings(): Settings {
    return this.#content.settings;
  }

  /** Rewritten history is known only once decoded; `http` decodes early whenever the bytes hint at it. */
  get untouched(): boolean {
    return this.#decoded?.rewritten !== true;
  }

  get raw(): RawRequest | undefined {
    if (this.#decoded?.rewritten) return undefined;
    this.#raw ??= new DeferredRaw(this.#source, this);
    return this.#raw;
  }

  get #content(): DecodedRequest {
    this.#decoded ??= this.#decode(this.#source.body);
    return this.#decoded;
  }
}

/** The source of a request, with counts that decode it only when asked for. */
class DeferredRaw implements RawRequest {
  readonly codec: CodecId;
  readonly bytes: Uint8Array;
  readonly #source: BodySource;
  readonly #request: DeferredRequest;

  constructor(source: BodySource, request: DeferredRequest) {
    this.codec = source.codec;
    this.bytes = source.bytes;
    this.#source = source;
    this.#request = request;
  }

  get body(): JsonObject {
    return this.#source.body;
  }

  get messageCount(): number {
    return this.#request.messages.length;
  }

  get toolCount(): number {
    return this.#request.tools.length;
  }

  withModel(model: string, members?: string): Uint8Array {
    return this.#source.withModel(model, members);
  }

  has(field: string): boolean {
    return this.#source.has(field);
  }

  member(field: string): JsonValue | undefined {
    return this.#source.member(field);
  }
}

export interface Additions {
  readonly messages?: readonly Message[];
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
}

/** The request with messages and tools appended; what was there keeps its place, so `raw` stays true of it. */
export function appended(request: ChatRequest, additions: Additions): ChatRequest {
  const { messages, tools, settings, raw } = request;
  const toolChoice = additions.toolChoice ?? request.toolChoice;
  return {
    model: request.model,
    stream: request.stream,
    fallbacks: request.fallbacks,
    messages: additions.messages?.length ? [...messages, ...additions.messages] : messages,
    tools: additions.tools?.length ? [...tools, ...additions.tools] : tools,
    toolChoice,
    settings,
    raw,
    untouched: false,
  };
}
