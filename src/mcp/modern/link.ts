import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { type Flight, type Origin, RpcError, type RpcMessage } from '../peer.ts';
import type { AnswerMessage, ModernChannel, ModernRequest, NotificationMessage } from './channel.ts';
import type { Discovery } from './discovery.ts';
import { inputsFor, isInputRequired, MAX_ROUNDS, type Retry } from './input-rounds.ts';
import type { KnownParameters } from './known-servers.ts';
import { Listening } from './listening.ts';
import { headersOfArguments, parameterHeaders } from './parameter-headers.ts';
import { isFromModernCaller, META, MODERN_CODE, MODERN_VERSION, metaOf, RETRY } from './protocol.ts';

/** Newest revision of the era that everything above the link speaks. */
const SPOKEN_ABOVE = '2025-11-25';

export interface LinkOptions {
  readonly channel: ModernChannel;
  readonly parameters: KnownParameters;
  /** What the gateway does in place of a caller that cannot: client capabilities. */
  readonly lent: JsonObject;
  /** Take what the older era would have had from the server: answers, and the rest with the call that it belongs to. */
  readonly answer: (message: AnswerMessage) => void;
  readonly say: (message: NotificationMessage | RequestMessage, origin: Origin | undefined) => void;
  readonly trouble: (error: Error) => void;
}

export type RequestMessage = ModernRequest & { readonly jsonrpc: '2.0' };

/** What a client of the older era sends. */
export type ClientMessage = RequestMessage | NotificationMessage | AnswerMessage;

const MAX_PAGES = 1_000;

/**
 * A server of the modern era, as one of the older era looks to its client: `initialize` is answered out of
 * `server/discover`, results that need input become requests of the server and a retry, subscriptions become
 * notifications. What a modern caller sent and what is meant for it passes unchanged.
 */
export class ModernLink {
  readonly #options: LinkOptions;
  readonly #running = new Map<string | number, AbortController>();
  readonly #asked = new Map<string, (answer: AnswerMessage) => void>();
  readonly #clientInfo: JsonObject;
  #listening: Listening | undefined;
  #logLevel: string | undefined;
  #lastId = 0;

  constructor(clientInfo: JsonObject, options: LinkOptions) {
    this.#clientInfo = clientInfo;
    this.#options = options;
  }

  discover(signal: AbortSignal): Promise<AnswerMessage> {
    return this.#exchange({ method: 'server/discover', params: {} }, undefined, signal);
  }

