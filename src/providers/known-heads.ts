import { asDirectResponse, type DirectResponse } from './direct-response.ts';
import type { Fetch } from './fetch.ts';
import type { UpstreamCall } from './upstream.ts';
import { WireHead } from './wire-head.ts';
import { wireOf } from './wire-of.ts';

/** Heads kept for one client; forwarded headers make a few more of them than paths. */
const MOST_HEADS = 64;

/** What an SDK makes of a call beside its body: address, key, headers of its platform. */
interface Head {
  readonly url: string;
  readonly headers: WireHead;
}

/**
 * The heads that a vendor's SDK has made for one account: what is asked again goes out under the same head, with a new
 * body, and not once more through the SDK, which would build and log what it knows already: a tenth of the way to the
 * first words of a stream.
 */
export class KnownHeads {
  readonly #heads = new Map<string, Head>();
  /** Most calls have no headers of their own but one and the same object, which is written out once. */
  readonly #written = new WeakMap<object, string>();

  keep(path: string, headers: object, head: Head): void {
    if (this.#heads.size >= MOST_HEADS) this.#heads.clear();
    this.#heads.set(this.#idOf(path, headers), head);
  }

  /**
   * Sends a post under the head of its kind. Answers of any status resolve; rejects with GatewayError. Undefined where no
   * head is known, and for calls that want more of an SDK or of our fetch: whoever can cancel has a deadline of his own.
   */
  sent(path: string, body: string | Uint8Array, call: UpstreamCall, fetch: Fetch): Promise<DirectResponse> | undefined {
    const { cancellation, signal, wishes } = call;
    if (!cancellation || signal || wishes) return undefined;
    const head = this.#heads.get(this.#idOf(path, call.headers));
    if (!head) return undefined;
    const { url, headers } = head;
    return fetch(url, { method: 'POST', headers, body, cancellation }).then(asDirectResponse);
  }

  #idOf(path: string, headers: object): string {
    let written = this.#written.get(headers);
    if (written === undefined) {
      written = JSON.stringify(headers);
      this.#written.set(headers, written);
    }
    return `${path} ${written}`;
  }
}

interface Options {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: object | null | undefined;
  readonly query?: unknown;
  readonly timeout?: unknown;
  readonly fetchOptions?: object | undefined;
  readonly idempotencyKey?: unknown;
}

interface Retry {
  readonly retryCount?: number;
}

/** What the clients of OpenAI and Anthropic have in common: one method that makes URL, headers and body out of options. */
export interface RequestBuilder<GivenOptions, Built> {
  buildRequest(options: GivenOptions, retry?: Retry): Promise<Built>;
}

/**
 * The heads of all that such a client builds from now on. `buildRequest` is not documented API, therefore: only this
 * function touches it, it hands on what it gets as it is, and a test compares the bytes on the wire with the SDK's own.
 */
export function headsOf<GivenOptions extends Options, Built extends { readonly req: object; readonly url: string }>(
  client: RequestBuilder<GivenOptions, Built>,
): KnownHeads {
  const heads = new KnownHeads();
  const build = client.buildRequest.bind(client);
  client.buildRequest = async (options, retry) => {
    const { path, headers } = options;
    const built = await build(options, retry);
    if (headers && isPlainPost(options, retry)) {
      heads.keep(path, headers, { url: built.url, headers: new WireHead(wireOf((built.req as RequestInit).headers)) });
    }
    return built;
  };
  return heads;
}

const isPlainPost = (options: Options, retry: Retry | undefined): boolean =>
  options.method === 'post' &&
  (typeof options.body === 'string' || options.body instanceof Uint8Array) &&
  !retry?.retryCount &&
  Object.keys(options.fetchOptions ?? {}).every((wish) => wish === 'cancellation') &&
  !('query' in options || 'timeout' in options || 'idempotencyKey' in options);
