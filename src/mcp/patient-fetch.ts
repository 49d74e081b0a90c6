import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { Agent, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';

export interface PatientFetch {
  readonly fetch: FetchLike;
  close(): Promise<void>;
}

/**
 * A fetch for MCP servers. Node's own gives up on any answer that is silent for five minutes, and tools may be; how long
 * a call may take is the tool timeout's to say.
 */
export function patientFetch(): PatientFetch {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } });
  return {
    fetch: async (url, init) => {
      // undici is where Node's own fetch comes from: the same types under two names.
      const request = { ...init, dispatcher } as unknown as UndiciRequestInit;
      return (await undiciFetch(url, request)) as unknown as Response;
    },
    close: () => dispatcher.destroy(),
  };
}
