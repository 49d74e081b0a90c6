import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { type CancellableInit, Cancellation, cancelledBy } from '../../src/providers/cancellation.ts';
import { DirectHeaders, DirectResponse } from '../../src/providers/direct-response.ts';
import type { Fetch } from '../../src/providers/fetch.ts';
import { oneDeadline } from '../../src/providers/one-deadline.ts';

/** Keeps how it was called, and answers when its signal fires or, without one, at once. */
function upstream() {
  const inits: CancellableInit[] = [];
  const fetch: Fetch = (_url, init = {}) => {
    inits.push(init);
    const head = { status: 200, statusText: 'OK', url: 'http://upstream', headers: new DirectHeaders({}) };
    const answer = new DirectResponse(head, Buffer.from('{}')) as unknown as Response;
    const { signal } = init;
    if (!signal) return Promise.resolve(answer);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };
  return { inits, fetch };
}

const common = { apiKey: 'sk-test', maxRetries: 0, timeout: 20, logLevel: 'off' as const };
const vendors = {
  openai: (fetch: Fetch) => {
    const client = new OpenAI({ ...common, fetch, baseURL: 'http://upstream/v1' });
    oneDeadline(client, fetch);
    return client;
  },
  anthropic: (fetch: Fetch) => {
    const client = new Anthropic({ ...common, fetch, baseURL: 'http://upstream', openTelemetry: false });
    oneDeadline(client, fetch);
    return client;
  },
};

describe.each(['openai', 'anthropic'] as const)('%s', (vendor) => {
  test('a call that can be cancelled is sent without a signal of the SDK', async () => {
    const { inits, fetch } = upstream();
    const cancellation = new Cancellation();
    const client = vendors[vendor](fetch);
    await client.post('/chat', { body: { a: 1 }, fetchOptions: cancelledBy(cancellation, undefined) }).asResponse();
    expect(inits).toEqual([expect.objectContaining({ method: 'post', body: '{"a":1}', cancellation })]);
    expect(inits[0]?.signal).toBeUndefined();
  });

  test('any other call keeps the deadline of the SDK', async () => {
    const { inits, fetch } = upstream();
    await expect(
      vendors[vendor](fetch)
        .post('/chat', { body: { a: 1 } })
        .asResponse(),
    ).rejects.toThrow(/timed out/);
    expect(inits[0]?.signal?.aborted).toBe(true);
  });
});
