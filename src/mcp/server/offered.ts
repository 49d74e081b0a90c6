import type { Caller } from '../../model/call.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { RpcError } from '../peer.ts';
import { RPC_CODE } from './json-rpc.ts';
import type { Offer, OfferKind, Servers } from './source.ts';
import { matchesTemplate, unwrappedUri, wrappedUri } from './uris.ts';

/** A thing of one server, under the server's own name for it. */
export interface Owned {
  readonly client: string;
  readonly key: string;
}

const KEY = { resources: 'uri', templates: 'uriTemplate', prompts: 'name' } as const;

/**
 * What the servers offer, under names that are unique here and lead back: prompts are `<client>-<name>`, a URI stays as
 * it is where one server alone has it. At the address of one server (`scope`) everything has the server's own name.
 */
export class Offered {
  readonly #servers: Servers;
  readonly #scope: string | undefined;
  readonly #caller: Caller;

  constructor(servers: Servers, scope: string | undefined, caller: Caller) {
    this.#servers = servers;
    this.#scope = scope;
    this.#caller = caller;
  }

  /** The definitions, as the caller is to see them. */
  async list(kind: OfferKind): Promise<JsonObject[]> {
    const offers = await this.#servers.offers(kind, this.#caller, this.#scope);
    if (this.#scope !== undefined) return offers.map(({ definition }) => definition);
    if (kind === 'prompts') {
      return offers.map(({ clientName, key, definition }) => ({ ...definition, name: `${clientName}-${key}` }));
    }
    const shared = await this.#shared(kind);
    return offers.map(({ clientName, key, definition }) =>
      shared.has(key) ? { ...definition, [KEY[kind]]: wrappedUri(clientName, key) } : definition,
    );
  }

  /** The prompt behind a name. Throws RpcError when there is none for this caller. */
  async prompt(name: string): Promise<Owned> {
    const hyphen = name.indexOf('-');
    const owned =
      this.#scope === undefined
        ? { client: name.slice(0, hyphen), key: name.slice(hyphen + 1) }
        : { client: this.#scope, key: name };
    const offers = await this.#servers.offers('prompts', this.#caller, owned.client);
    if (offers.some(({ key }) => key === owned.key)) return owned;
    throw new RpcError(RPC_CODE.invalidParams, `prompt '${name}' is not available or not permitted`);
  }

  /** The resource behind a URI: listed, or from a template, or of the only server that has resources at all. */
  async resource(uri: string): Promise<Owned> {
    if (this.#scope !== undefined) return this.#permitted({ client: this.#scope, key: uri }, uri);
    const wrapped = unwrappedUri(uri);
    if (wrapped && this.#withResources().includes(wrapped.client)) {
      return this.#permitted({ client: wrapped.client, key: wrapped.uri }, uri);
    }
    const owners = await this.#ownersOf(uri);
    const [client] = owners;
    if (client === undefined) throw notFound(uri);
    if (owners.length > 1) {
      const choices = owners.map((owner) => wrappedUri(owner, uri)).join(' or ');
      throw new RpcError(RPC_CODE.invalidParams, `several MCP servers have the resource ${uri}: ask for ${choices}`, {
        uri,
      });
    }
    return this.#permitted({ client, key: uri }, uri);
  }

  /** The template behind a URI template, for completions. */
  async template(uriTemplate: string): Promise<Owned> {
    const wrapped = unwrappedUri(uriTemplate);
    const scope = this.#scope ?? wrapped?.client;
    const key = this.#scope === undefined && wrapped ? wrapped.uri : uriTemplate;
    const offers = await this.#servers.offers('templates', this.#caller, scope);
    const found = offers.find((offer) => offer.key === key);
    // a reference may also name a resource itself
    return found ? { client: found.clientName, key } : this.resource(uriTemplate);
  }

  /** A result of `client` with URIs that lead back to it: links and contents whose URI does not do so by itself. */
  async leadingBack(client: string, content: JsonValue | undefined): Promise<JsonValue | undefined> {
    if (this.#scope !== undefined || !Array.isArray(content) || !content.some(hasUri)) return content;
    return Promise.all(content.map((block) => this.#blockLeadingBack(client, block)));
  }

  async exposedUri(client: string, uri: string): Promise<string> {
    if (this.#scope !== undefined) return uri;
    const owners = await this.#ownersOf(uri);
    return owners.length === 1 && owners[0] === client ? uri : wrappedUri(client, uri);
  }

  async #blockLeadingBack(client: string, block: JsonValue): Promise<JsonValue> {
    if (!isObject(block)) return block;
    if (block.type === 'resource_link' && typeof block.uri === 'string') {
      return { ...block, uri: await this.exposedUri(client, block.uri) };
    }
    const { resource } = block;
    if (block.type !== 'resource' || !isObject(resource) || typeof resource.uri !== 'string') return block;
    return { ...block, resource: { ...resource, uri: await this.exposedUri(client, resource.uri) } };
  }

  async #ownersOf(uri: string): Promise<string[]> {
    const listed = await this.#servers.offers('resources', this.#caller);
    const listing = clientsOf(listed.filter(({ key }) => key === uri));
    if (listing.length > 0) return listing;
    const templates = await this.#servers.offers('templates', this.#caller);
    const matching = clientsOf(templates.filter(({ key }) => matchesTemplate(key, uri)));
    if (matching.length > 0) return matching;
    const candidates = this.#withResources();
    return candidates.length === 1 ? candidates : [];
  }

  /** The policy for a single URI is that of whatever it was found by. */
  async #permitted(owned: Owned, asked: string): Promise<Owned> {
    const { client, key } = owned;
    const [resources, templates, allTemplates] = await Promise.all([
      this.#servers.offers('resources', this.#caller, client),
      this.#servers.offers('templates', this.#caller, client),
      this.#servers.allOffers('templates'),
    ]);
    if (resources.some((offer) => offer.key === key)) return owned;
    if (templates.some((offer) => matchesTemplate(offer.key, key))) return owned;
    const isHidden = (await this.#servers.allOffers('resources')).some(
      (offer) => isOf(offer, client) && offer.key === key,
    );
    const isHiddenTemplate = allTemplates.some((offer) => isOf(offer, client) && matchesTemplate(offer.key, key));
    // What a server has but does not list is for those who may use all of it.
    if (isHidden || isHiddenTemplate || !this.#servers.mayUseAll(client, this.#caller)) throw notFound(asked);
    return owned;
  }

  #withResources(): string[] {
    const servers = this.#servers.visible(this.#caller).filter(({ capabilities }) => isObject(capabilities.resources));
    return servers.map(({ name }) => name);
  }

  /** Keys that several servers have, whoever asks: a name must not depend on who may see what. */
  async #shared(kind: OfferKind): Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    const shared = new Set<string>();
    for (const { key } of await this.#servers.allOffers(kind)) {
      if (seen.has(key)) shared.add(key);
      seen.add(key);
    }
    return shared;
  }
}

const isOf = ({ clientName }: Offer, client: string): boolean => clientName === client;

const clientsOf = (offers: readonly Offer[]): string[] => [...new Set(offers.map(({ clientName }) => clientName))];

const hasUri = (block: JsonValue): boolean =>
  isObject(block) && (block.type === 'resource_link' || block.type === 'resource');

const notFound = (uri: string): RpcError =>
  new RpcError(RPC_CODE.resourceNotFound, `Resource not found: ${uri}`, { uri });
