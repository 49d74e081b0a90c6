import type { Readable } from 'node:stream';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Dispatcher, RequestInit as UndiciRequestInit } from 'undici';
import { undici } from '../model/undici.ts';
import { bounded, textOf } from './bounded-answer.ts';

const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);
/** As undici's own fetch names itself; some servers refuse whoever has no name. */
const USER_AGENT = 'undici';

/** A fetch with connections of its own. */
export interface ClosableFetch {
  readonly fetch: FetchLike;
  close(): Promise<void>;
}

/**
 * A fetch through this dispatcher. What MCP servers are asked is text by POST, and nearly always answered by JSON: that
 * goes past the web's streams, which would cost more than the rest of a call. Everything else is the usual fetch.
 */
export const fetchThrough =
  (dispatcher: Dispatcher): FetchLike =>
  async (url, init) => {
    if (init?.method !== 'POST' || typeof init.body !== 'string') return usualFetch(dispatcher, url, init);
    const answer = await posted(dispatcher, url, init, init.body);
    const { statusCode, body } = answer;
    const headers = headersOf(answer);
    const isRedirect = statusCode >= 300 && statusCode < 400 && headers.has('location');
    if (isRedirect && init.redirect !== 'manual') {
      await body.dump();
      return usualFetch(dispatcher, url, init);
    }
    const isJson = headers.get('content-type')?.startsWith('application/json') === true;
    if (isJson && statusCode === 200) return jsonResponse(answer, headers);
    const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
    const content = isStream ? webStream(body) : await textOf(body, headers);
    return new Response(WITHOUT_BODY.has(statusCode) ? null : content, { status: statusCode, headers });
  };

async function usualFetch(dispatcher: Dispatcher, url: string | URL, init: RequestInit | undefined): Promise<Response> {
  // undici is where Node's own fetch comes from: the same types under two names.
  const whole = { ...init, dispatcher } as unknown as UndiciRequestInit;
  return bounded((await undici().fetch(url, whole)) as unknown as Response);
}

/** Fails in the words of the usual fetch. */
async function posted(
  dispatcher: Dispatcher,
  url: string | URL,
  { headers, signal }: RequestInit,
  body: string,
): Promise<Dispatcher.ResponseData> {
  const sent = new Headers(headers);
  if (!sent.has('user-agent')) sent.set('user-agent', USER_AGENT);
  // nothing here would unpack it
  sent.set('accept-encoding', 'identity');
  try {
    const options = { dispatcher, method: 'POST', headers: Object.fromEntries(sent), body } as const;
    return await undici().request(url, signal ? { ...options, signal } : options);
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new TypeError('fetch failed', { cause });
  }
}

function headersOf({ headers: given }: Dispatcher.ResponseData): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) headers.append(name, each);
  }
  return headers;
}

/** Of a Response, what is read of a whole answer. */
function jsonResponse({ statusCode: status, body }: Dispatcher.ResponseData, headers: Headers): Response {
  const response = {
    ok: true,
    status,
    statusText: '',
    headers,
    get body() {
      return webStream(body);
    },
    text: () => textOf(body, headers),
    json: async () => JSON.parse(await textOf(body, headers)),
  };
  return response as unknown as Response;
}

/** Node's own conversion (`Readable.toWeb`) throws when something comes behind a cancellation. */
function webStream(body: Readable): ReadableStream<Uint8Array> {
  const pieces = body.iterator();
  // whoever reads hears of it, and nobody else has to
  body.on('error', () => undefined);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      body.destroy();
    },
  });
}