  /** From now on the link stands; gives what `initialize` would have been answered with. */
  adopt(discovery: Discovery): JsonObject {
    const { capabilities, serverInfo, instructions } = discovery;
    this.#listening = new Listening(capabilities, {
      listen: (notifications, onNotification, signal) =>
        this.#exchange(
          { method: 'subscriptions/listen', params: { notifications } },
          undefined,
          signal,
          onNotification,
        ),
      onNotification: (message) => this.#options.say(withoutSubscription(message), undefined),
      trouble: this.#options.trouble,
    });
    return { protocolVersion: SPOKEN_ABOVE, capabilities, serverInfo, ...(instructions && { instructions }) };
  }

  /** Takes a message of the client above. Rejects where a request found no way to the server. */
  async send(message: ClientMessage, flight: Flight | undefined): Promise<void> {
    if (!('method' in message)) return this.#inputCame(message);
    if ('id' in message) return this.#run(message, flight);
    if (message.method === 'notifications/initialized') this.#listening?.open();
    if (message.method === 'notifications/cancelled') this.#cancel(message.params?.requestId);
  }

  close(): void {
    this.#listening?.close();
    for (const running of this.#running.values()) running.abort();
  }

  async #run(request: RequestMessage, flight: Flight | undefined): Promise<void> {
    const abort = new AbortController();
    this.#running.set(request.id, abort);
    try {
      const answer = await this.#answerTo(request, flight, abort.signal);
      if (!abort.signal.aborted) this.#options.answer({ ...answer, id: request.id });
    } catch (thrown) {
      if (abort.signal.aborted) return;
      if (!(thrown instanceof RpcError || thrown instanceof McpError)) throw thrown;
      this.#options.answer({ jsonrpc: '2.0', id: request.id, error: errorOf(thrown) });
    } finally {
      this.#running.delete(request.id);
    }
  }

  /** Methods that are gone in this era have what they were for done in another way. */
  async #answerTo(request: RequestMessage, flight: Flight | undefined, signal: AbortSignal): Promise<AnswerMessage> {
    const { method, params } = request;
    const uri = typeof params?.uri === 'string' ? params.uri : '';
    switch (method) {
      case 'ping': {
        const answer = await this.discover(signal);
        return 'error' in answer ? answer : done(request);
      }
      case 'logging/setLevel':
        this.#logLevel = typeof params?.level === 'string' ? params.level : undefined;
        return done(request);
      case 'resources/subscribe':
        await this.#listening?.subscribe(uri);
        return done(request);
      case 'resources/unsubscribe':
        await this.#listening?.unsubscribe(uri);
        return done(request);
      default:
        return this.#inRounds({ method, params: params ?? {} }, flight, signal);
    }
  }

  /** A result, however often the server asks for input before it. */
  async #inRounds(request: RpcMessage, flight: Flight | undefined, signal: AbortSignal): Promise<AnswerMessage> {
    const meta = metaOf(request.params);
    const onNotification = (message: NotificationMessage) => this.#options.say(message, flight?.origin);
    let retry: Retry = {};
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const params = { ...request.params, ...retry };
      const answer = await this.#mirrored({ method: request.method, params }, flight, signal, onNotification);
      if (!('result' in answer)) return answer;
      if (this.#speaksForItself(meta)) return this.#noted(request.method, answer);
      if (!isInputRequired(answer.result)) return this.#noted(request.method, withoutResultType(answer));
      retry = await inputsFor(answer.result, (input) => this.#ask(input, flight?.origin, signal));
    }
    throw new RpcError(ErrorCode.InternalError, `the server still asks for input after ${MAX_ROUNDS} rounds`);
  }

  /** A modern caller answers by itself, unless the gateway has something to answer in its place. */
  #speaksForItself(meta: JsonObject): boolean {
    const own = meta[META.capabilities];
    return isFromModernCaller(meta) && Object.keys(this.#options.lent).every((name) => isObject(own) && name in own);
  }

  /** Over HTTP some arguments stand in headers too; which ones may have changed since the tools were listed. */
  async #mirrored(
    request: RpcMessage,
    flight: Flight | undefined,
    signal: AbortSignal,
    onNotification: (message: NotificationMessage) => void,
  ): Promise<AnswerMessage> {
    const { channel, parameters } = this.#options;
    if (!channel.mirrorsInHeaders || request.method !== 'tools/call') {
      return this.#exchange(request, flight, signal, onNotification);
    }
    if (!parameters.isListed) await this.#learnParameters(signal);
    const answer = await this.#exchange(request, flight, signal, onNotification);
    if (!('error' in answer) || answer.error.code !== MODERN_CODE.headerMismatch) return answer;
    await this.#learnParameters(signal);
    return this.#exchange(request, flight, signal, onNotification);
  }

  async #learnParameters(signal: AbortSignal): Promise<void> {
    for (let cursor: JsonValue | undefined, pages = 0; pages < MAX_PAGES; pages += 1) {
      const params = cursor === undefined ? {} : { cursor };
      const page = await this.#exchange({ method: 'tools/list', params }, undefined, signal);
      if ('error' in page) return;
      this.#noted('tools/list', page);
      cursor = page.result.nextCursor;
      if (typeof cursor !== 'string' || cursor === '') return;
    }
  }

  async #exchange(
    { method, params }: RpcMessage,
    flight: Flight | undefined,
    signal: AbortSignal,
    onNotification: (message: NotificationMessage) => void = () => undefined,
  ): Promise<AnswerMessage> {
    this.#lastId += 1;
    // Words, so that they never meet the numbers of the client above on one pipe.
    const request = { id: `modern-${this.#lastId}`, method, params: this.#enveloped(params, flight?.origin) };
    const headers = { ...flight?.headers, ...this.#parametersOf(method, params) };
    return this.#options.channel.exchange(request, { headers, signal, onNotification });
  }

  /** A modern caller speaks for itself; for every other one the envelope says what it may be asked. */
  #enveloped(params: JsonObject, origin: Origin | undefined): JsonObject {
    const meta = metaOf(params);
    const { [RETRY.inputResponses]: inputResponses, [RETRY.requestState]: requestState, ...told } = meta;
    const isModern = isFromModernCaller(meta);
    const own = isModern ? meta[META.capabilities] : origin?.peer?.capabilities;
    const logLevel = isModern ? meta[META.logLevel] : this.#logLevel;
    return {
      ...params,
      ...(inputResponses !== undefined && { inputResponses }),
      ...(requestState !== undefined && { requestState }),
      _meta: {
        ...told,
        [META.version]: MODERN_VERSION,
        [META.clientInfo]: meta[META.clientInfo] ?? this.#clientInfo,
        [META.capabilities]: { ...this.#options.lent, ...(isObject(own) && own) },
        ...(logLevel !== undefined && { [META.logLevel]: logLevel }),
      },
    };
  }

  #parametersOf(method: string, { name, arguments: args }: JsonObject): Record<string, string> | undefined {
    if (method !== 'tools/call' || !this.#options.channel.mirrorsInHeaders) return undefined;
    const declared = this.#options.parameters.byTool.get(String(name));
    return declared && headersOfArguments(declared, isObject(args) ? args : {});
  }

  /** Remembers what the tools of a list want in headers, and takes out those that cannot be called over HTTP. */
  #noted(method: string, answer: AnswerMessage): AnswerMessage {
    if (method !== 'tools/list' || !this.#options.channel.mirrorsInHeaders || !('result' in answer)) return answer;
    const { tools } = answer.result;
    if (!Array.isArray(tools)) return answer;
    this.#options.parameters.isListed = true;
    const usable = tools.filter((tool) => this.#noteTool(tool));
    return usable.length === tools.length ? answer : { ...answer, result: { ...answer.result, tools: usable } };
  }

  #noteTool(tool: unknown): boolean {
    if (!isObject(tool) || typeof tool.name !== 'string') return true;
    const declared = parameterHeaders(tool.inputSchema);
    if (typeof declared === 'string') {
      this.#options.trouble(new Error(`the tool ${tool.name} is left out: ${declared}`));
      return false;
    }
    const { byTool } = this.#options.parameters;
    if (declared.length > 0) byTool.set(tool.name, declared);
    else byTool.delete(tool.name);
    return true;
  }

  /** Asks above, as a server of the older era asks its client. */
  #ask({ method, params }: RpcMessage, origin: Origin | undefined, signal: AbortSignal): Promise<JsonObject> {
    this.#lastId += 1;
    const id = `input-${this.#lastId}`;
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#asked.delete(id);
        this.#options.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }, origin);
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      this.#asked.set(id, (answer) => {
        signal.removeEventListener('abort', stop);
        if ('result' in answer) resolve(answer.result);
        else reject(new RpcError(answer.error.code, answer.error.message));
      });
      this.#options.say({ jsonrpc: '2.0', id, method, params: forOlderEra(method, params, id) }, origin);
    });
  }

  #inputCame(answer: AnswerMessage): void {
    const id = String(answer.id);
    const settle = this.#asked.get(id);
    this.#asked.delete(id);
    settle?.(answer);
  }

  #cancel(requestId: unknown): void {
    if (typeof requestId === 'string' || typeof requestId === 'number') this.#running.get(requestId)?.abort();
  }
}

const done = ({ id }: RequestMessage): AnswerMessage => ({ jsonrpc: '2.0', id, result: {} });

function errorOf({ code, message, data }: RpcError | McpError): { code: number; message: string; data?: JsonValue } {
  // what an error carries came out of JSON
  return { code, message, ...(data !== undefined && { data: data as JsonValue }) };
}

/** An elicitation by URL has an id in the older era, by which its end could be told. */
const forOlderEra = (method: string, params: JsonObject, id: string): JsonObject =>
  method === 'elicitation/create' && params.mode === 'url' ? { elicitationId: id, ...params } : params;

/** `complete` goes without saying in the older era. */
function withoutResultType(answer: AnswerMessage): AnswerMessage {
  if (!('result' in answer) || answer.result.resultType !== 'complete') return answer;
  const { resultType: _, ...result } = answer.result;
  return { ...answer, result };
}

function withoutSubscription(message: NotificationMessage): NotificationMessage {
  const meta = metaOf(message.params);
  if (!(META.subscriptionId in meta)) return message;
  const { [META.subscriptionId]: _, ...rest } = meta;
  return { ...message, params: { ...message.params, _meta: rest } };
}
