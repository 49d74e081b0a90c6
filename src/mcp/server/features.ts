import { isObject, type JsonObject } from '../../model/json.ts';
import type { ToolProgress } from '../contract.ts';
import { RpcError } from '../peer.ts';
import type { Exchange } from './exchange.ts';
import { type IncomingRequest, RPC_CODE } from './json-rpc.ts';
import { isLogLevel, lowestLevel } from './log-levels.ts';
import { Offered, type Owned } from './offered.ts';
import type { Sessions } from './sessions.ts';
import type { Servers } from './source.ts';

/** One request under way. */
interface Asked {
  readonly params: JsonObject;
  readonly exchange: Exchange;
  readonly offered: Offered;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: ToolProgress) => void) | undefined;
}

type Feature = (asked: Asked) => Promise<JsonObject>;

/** What the gateway's /mcp does beside tools: finds the server that is meant, asks it, and gives its answer. */
export class Features {
  readonly #servers: Servers;
  readonly #sessions: Sessions;
  readonly #byMethod: ReadonlyMap<string, Feature>;

  constructor(servers: Servers, sessions: Sessions) {
    this.#servers = servers;
    this.#sessions = sessions;
    const byMethod: Readonly<Record<string, Feature>> = {
      'resources/list': async (asked) => ({ resources: await onlyPage(asked).list('resources') }),
      'resources/templates/list': async (asked) => ({ resourceTemplates: await onlyPage(asked).list('templates') }),
      'resources/read': (asked) => this.#read(asked),
      'resources/subscribe': (asked) => this.#subscribe(asked),
      'resources/unsubscribe': (asked) => this.#unsubscribe(asked),
      'prompts/list': async (asked) => ({ prompts: await onlyPage(asked).list('prompts') }),
      'prompts/get': (asked) => this.#prompt(asked),
      'completion/complete': (asked) => this.#complete(asked),
      'logging/setLevel': (asked) => this.#setLevel(asked),
    };
    this.#byMethod = new Map(Object.entries(byMethod));
  }

  knows(method: string): boolean {
    return this.#byMethod.has(method);
  }

  /** Rejects with RpcError or GatewayError. */
  answer(
    { method, params }: IncomingRequest,
    exchange: Exchange,
    signal: AbortSignal,
    onProgress: Asked['onProgress'],
  ): Promise<JsonObject> {
    const offered = new Offered(this.#servers, exchange.scope, exchange.caller);
    const asked = { params, exchange, offered, signal, onProgress };
    const feature = this.#byMethod.get(method);
    if (feature) return feature(asked);
    // At its own address a server may have methods that nobody here has heard of.
    if (exchange.scope !== undefined) return this.#ask(asked, exchange.scope, method, params);
    throw new RpcError(RPC_CODE.methodNotFound, `Method not found: ${method}`);
  }

  async #read(asked: Asked): Promise<JsonObject> {
    const uri = textOf(asked.params, 'uri');
    const { client, key } = await asked.offered.resource(uri);
    const result = await this.#ask(asked, client, 'resources/read', { ...asked.params, uri: key });
    if (uri === key || !Array.isArray(result.contents)) return result;
    // what was asked for under a wrapped URI comes under it
    const contents = result.contents.map((each) => (isObject(each) && each.uri === key ? { ...each, uri } : each));
    return { ...result, contents };
  }

