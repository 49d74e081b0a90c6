import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { z } from 'zod';
import { type AddressRules, guardedFetch } from '../../mcp/address-guard.ts';
import type { ClosableFetch } from '../../mcp/light-fetch.ts';
import type { Trust } from '../../mcp/trust.ts';
import { parsedJson } from '../../model/json.ts';
import type { RegisteredClient } from '../../model/oauth-grants.ts';
import { textWithin } from '../../model/short-answer.ts';
import { MOST_URI, MOST_URIS, shownName } from './client-registration.ts';
import { Expiring } from './expiring.ts';
import { OauthError } from './oauth-error.ts';
import { redirectFault } from './redirect-uris.ts';

export interface ClientDocumentOptions {
  /** Anybody names an address here, signed in or not: none inside may be reached unless the config says so. */
  readonly rules: AddressRules;
  readonly trust?: Trust;
  readonly now?: () => number;
  readonly timeoutMs?: number;
}

const MOST_BYTES = 16 * 1024;
const MOST_KEPT = 500;
const MOST_AT_ONCE = 8;
const TIMEOUT_MS = 5_000;
/** Whatever the document's server says: short enough to learn of a change, long enough for one login. */
const [SHORTEST_S, USUAL_S, LONGEST_S] = [60, 15 * 60, 24 * 60 * 60];

/** What a program says of itself at its own address. It has no secret: everybody can read the document. */
const document = z.looseObject({
  client_id: z.string(),
  client_name: z.string().optional(),
  redirect_uris: z.array(z.string().max(MOST_URI)).min(1).max(MOST_URIS),
  token_endpoint_auth_method: z.string().default('none'),
  grant_types: z.array(z.string()).default(['authorization_code']),
  response_types: z.array(z.string()).default(['code']),
  client_secret: z.undefined().optional(),
  client_secret_expires_at: z.undefined().optional(),
});

/**
 * Whether a client id is the address of a document about the client: https, with a path, in its one spelling, and
 * nothing else in it (draft-ietf-oauth-client-id-metadata-document-00, section 3).
 */
export function isDocumentUrl(clientId: string): boolean {
  if (!clientId.startsWith('https://') || !URL.canParse(clientId)) return false;
  // an address with dot segments is spelled without them once it is read
  const { href, pathname, username, password, search } = new URL(clientId);
  if (href !== clientId || clientId.includes('#') || search !== '') return false;
  return pathname !== '/' && username === '' && password === '';
}

/** Clients that need not register: their id is where they say of themselves what others register. */
export class ClientDocuments {
  readonly #options: ClientDocumentOptions;
  readonly #now: () => number;
  readonly #kept: Expiring<RegisteredClient>;
  readonly #underWay = new Map<string, Promise<RegisteredClient>>();
  #network: ClosableFetch | undefined;

  constructor(options: ClientDocumentOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#kept = new Expiring(MOST_KEPT, this.#now);
  }

  /** The client whose document is at this address. Throws OauthError that says what is wrong with it. */
  async client(url: string): Promise<RegisteredClient> {
    const kept = this.#kept.get(url) ?? this.#underWay.get(url);
    if (kept) return kept;
    if (this.#underWay.size >= MOST_AT_ONCE) {
      throw new OauthError('temporarily_unavailable', 'too many clients are being looked up; try again', 503);
    }
    const asked = this.#fetched(url).finally(() => this.#underWay.delete(url));
    this.#underWay.set(url, asked);
    return asked;
  }

  async close(): Promise<void> {
    await this.#network?.close();
  }

  async #fetched(url: string): Promise<RegisteredClient> {
    const { rules, trust, timeoutMs = TIMEOUT_MS } = this.#options;
    this.#network ??= guardedFetch(rules, trust);
    const { response, text } = await answerOf(url, this.#network.fetch, timeoutMs);
    const client = clientIn(text, url, this.#now());
    this.#kept.put(url, client, this.#now() + keptForMs(response.headers));
    return client;
  }
}

async function answerOf(
  url: string,
  fetch: FetchLike,
  timeoutMs: number,
): Promise<{ response: Response; text: string }> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    // what stands at another address is another client's
    const response = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual', signal });
    const type = response.headers.get('content-type') ?? 'nothing';
    if (response.status !== 200 || !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
      await response.body?.cancel();
      throw unusable(response.status === 200 ? `it is ${type}, not JSON` : `its server answered ${response.status}`);
    }
    const tooLong = () => unusable(`it has more than ${MOST_BYTES} bytes`);
    return { response, text: await textWithin(response, MOST_BYTES, tooLong) };
  } catch (thrown) {
    if (thrown instanceof OauthError) throw thrown;
    throw unusable(`it could not be read (${reasonOf(thrown)})`);
  }
}

/** The same for every address inside, whatever is there: who asks may be anybody. */
const reasonOf = (thrown: unknown): string =>
  thrown instanceof Error && thrown.name === 'TimeoutError'
    ? 'its server took too long'
    : 'its server was not reached, or is on a private network: oauth2_server_config.client_metadata_documents allows those';

function clientIn(text: string, url: string, nowMs: number): RegisteredClient {
  const value = parsedJson(text);
  if (value === undefined) throw unusable('it is no JSON');
  const parsed = document.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unusable(`${issue?.path.join('.') || 'it'}: ${issue?.message}`);
  }
  const { client_id: id, client_name: name, redirect_uris: uris, grant_types: grants } = parsed.data;
  const { token_endpoint_auth_method: authMethod, response_types: responses } = parsed.data;
  if (id !== url) throw unusable('its client_id is another address');
  if (authMethod !== 'none') throw unusable(`token_endpoint_auth_method must be "none" here, not "${authMethod}"`);
  if (!grants.includes('authorization_code') || !responses.includes('code')) {
    throw unusable('grant_types must hold "authorization_code", and response_types "code"');
  }
  const redirectUris = uris.filter((uri) => redirectFault(uri) === undefined);
  if (redirectUris.length === 0) throw unusable(`the redirect URI ${redirectFault(uris[0] ?? '')}`);
  return { clientId: url, name: shownName(name), redirectUris, authMethod, secretHash: null, createdAtMs: nowMs };
}

function keptForMs(headers: Headers): number {
  const control = headers.get('cache-control') ?? '';
  const [, maxAge] = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(control) ?? [];
  const asked = /no-store|no-cache/i.test(control) ? 0 : Number(maxAge ?? USUAL_S);
  return Math.min(Math.max(asked, SHORTEST_S), LONGEST_S) * 1_000;
}

const unusable = (why: string): OauthError =>
  new OauthError('invalid_client', `the metadata document of this client cannot be used: ${why}`);
