import type { CancellableInit } from './cancellation.ts';
import type { Fetch } from './fetch.ts';

/** What both vendors' SDK clients have in common: one method that sends a request under a timer and a signal of its own. */
interface TimedSender<Rest extends readonly unknown[]> {
  fetchWithTimeout(url: string | URL | Request, init: RequestInit | undefined, ...rest: Rest): Promise<Response>;
}

/**
 * A call that the gateway can cancel has its deadline already: the SDK's own, with a timer and an AbortSignal for each
 * request, is left out. On Node 20 a signal outlives its request by two scavenges, and what it holds does too.
 */
export function oneDeadline<Rest extends readonly unknown[]>(client: TimedSender<Rest>, fetch: Fetch): void {
  const timed = client.fetchWithTimeout.bind(client);
  client.fetchWithTimeout = (url, init, ...rest) =>
    isCancellable(init) ? fetch(url, init) : timed(url, init, ...rest);
}

const isCancellable = (init: RequestInit | undefined): init is CancellableInit =>
  init !== undefined && 'cancellation' in init;
