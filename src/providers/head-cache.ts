import { WireHead } from './wire-head.ts';
import { wireOf } from './wire-of.ts';

/** Heads kept for one client; forwarded headers make a few more of them than paths. */
const MAX_HEADS = 64;

interface Options {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: object | null | undefined;
  readonly query?: unknown;
  readonly timeout?: unknown;
  readonly fetchOptions?: object | undefined;
  readonly idempotencyKey?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

interface Built {
  req: object;
  url: string;
  timeout: number;
}

interface Retry {
  readonly retryCount?: number;
}

/** What both vendors' SDK clients have in common: one method that makes URL, headers and body out of options. */
export interface RequestBuilder<GivenOptions, Result> {
  buildRequest(options: GivenOptions, retry?: Retry): Promise<Result>;
}

/**
 * Keeps the head of a request (URL, key, platform headers) as the SDK built it for a path and its extra headers, so
 * that only the body is new the next time: building it anew takes half of an SDK call's time. `buildRequest` is not
 * documented API, therefore: only this file touches it, whatever is out of the ordinary goes the SDK's own way, and a
 * test compares the bytes on the wire with and without.
 */
export function cacheHeads<GivenOptions extends Options, Result extends Built>(
  client: RequestBuilder<GivenOptions, Result>,
): void {
  const build = client.buildRequest.bind(client);
  const heads = new Map<string, Result>();
  // Most calls have no headers of their own but one and the same object, which is written out once
  const written = new WeakMap<object, string>();
  const writtenOf = (headers: object): string => {
    const known = written.get(headers);
    if (known !== undefined) return known;
    const text = JSON.stringify(headers);
    written.set(headers, text);
    return text;
  };
  client.buildRequest = async (options, retry) => {
    if (!isOrdinary(options, retry)) return build(options, retry);
    const id = `${options.path} ${writtenOf(options.headers ?? NO_HEADERS)}`;
    const kept = heads.get(id);
    if (kept) return withBody(kept, options);
    const built = await build(options, retry);
    if (heads.size >= MAX_HEADS) heads.clear();
    heads.set(id, headOf(built));
    return built;
  };
}

const NO_HEADERS = {};

const isOrdinary = (options: Options, retry: Retry | undefined): boolean =>
  options.method === 'post' &&
  (typeof options.body === 'string' || options.body instanceof Uint8Array) &&
  !retry?.retryCount &&
  !(options.fetchOptions && 'answerMode' in options.fetchOptions) &&
  !('query' in options || 'timeout' in options || 'idempotencyKey' in options);

function headOf<Result extends Built>(built: Result): Result {
  const { method, headers } = built.req as RequestInit;
  return { ...built, req: { method, headers: new WireHead(wireOf(headers)) } };
}

function withBody<Result extends Built>(head: Result, { body, signal, fetchOptions }: Options): Result {
  const { method, headers } = head.req as RequestInit;
  const req = Object.assign({ method, headers, body, signal: signal ?? null }, fetchOptions);
  return { ...head, req };
}