  async #subscribe(asked: Asked): Promise<JsonObject> {
    const { session } = asked.exchange;
    if (!session) throw new RpcError(RPC_CODE.invalidRequest, 'a subscription needs a session: initialize first');
    const uri = textOf(asked.params, 'uri');
    const owned = await asked.offered.resource(uri);
    const result = await this.#ask(asked, owned.client, 'resources/subscribe', { ...asked.params, uri: owned.key });
    session.subscriptions.set(subscriptionKey(owned.client, owned.key), uri);
    return result;
  }

  async #unsubscribe(asked: Asked): Promise<JsonObject> {
    const owned = await asked.offered.resource(textOf(asked.params, 'uri'));
    const key = subscriptionKey(owned.client, owned.key);
    asked.exchange.session?.subscriptions.delete(key);
    // the server knows one subscription, whoever of us shares it
    for (const session of this.#sessions.all()) if (session.subscriptions.has(key)) return {};
    return this.#ask(asked, owned.client, 'resources/unsubscribe', { ...asked.params, uri: owned.key });
  }

  async #prompt(asked: Asked): Promise<JsonObject> {
    const { client, key } = await asked.offered.prompt(textOf(asked.params, 'name'));
    const result = await this.#ask(asked, client, 'prompts/get', { ...asked.params, name: key });
    if (asked.exchange.scope !== undefined || !Array.isArray(result.messages)) return result;
    const messages = await Promise.all(
      result.messages.map(async (message) => {
        if (!isObject(message) || !isObject(message.content)) return message;
        const blocks = await asked.offered.leadingBack(client, [message.content]);
        return { ...message, content: Array.isArray(blocks) ? blocks[0] : message.content };
      }),
    );
    return { ...result, messages };
  }

  async #complete(asked: Asked): Promise<JsonObject> {
    const { ref } = asked.params;
    if (!isObject(ref)) throw new RpcError(RPC_CODE.invalidParams, 'params.ref must be an object');
    const { owned, named } = await this.#referred(ref, asked);
    return this.#ask(asked, owned.client, 'completion/complete', { ...asked.params, ref: { ...ref, ...named } });
  }

  async #referred(ref: JsonObject, { offered }: Asked): Promise<{ owned: Owned; named: JsonObject }> {
    if (ref.type === 'ref/prompt') {
      const owned = await offered.prompt(textOf(ref, 'name'));
      return { owned, named: { name: owned.key } };
    }
    const owned = await offered.template(textOf(ref, 'uri'));
    return { owned, named: { uri: owned.key } };
  }

  /** A shared server gets the lowest level that anybody wants; each session hears from its own on. */
  async #setLevel(asked: Asked): Promise<JsonObject> {
    const { level } = asked.params;
    if (!isLogLevel(level))
      throw new RpcError(RPC_CODE.invalidParams, `params.level '${String(level)}' is no log level`);
    const { exchange } = asked;
    if (exchange.session) exchange.session.logLevel = level;
    const levels = [...this.#sessions.all()].map((session) => session.logLevel ?? '');
    const params = { ...asked.params, level: lowestLevel([...levels, level]) };
    const servers = this.#servers.visible(exchange.caller).filter(({ capabilities }) => isObject(capabilities.logging));
    const meant = servers.filter(({ name }) => exchange.scope === undefined || name === exchange.scope);
    const answers = meant.map(({ name }) => this.#ask(asked, name, 'logging/setLevel', params));
    if (exchange.scope !== undefined) await Promise.all(answers);
    // one server that is away is no reason for the others to be silent
    else await Promise.allSettled(answers);
    return {};
  }

  #ask(asked: Asked, client: string, method: string, params: JsonObject): Promise<JsonObject> {
    const { exchange, signal, onProgress } = asked;
    return this.#servers.ask({
      client,
      method,
      params: withoutToken(params),
      caller: exchange.caller,
      signal,
      peer: exchange,
      onProgress,
    });
  }
}

export const subscriptionKey = (client: string, uri: string): string => `${client}\n${uri}`;

/** Everything is one page, as some clients read no second one. */
function onlyPage({ params: { cursor }, offered }: Asked): Offered {
  if (cursor === undefined || cursor === null || cursor === '') return offered;
  throw new RpcError(RPC_CODE.invalidParams, 'the list is one page: no cursor was handed out');
}

function textOf(params: JsonObject, name: string): string {
  const value = params[name];
  if (typeof value === 'string') return value;
  throw new RpcError(RPC_CODE.invalidParams, `params.${name} must be a string`);
}

/** The client's progress token means nothing to the server: the session gives one of its own. */
function withoutToken(params: JsonObject): JsonObject {
  if (!isObject(params._meta) || !('progressToken' in params._meta)) return params;
  const { progressToken: _, ..._meta } = params._meta;
  return { ...params, _meta };
}
