import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { JSONRPCMessage, JSONRPCRequest, MessageExtraInfo } from '@modelcontextprotocol/sdk/types.js';
import { isObject, type JsonObject } from '../../model/json.ts';
import { deliver, type GatewayTransport, type ServerMessage } from '../gateway-transport.ts';
import type { Flight, Origin } from '../peer.ts';
import { later, settlesWithin } from '../timing.ts';
import type { AnswerMessage, ModernChannel } from './channel.ts';
import { type Verdict, verdictOf, verdictOfFailure } from './discovery.ts';
import type { KnownServers } from './known-servers.ts';
import { type ClientMessage, ModernLink, type RequestMessage } from './link.ts';
import { isFromModernCaller, isModernVersion, metaOf, withoutEnvelope } from './protocol.ts';
import { StdioChannel } from './stdio-channel.ts';

export interface EraTransportOptions {
  /** A transport of the older era, not yet started. Called again where a server dies of being asked for the newer one. */
  readonly legacy: () => GatewayTransport;
  /** The way to a server of the newer era; where there is none, both eras share the pipe of the transport. */
  readonly channel?: ModernChannel;
  readonly known: KnownServers;
  /** Client capabilities that the gateway has where a caller has not; none when absent. */
  readonly lent?: JsonObject;
  /** Under which the verdict is kept. */
  readonly server: string;
  /** Whether a session of the older era is wanted of a server that has both. */
  readonly prefersOlder?: boolean;
  /** How long the server may think about which era it is of, before it is greeted in the older one. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 5_000;

/**
 * A transport that finds out which era its server is of, when the client above says `initialize`, and from then on
 * speaks it. Above, every server is one of the older era.
 */
export class EraTransport implements GatewayTransport {
  onmessage?: NonNullable<GatewayTransport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onserver?: GatewayTransport['onserver'];
  readonly #options: EraTransportOptions;
  #inner: GatewayTransport;
  /** Reads the pipe while the era is open, and for good when it is the newer one. */
  #pipe: StdioChannel | undefined;
  #link: ModernLink | undefined;
  /** The greeting in the older era that was not answered yet. */
  #greeting: string | number | undefined;
  #isAsking = false;
  #isClosed = false;

  constructor(options: EraTransportOptions) {
    this.#options = options;
    this.#inner = options.legacy();
    this.#follow(this.#inner);
  }

  get pid(): number | undefined {
    return this.#inner.pid;
  }

  get stderr(): readonly string[] {
    return this.#inner.stderr;
  }

  get endReason(): string | undefined {
    return this.#inner.endReason;
  }

  get hasSession(): boolean {
    return this.#inner.hasSession;
  }

  get tellsOrigins(): boolean {
    return this.#link !== undefined || this.#inner.tellsOrigins;
  }

  get isStateless(): boolean {
    return this.#link !== undefined;
  }

