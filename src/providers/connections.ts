import type { Dispatcher } from 'undici';
import { undici } from '../model/undici.ts';

export const CONNECT_TIMEOUT_MS = 10_000;
/** Where nothing is configured, for servers that say nothing themselves. */
const KEEP_ALIVE_MS = 60_000;
/** Gateways in front of models put cookies, policies and traces into theirs; undici's own limit is 16 KB. */
const MOST_HEADER_BYTES = 128 * 1024;

export interface NetworkOptions {
  readonly maxConnections: number;
  readonly insecureSkipVerify: boolean;
  /** Certificates that are trusted in place of the usual ones, as PEM. */
  readonly caCertPem?: string;
  readonly proxy?: ProxyOptions;
  /** How long a connection without requests is kept, whatever the server offers. */
  readonly keepAliveMs?: number;
  /** Whether HTTP/2 is spoken with servers that have it. */
  readonly http2?: boolean;
}

export type ProxyOptions =
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as the process was started with. */
  | { readonly type: 'environment' }
  | {
      readonly type: 'url';
      /** `http:`, `https:` or `socks5:`. */
      readonly url: string;
      readonly username?: string;
      readonly password?: string;
      /** Of the proxy itself, when it is asked over TLS. */
      readonly caCertPem?: string;
    };

/** The connections to one origin, through a proxy if there is one. */
export function openConnections(origin: string, options: NetworkOptions): Dispatcher {
  const shared = {
    connections: options.maxConnections,
    pipelining: 1,
    maxHeaderSize: MOST_HEADER_BYTES,
    keepAliveTimeout: options.keepAliveMs ?? KEEP_ALIVE_MS,
    ...(options.keepAliveMs !== undefined && { keepAliveMaxTimeout: options.keepAliveMs }),
    // Requests do not share a session: undici sends again what is under way when a session ends, and a chat is paid for twice
    ...(options.http2 && { allowH2: true }),
    // How long to wait for headers and between reads is decided by the callers, which know whom to tell
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const connect = { timeout: CONNECT_TIMEOUT_MS, ...trust(options) };
  const { proxy } = options;
  const { EnvHttpProxyAgent, Pool, ProxyAgent } = undici();
  if (!proxy) return new Pool(origin, { ...shared, connect });
  if (proxy.type === 'environment') return new EnvHttpProxyAgent({ ...shared, requestTls: connect, connect });
  return new ProxyAgent({
    ...shared,
    uri: uriOf(proxy),
    requestTls: connect,
    // undici speaks TLS to any proxy for which this is given
    ...(/^https:/i.test(proxy.url) && { proxyTls: proxy.caCertPem ? { ca: proxy.caCertPem } : {} }),
  });
}

const trust = ({ insecureSkipVerify, caCertPem }: NetworkOptions) => ({
  rejectUnauthorized: !insecureSkipVerify,
  ...(caCertPem && { ca: caCertPem }),
});

/** Name and password stand in the address, where each kind of proxy looks for them. */
function uriOf({ url, username, password }: Extract<ProxyOptions, { type: 'url' }>): string {
  const uri = new URL(url);
  if (username) uri.username = username;
  if (password) uri.password = password;
  return uri.href;
}
