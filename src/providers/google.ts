import { GoogleGenAI } from '@google/genai';
import { GatewayError } from '../model/errors.ts';
import { asDirectResponse, type DirectResponse } from './direct-response.ts';
import type { Fetch } from './fetch.ts';
import type { Token } from './identity.ts';
import { KnownHeads } from './known-heads.ts';
import { tooLate, type Upstream, type UpstreamCall, type UpstreamTarget } from './upstream.ts';
import { WireHead } from './wire-head.ts';
import { wireOf } from './wire-of.ts';

type Method = 'POST' | 'GET';

/**
 * A provider behind the official `@google/genai` SDK, which owns its URL, authentication and headers. Body and answer
 * pass by the SDK, in the fetch that it calls: it would read every chunk of a stream into a Response of its own.
 */
export function openGoogle(target: UpstreamTarget, fetch: Fetch, token?: Token): Upstream {
  const client = new Client({
    // The SDK wants a key even where its header is taken away again
    apiKey: target.apiKey ?? 'none',
    // Given, so that the SDK does not read them from the environment
    vertexai: false,
    // the base URL holds the version
    httpOptions: { baseUrl: target.baseUrl, apiVersion: '' },
  });
  const line = { target, fetch, ...(token && { token }) };
  return {
    post: (path, body, call) => client.post(inProject(path, target), body, call, line),
    get: (path, call) => client.send('GET', path, undefined, call, line),
  };
}

/** On Vertex models answer inside a project; they are listed outside of all. */
const inProject = (path: string, { cloud }: UpstreamTarget): string =>
  cloud?.project && cloud.region && !isWhole(path)
    ? `projects/${cloud.project}/locations/${cloud.region}/${path}`
    : path;

const isWhole = (path: string): boolean => /^https?:\/\//.test(path);

interface Line {
  readonly target: UpstreamTarget;
  readonly fetch: Fetch;
  /** In place of a key: told to be Vertex, the SDK would read keys and projects from the environment. */
  readonly token?: Token;
}

/** The SDK's own transport is not public; a subclass may use it. */
class Client extends GoogleGenAI {
  readonly #heads = new KnownHeads();

  /** A post goes out as the last of its kind, where there was one and nothing but the body is new. */
  post(path: string, body: string | Uint8Array, call: UpstreamCall, line: Line): Promise<DirectResponse> {
    const sent = this.#heads.sent(path, body, call, line.fetch);
    if (!sent) return this.send('POST', path, body, call, line);
    return sent.catch((thrown: unknown) => {
      throw failure(thrown, line.target, undefined);
    });
  }

  async send(
    httpMethod: Method,
    path: string,
    body: string | Uint8Array | undefined,
    call: UpstreamCall,
    { target, fetch, token }: Line,
  ): Promise<DirectResponse> {
    const { headers, signal, cancellation, wishes } = call;
    const exchange = new Exchange(target);
    const bearer = await token?.();
    const isElsewhere = isWhole(path);
    const fetchOnce: typeof globalThis.fetch = (sdksUrl, init) => {
      const url = isElsewhere ? path : String(sdksUrl);
      const head = headOf(init?.headers, headers, target, bearer);
      // a token comes to its end
      const stays = httpMethod === 'POST' && bearer === undefined;
      if (stays) this.#heads.keep(path, headers, { url, headers: new WireHead(wireOf(head)) });
      const sent = {
        ...init,
        headers: head,
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
        ...(cancellation && { cancellation }),
        ...wishes,
      };
      const answering = fetch(url, sent);
      // who can cancel has a deadline of his own, and how long an upload may take is its sender's to say
      return cancellation || wishes?.upload ? exchange.kept(answering) : exchange.answerOf(answering);
    };
    try {
      const request = { path: isElsewhere ? '' : path, httpMethod, httpOptions: { fetch: fetchOnce } };
      await this.apiClient.request(request);
    } catch (thrown) {
      // an error status is an answer too: the SDK throws it, the exchange has it
      if (!exchange.answer) throw failure(thrown, target, signal);
    }
    return asDirectResponse(exchange.answer);
  }
}

/** The SDK's headers under ours: it would write both values of a name that both give. */
function headOf(
  sdks: RequestInit['headers'],
  call: UpstreamCall['headers'],
  target: UpstreamTarget,
  bearer: string | undefined,
): Headers {
  const head = new Headers(sdks);
  if (target.apiKey === undefined) head.delete('x-goog-api-key');
  if (bearer !== undefined) head.set('authorization', `Bearer ${bearer}`);
  head.set('accept-encoding', 'identity');
  for (const [name, value] of Object.entries({ ...target.headers, ...call })) head.set(name, value);
  return head;
}

/** One request under way: it must be answered in time, and its answer is kept from the SDK's hands. */
class Exchange {
  readonly #target: UpstreamTarget;
  answer: Response | undefined;

  constructor(target: UpstreamTarget) {
    this.#target = target;
  }

  async kept(answering: Promise<Response>): Promise<Response> {
    this.answer = await answering;
    return this.answer;
  }

  async answerOf(answering: Promise<Response>): Promise<Response> {
    const { timeoutMs } = this.#target;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooLate(this.#target)), timeoutMs);
    });
    try {
      return await this.kept(Promise.race([answering, late]));
    } finally {
      clearTimeout(timer);
    }
  }
}

function failure(thrown: unknown, { provider }: UpstreamTarget, signal: AbortSignal | undefined): GatewayError {
  if (thrown instanceof GatewayError)
    return new GatewayError(thrown.kind, thrown.message, { ...thrown.details, provider });
  if (signal?.aborted) return new GatewayError('cancelled', 'the request was cancelled', { provider, cause: thrown });
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new GatewayError('network', `the request to ${provider} failed: ${why}`, { provider, cause: thrown });
}
