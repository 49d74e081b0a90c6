import type { Dispatcher } from 'undici';
import { undici } from '../model/undici.ts';

export const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;

export interface NetworkOptions {
  readonly maxConnections: number;
  readonly insecureSkipVerify: boolean;
  /** Certificates that are trusted in place of the usual ones, as PEM. */
  readonly caCertPem?: string;
  readonly proxy?: ProxyOptions;
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
    keepAliveTimeout: KEEP_ALIVE_MS,
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
