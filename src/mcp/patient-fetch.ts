import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  Agent,
  type Dispatcher,
  EnvHttpProxyAgent,
  type RequestInit as UndiciRequestInit,
  fetch as undiciFetch,
} from 'undici';

export interface PatientFetch {
  readonly fetch: FetchLike;
  close(): Promise<void>;
}

const PATIENT = { headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } };
/** Servers on this machine are never behind its way out. */
const NEAR = ['localhost', '127.0.0.1', '::1'];

/**
 * A fetch for MCP servers. Node's own gives up on any answer that is silent for five minutes, and tools may be; how long
 * a call may take is the tool timeout's to say. Goes out through the proxies that the environment names.
 */
export function patientFetch(environment: NodeJS.ProcessEnv = process.env): PatientFetch {
  const dispatcher = dispatcherFor(environment);
  return {
    fetch: async (url, init) => {
      // undici is where Node's own fetch comes from: the same types under two names.
      const request = { ...init, dispatcher } as unknown as UndiciRequestInit;
      return (await undiciFetch(url, request)) as unknown as Response;
    },
    close: () => dispatcher.destroy(),
  };
}

function dispatcherFor(environment: NodeJS.ProcessEnv): Dispatcher {
  const named = (name: string) => environment[name.toLowerCase()] || environment[name];
  const httpProxy = named('HTTP_PROXY');
  const httpsProxy = named('HTTPS_PROXY');
  if (!httpProxy && !httpsProxy) return new Agent(PATIENT);
  const noProxy = [...(named('NO_PROXY')?.split(',') ?? []), ...NEAR].join(',');
  return new EnvHttpProxyAgent({
    ...PATIENT,
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    noProxy,
  });
}
