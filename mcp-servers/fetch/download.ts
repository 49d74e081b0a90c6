import type { LookupAddress } from 'node:dns';
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { messageOf, serverVersion } from '../support.ts';

const maxRedirects = 5;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

const headers = {
  'user-agent': `bifrost-fetch/${serverVersion}`,
  accept: 'text/html, application/xhtml+xml, application/json;q=0.9, text/*;q=0.9, */*;q=0.5',
  // not deflate: servers do not agree on what it is (RFC 9110, section 8.4.1.2)
  'accept-encoding': 'gzip, br',
};

/** What a download may reach and take. */
export interface DownloadPolicy {
  /** All addresses of a host name. */
  readonly resolve: (host: string) => Promise<LookupAddress[]>;
  /** What a forbidden address is for; undefined when it may be connected to. */
  readonly forbiddenPurpose: (address: string) => string | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface Download {
  /** Where the body came from in the end. */
  readonly url: URL;
  readonly status: number;
  readonly statusText: string;
  /** The header as it came; empty when there was none. */
  readonly contentType: string;
  readonly body: Buffer;
}

/** GETs a page, redirects followed. Every address is checked before it is connected to, on every hop. */
export async function download(url: string, policy: DownloadPolicy, signal: AbortSignal): Promise<Download> {
  const timeout = AbortSignal.timeout(policy.timeoutMs);
  const stop = AbortSignal.any([signal, timeout]);
  let at = parsedUrl(url);
  try {
    for (let redirects = 0; redirects <= maxRedirects; redirects++) {
      const response = await responseOf(at, policy, stop);
      const next = redirectTarget(response, at);
      if (!next) return await received(response, at, policy.maxBytes, stop);
      response.destroy();
      at = next;
    }
  } catch (error) {
    if (timeout.aborted)
      throw new Error(`${at.href} took longer than ${policy.timeoutMs / 1000} seconds. Try again later.`);
    throw error;
  }
  throw new Error(
    `${url} redirects more than ${maxRedirects} times, last to ${at.href}. Fetch the final address itself.`,
  );
}

function parsedUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (!url) throw new Error(`'${text}' is not a URL. Give a whole one, such as 'https://example.com/page'.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`'${url.protocol}' addresses cannot be fetched, only http and https.`);
  }
  if (url.username || url.password)
    throw new Error('A URL with a user name or password in it is refused: leave them out.');
  return url;
}

function redirectTarget(response: IncomingMessage, from: URL): URL | undefined {
  const { location } = response.headers;
  return location && redirectStatuses.has(response.statusCode ?? 0) ? parsedUrl(location, from) : undefined;
}

async function responseOf(url: URL, policy: DownloadPolicy, signal: AbortSignal): Promise<IncomingMessage> {
  const addresses = await checkedAddresses(url, policy, signal);
  const options: RequestOptions = {
    headers,
    signal,
    // No connection is kept, so none outlives its check.
    agent: false,
    // The socket goes to what was checked: a second look-up could give another answer (DNS rebinding).
    lookup: (_, { all }, callback) => {
      const [first] = addresses;
      if (all) callback(null, addresses);
      else callback(null, first.address, first.family);
    },
  };
  try {
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      send(url, options, resolve).once('error', reject).end();
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${url.host} could not be reached: ${reasonOf(error)}`, { cause: error });
  }
}

type Addresses = [LookupAddress, ...LookupAddress[]];

async function checkedAddresses(url: URL, policy: DownloadPolicy, signal: AbortSignal): Promise<Addresses> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(host);
  // Node connects to a literal address without asking `lookup`: it is checked here like any other.
  const [first, ...rest] = family ? [{ address: host, family }] : await resolved(host, policy, signal);
  if (!first) throw new Error(`The host '${host}' has no address. Check the spelling.`);
  const addresses: Addresses = [first, ...rest];
  for (const { address } of addresses) {
    const purpose = policy.forbiddenPurpose(address);
    if (purpose === undefined) continue;
    const meaning = address === host ? `${address} is` : `'${host}' leads to ${address}, which is`;
    throw new Error(`Refused: ${meaning} not a public address (${purpose}). Only the public internet can be fetched.`);
  }
  return addresses;
}

async function resolved(host: string, policy: DownloadPolicy, signal: AbortSignal): Promise<LookupAddress[]> {
  signal.throwIfAborted();
  try {
    // A look-up cannot be cancelled: the caller goes on without it.
    return await Promise.race([policy.resolve(host), rejectionOf(signal)]);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`The host '${host}' was not found (${reasonOf(error)}). Check the spelling.`, { cause: error });
  }
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const message = messageOf(error);
  return code === undefined || message.includes(code) ? message : [code, message].filter(Boolean).join(': ');
}

async function received(response: IncomingMessage, url: URL, maxBytes: number, signal: AbortSignal): Promise<Download> {
  return {
    url,
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? '',
    contentType: response.headers['content-type'] ?? '',
    body: await bodyOf(response, url, maxBytes, signal),
  };
}

async function bodyOf(response: IncomingMessage, url: URL, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const tooLarge = (bytes: string): Error =>
    new Error(
      `${url.href} is too large: ${bytes} of at most ${maxBytes} bytes (${response.headers['content-type'] ?? 'no type'}).`,
    );
  const announced = Number(response.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    response.destroy();
    throw tooLarge(String(announced));
  }
  const collector = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length;
      chunks.push(chunk);
      // Counted after decompression: a small bomb is large as well.
      done(size > maxBytes ? tooLarge('more') : null);
    },
  });
  await pipeline([response, ...decoders(response, url), collector], { signal }).catch((error) => {
    signal.throwIfAborted();
    if (size > maxBytes) throw error;
    throw new Error(`The answer of ${url.host} broke off or is damaged: ${reasonOf(error)}. Try again.`, {
      cause: error,
    });
  });
  return Buffer.concat(chunks);
}

function decoders(response: IncomingMessage, url: URL): (Transform & Writable)[] {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  switch (encoding) {
    case 'identity':
    case '':
      return [];
    case 'gzip':
    case 'x-gzip':
      return [createGunzip()];
    case 'deflate':
      return [createInflate()];
    case 'br':
      return [createBrotliDecompress()];
    default:
      response.destroy();
      throw new Error(`${url.host} answers in the encoding '${encoding}', which it was not asked for.`);
  }
}
