import type { Caller } from '../../model/call.ts';
import type { JsonObject } from '../../model/json.ts';
import type { CatalogTool, ToolProgress } from '../contract.ts';
import type { Peer, RpcMessage } from '../peer.ts';

/** What servers offer beside tools. */
export type OfferKind = 'resources' | 'templates' | 'prompts';

/** One resource, resource template or prompt of one server. */
export interface Offer {
  readonly clientName: string;
  /** The URI, the URI template or the name by which the server knows it. */
  readonly key: string;
  /** As the server gave it. */
  readonly definition: JsonObject;
}

/** One server behind the gateway, as it presented itself when it was last there. */
export interface UpstreamServer {
  readonly name: string;
  readonly capabilities: JsonObject;
  readonly info: JsonObject | undefined;
  readonly instructions: string | undefined;
}

/** A request for one server, on behalf of a client of ours. */
export interface ServerRequest extends RpcMessage {
  readonly client: string;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly peer: Peer;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
}

/** `identity`: the one client session that the notification is for, where the server serves that alone. */
export type ServerSaid = (client: string, notification: RpcMessage, identity: object | undefined) => void;

/** The servers behind the gateway, past the policy that decides who may use which. */
export interface Servers {
  /** Those that this caller may use anything of, by name. */
  visible(caller: Caller): readonly UpstreamServer[];
  /** The one whose address is /mcp/<slug>; undefined when there is none, or none for this caller. */
  bySlug(slug: string, caller: Caller): UpstreamServer | undefined;
  /** What the caller may use, by client and then as the servers have it; of one client where `client` says so. */
  offers(kind: OfferKind, caller: Caller, client?: string): Promise<readonly Offer[]>;
  /** The kinds of offers as every caller together may see them: what makes a URI unique. */
  allOffers(kind: OfferKind): Promise<readonly Offer[]>;
  /** The tools that the server lists for this client session alone; undefined = those that it lists for everybody. */
  ownTools(peer: Peer, client: string, caller: Caller): readonly CatalogTool[] | undefined;
  /** Whether no rule hides anything of this client from the caller. */
  mayUseAll(client: string, caller: Caller): boolean;
  /** Rejects with RpcError when the server answered with an error, else with GatewayError. */
  ask(request: ServerRequest): Promise<JsonObject>;
  /** The URLs in an error -32042 were given to this peer, which is to hear when they are done with. */
  noteElicitations(client: string, data: unknown, peer: Peer): void;
  /** Tells the servers that serve this peer's session alone; others are shared, and nobody speaks for all. */
  tell(peer: Peer, notification: RpcMessage): void;
  /** What servers say that belongs to no call. */
  onSaid(listener: ServerSaid): () => void;
  /** A client session has ended, and with it what served it alone. */
  forget(identity: object): void;
}