  /** Over one pipe there is one era; over HTTP a server may well have sessions for older clients beside the newer one. */
  get mayHaveOlderSessions(): boolean {
    const { channel, known, server } = this.#options;
    return this.#link !== undefined && channel !== undefined && !known.isSessionless(server);
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  setProtocolVersion(version: string): void {
    if (!this.#link) this.#inner.setProtocolVersion?.(version);
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  request(message: JSONRPCRequest, flight: Flight): Promise<void> {
    // whoever asks writes plain JSON
    if (this.#link) return this.#link.send(message as ClientMessage, flight);
    return this.#inner.request(forOlderEra(message), flight);
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (this.#link) return this.#link.send(message as ClientMessage, undefined);
    if ('method' in message && message.method === 'initialize' && 'id' in message) {
      // the client above writes plain JSON
      return this.#open(message as RequestMessage);
    }
    return this.#inner.send(forOlderEra(message));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#link?.close();
    await this.#inner.close();
  }

  /** Asks for the newer era first; a server that is known to be of the older one is not asked. */
  async #open(initialize: RequestMessage): Promise<void> {
    const { known, server, channel, prefersOlder } = this.#options;
    if (known.isLegacy(server)) return this.#initialize(initialize);
    if (prefersOlder && channel && (await this.#hasOlderSession(initialize))) return;
    const verdict = await (channel ? this.#askOver(channel, initialize) : this.#askOnPipe(initialize));
    if (verdict?.era === 'legacy') {
      if (verdict.isSure) known.noteLegacy(server);
      await this.#initialize(initialize);
    }
  }

  #initialize(initialize: RequestMessage): Promise<void> {
    this.#greeting = initialize.id;
    return this.#inner.send(initialize as JSONRPCMessage);
  }

  /**
   * True when the server greeted us in the older era and opened a session there. Without one it could ask its client
   * nothing, which the newer era can.
   */
  async #hasOlderSession(initialize: RequestMessage): Promise<boolean> {
    const { known, server } = this.#options;
    if (known.isSessionless(server)) return false;
    // a server of the newer era alone takes no request without it
    const flight: Flight = { id: initialize.id, headers: { 'mcp-method': 'initialize' }, origin: undefined };
    // the only message that goes out by it
    const pipe = new StdioChannel((message) => this.#inner.request(message as JSONRPCRequest, flight));
    this.#pipe = pipe;
    const late = new AbortController();
    const timer = later(this.#options.patienceMs ?? PATIENCE_MS, () => late.abort());
    try {
      const answer = await pipe.exchange(initialize, {
        headers: {},
        signal: late.signal,
        onNotification: () => undefined,
      });
      const isGreeted = 'result' in answer && this.#inner.hasSession && !isModernVersion(answer.result.protocolVersion);
      if (isGreeted) this.#up(answer);
      else known.noteSessionless(server);
      return isGreeted;
    } catch (thrown) {
      if (thrown instanceof StreamableHTTPError && verdictOfFailure(thrown).isSure) known.noteSessionless(server);
      return false;
    } finally {
      clearTimeout(timer);
      this.#pipe = undefined;
    }
  }

  async #askOver(channel: ModernChannel, initialize: RequestMessage): Promise<Verdict> {
    const link = this.#newLink(channel, initialize);
    const late = new AbortController();
    const timer = later(this.#options.patienceMs ?? PATIENCE_MS, () => late.abort());
    try {
      const verdict = verdictOf(await link.discover(late.signal));
      if (verdict.era === 'modern') this.#adopt(link, verdict, initialize);
      return verdict;
    } catch (thrown) {
      if (late.signal.aborted) return { era: 'legacy', isSure: false };
      return verdictOfFailure(thrown);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * On one pipe a server that is slow to start cannot be told from one that does not answer what it does not know: after
   * a while it is greeted in the older era as well, and the first good answer counts. Undefined = that was done here.
   */
  async #askOnPipe(initialize: RequestMessage): Promise<Verdict | undefined> {
    const pipe = new StdioChannel((message) => this.#inner.send(message));
    this.#pipe = pipe;
    this.#isAsking = true;
    const link = this.#newLink(pipe, initialize);
    const stop = new AbortController();
    const asked = link.discover(stop.signal).then(verdictOf);
    try {
      if (!(await settlesWithin(asked, this.#options.patienceMs ?? PATIENCE_MS))) {
        return await this.#greetToo(pipe, link, asked, initialize);
      }
      const verdict = await asked;
      if (verdict.era === 'modern') this.#adopt(link, verdict, initialize);
      else this.#pipe = undefined;
      return verdict;
    } catch (thrown) {
      if (this.#isClosed || this.#inner.endReason === undefined) throw thrown;
      // some servers end when anything comes before `initialize` (rmcp)
      await this.#startAnew();
      return { era: 'legacy', isSure: true };
    } finally {
      this.#isAsking = false;
    }
  }

  async #greetToo(
    pipe: StdioChannel,
    link: ModernLink,
    asked: Promise<Verdict>,
    initialize: RequestMessage,
  ): Promise<undefined> {
    let verdict: Verdict | undefined;
    void asked.then(
      (known) => {
        verdict = known;
      },
      () => undefined,
    );
    const never = new AbortController();
    const options = { headers: {}, signal: never.signal, onNotification: () => undefined };
    const answer = await pipe.exchange(initialize, options);
    if ('error' in answer && verdict?.era === 'modern') return this.#adopt(link, verdict, initialize);
    this.#pipe = undefined;
    this.#up(answer);
    return undefined;
  }

  async #startAnew(): Promise<void> {
    const dead = this.#inner;
    dead.onclose = () => undefined;
    this.#pipe = undefined;
    this.#inner = this.#options.legacy();
    this.#follow(this.#inner);
    await dead.close();
    await this.#inner.start();
  }

  #newLink(channel: ModernChannel, { params }: RequestMessage): ModernLink {
    const clientInfo: JsonObject = isObject(params.clientInfo) ? params.clientInfo : {};
    const { known, server, lent = {} } = this.#options;
    return new ModernLink(clientInfo, {
      channel,
      parameters: known.parametersOf(server),
      lent,
      answer: (message) => this.#up(message),
      say: (message, origin) => deliver(this, message as ServerMessage, origin),
      trouble: (error) => this.onerror?.(error),
    });
  }

  #adopt(link: ModernLink, verdict: Verdict & { era: 'modern' }, { id }: RequestMessage): undefined {
    this.#link = link;
    this.#up({ jsonrpc: '2.0', id, result: link.adopt(verdict.discovery) });
    return undefined;
  }

  #up(message: AnswerMessage): void {
    deliver(this, message as JSONRPCMessage);
  }

  #follow(inner: GatewayTransport): void {
    inner.onmessage = (message, extra?: MessageExtraInfo) => {
      if (this.#pipe?.receive(message)) return;
      if (this.#greeting !== undefined && 'result' in message && message.id === this.#greeting)
        this.#greeting = undefined;
      this.onmessage?.(message, extra);
    };
    inner.onserver = (message, origin: Origin | undefined) => {
      if (this.#pipe?.receive(message)) return true;
      return this.onserver?.(message, origin) ?? false;
    };
    inner.onerror = (error) => this.onerror?.(error);
    inner.onclose = () => this.#ended();
  }

  #ended(): void {
    // A server that was not understood in the older era is asked for its era again next time.
    if (this.#greeting !== undefined) this.#options.known.forget(this.#options.server);
    this.#pipe?.close(this.#inner.endReason ?? 'the connection was closed');
    if (this.#isAsking && !this.#isClosed) return;
    this.#link?.close();
    this.onclose?.();
  }
}

/** What a modern caller said of itself is not for servers of the older era. */
function forOlderEra<Message extends JSONRPCMessage>(message: Message): Message {
  if (!('method' in message) || message.params?._meta === undefined) return message;
  // the client above writes plain JSON
  const meta = metaOf(message.params as JsonObject);
  if (!isFromModernCaller(meta)) return message;
  return { ...message, params: { ...message.params, _meta: withoutEnvelope(meta) } };
}
