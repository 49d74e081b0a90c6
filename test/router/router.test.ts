import { describe, expect, test } from 'vitest';
import { answererOf } from '../../src/model/call.ts';
import { type ErrorKind, GatewayError } from '../../src/model/errors.ts';
import type { Frame } from '../../src/model/event.ts';
import { createRouter } from '../../src/router/router.ts';
import { configured, contextWith, endFrame, keys, type Play, requestFor, scriptedCall, textFrame } from './fixtures.ts';

const answer: Play = [textFrame('hello'), endFrame];
const failing = (kind: ErrorKind, details = {}): Play => [new GatewayError(kind, `${kind} happened`, details)];

interface Scene {
  readonly settings?: Record<string, unknown>;
  readonly model?: string;
  readonly fallbacks?: readonly string[];
  readonly plays: readonly Play[];
  readonly signal?: AbortSignal;
}

const network = (max_retries: number) => ({ network_config: { max_retries } });
const oneKey = { openai: { keys: keys('a'), ...network(2) } };

async function run({ settings = oneKey, model = 'openai/gpt-4o', fallbacks = [], plays, signal }: Scene) {
  const script = scriptedCall(...plays);
  const pauses: number[] = [];
  const context = contextWith(signal);
  const router = createRouter({
    providers: configured(settings),
    call: script.call,
    random: () => 0.5,
    now: () => 7,
    sleep: async (ms) => {
      pauses.push(ms);
    },
  });
  const frames: Frame[] = [];
  let error: unknown;
  try {
    for await (const frame of router(requestFor(model, fallbacks), context)) frames.push(frame);
  } catch (thrown) {
    error = thrown;
  }
  script.finish();
  return {
    frames,
    error,
    pauses,
    attempts: script.attempts,
    ended: script.ended,
    recorded: context.trace.attempts,
    trace: context.trace,
  };
}

test('an answer passes through, and the attempt is recorded', async () => {
  const { frames, recorded, pauses } = await run({ plays: [answer] });
  expect(frames).toEqual(answer);
  expect(pauses).toEqual([]);
  expect(recorded).toEqual([{ provider: 'openai', model: 'gpt-4o', keyName: 'a', fallbackIndex: 0, startedAtMs: 7 }]);
});

describe('retries', () => {
  test.each<ErrorKind>(['overloaded', 'network', 'bad-response'])(
    '%s repeats with the same key after a pause',
    async (kind) => {
      const settings = { openai: { keys: keys('a', 'b'), ...network(2) } };
      const { frames, attempts, pauses } = await run({ settings, plays: [failing(kind), failing(kind), answer] });
      expect(frames).toEqual(answer);
      expect(new Set(attempts).size).toBe(1);
      expect(pauses).toEqual([500, 1_000]);
    },
  );

  test('without max_retries there is one attempt', async () => {
    const settings = { openai: { keys: keys('a') } };
    const { error, attempts } = await run({ settings, plays: [failing('overloaded')] });
    expect(error).toMatchObject({ kind: 'overloaded' });
    expect(attempts).toHaveLength(1);
  });

  test('retry-after is respected up to the longest pause', async () => {
    const { pauses } = await run({
      plays: [failing('rate-limit', { retryAfterMs: 2_000 }), failing('rate-limit', { retryAfterMs: 90_000 }), answer],
    });
    expect(pauses).toEqual([2_000, 5_000]);
  });

  test.each<ErrorKind>(['invalid-request', 'not-found', 'too-large', 'content-policy'])(
    '%s is not repeated',
    async (kind) => {
      const { error, attempts } = await run({ plays: [failing(kind)] });
      expect(error).toMatchObject({ kind });
      expect(attempts).toHaveLength(1);
    },
  );

  test("the upstream's own 504 is repeated, our own timeout is not", async () => {
    const upstreams = await run({ plays: [failing('timeout', { status: 504 }), answer] });
    expect(upstreams.frames).toEqual(answer);
    const ours = await run({ plays: [failing('timeout')], fallbacks: ['openai/gpt-4.1'] });
    expect(ours.error).toMatchObject({ kind: 'timeout' });
  });

  test('a rate limit told in words alone counts as one', async () => {
    const error = new GatewayError('invalid-request', 'Tokens per minute limit reached', { status: 400 });
    expect((await run({ plays: [[error], answer] })).frames).toEqual(answer);
  });
});

describe('keys', () => {
  test('a 429 moves to the next key before it moves to the next provider', async () => {
    const settings = { openai: { keys: keys('a', 'b'), ...network(1) }, groq: { keys: keys('g') } };
    const { attempts, pauses } = await run({
      settings,
      fallbacks: ['groq/llama'],
      plays: [failing('rate-limit'), failing('rate-limit'), answer],
    });
    expect(attempts).toEqual(['openai/gpt-4o by b', 'openai/gpt-4o by a', 'groq/llama by g']);
    expect(pauses).toEqual([500]);
  });

  test('once all keys were limited they are tried again', async () => {
    const settings = { openai: { keys: keys('a', 'b'), ...network(3) } };
    const { attempts, frames } = await run({
      settings,
      plays: [failing('rate-limit'), failing('rate-limit'), failing('rate-limit'), answer],
    });
    expect(frames).toEqual(answer);
    expect(new Set(attempts.slice(0, 2)).size).toBe(2);
  });

  test.each<ErrorKind>(['authentication', 'permission', 'billing'])(
    '%s drops the key at once and costs no retry',
    async (kind) => {
      const settings = { openai: { keys: keys('a', 'b', 'c') } };
      const { attempts, pauses, frames } = await run({ settings, plays: [failing(kind), failing(kind), answer] });
      expect(new Set(attempts).size).toBe(3);
      expect(pauses).toEqual([]);
      expect(frames).toEqual(answer);
    },
  );

  test('when every key is dead the error of the last is told', async () => {
    const settings = { openai: { keys: keys('a', 'b'), ...network(5) } };
    const { error, recorded } = await run({ settings, plays: [failing('authentication'), failing('authentication')] });
    expect(error).toMatchObject({ kind: 'authentication' });
    expect(recorded.map((attempt) => attempt.error)).toEqual(['authentication happened', 'authentication happened']);
  });

  test('an alias names the model upstream', async () => {
    const settings = {
      openai: { keys: [{ name: 'a', value: 'sk', models: ['*'], aliases: { fast: 'gpt-4o-mini' } }] },
    };
    const { attempts, recorded } = await run({ settings, model: 'openai/fast', plays: [answer] });
    expect(attempts).toEqual(['openai/gpt-4o-mini by a']);
    expect(recorded[0]?.model).toBe('gpt-4o-mini');
  });
});

describe('fallbacks', () => {
  const settings = { openai: { keys: keys('a') }, anthropic: { keys: keys('b') }, groq: { keys: keys('c') } };
  const fallbacks = ['anthropic/claude-sonnet-4-5', 'groq/llama'];

  test('are tried in order, also after a 400', async () => {
    const { attempts, recorded, frames } = await run({
      settings,
      fallbacks,
      plays: [failing('invalid-request'), failing('overloaded'), answer],
    });
    expect(attempts).toEqual(['openai/gpt-4o by a', 'anthropic/claude-sonnet-4-5 by b', 'groq/llama by c']);
    expect(recorded.map(({ fallbackIndex }) => fallbackIndex)).toEqual([0, 1, 2]);
    expect(frames).toEqual(answer);
  });

  test('when all fail, the error of the primary is told', async () => {
    const plays = [failing('rate-limit'), failing('authentication'), failing('not-found')];
    const { error, trace } = await run({ settings, fallbacks, plays });
    expect(error).toMatchObject({ kind: 'rate-limit' });
    expect(answererOf(trace)).toMatchObject({ provider: 'openai', keyName: 'a', fallbackIndex: 0 });
  });

  test('when all fail and no key of the primary serves the model, the primary is named', async () => {
    const strict = { ...settings, openai: { keys: [{ name: 'a', value: 'sk', models: ['gpt-5'] }] } };
    const plays = [failing('overloaded'), failing('overloaded')];
    const { error, trace } = await run({ settings: strict, fallbacks, plays });
    expect(error).toMatchObject({ message: expect.stringContaining('no key of provider "openai"') });
    expect(answererOf(trace)).toEqual({ provider: 'openai', model: 'gpt-4o', keyName: '', fallbackIndex: 0 });
  });

  test('an error that stops a fallback is the one that is told', async () => {
    const { error, trace } = await run({ settings, fallbacks, plays: [failing('rate-limit'), failing('timeout')] });
    expect(error).toMatchObject({ kind: 'timeout' });
    expect(answererOf(trace)).toMatchObject({ provider: 'anthropic', fallbackIndex: 1 });
  });

  test('at providers that are not configured are passed over', async () => {
    const { attempts } = await run({
      settings,
      fallbacks: ['mistral/large', 'nowhere/x', 'groq/llama'],
      plays: [failing('overloaded'), answer],
    });
    expect(attempts).toEqual(['openai/gpt-4o by a', 'groq/llama by c']);
  });

  test('serve a primary whose keys may not serve the model', async () => {
    const strict = { ...settings, openai: { keys: [{ name: 'a', value: 'sk', models: ['gpt-5'] }] } };
    const { attempts, frames } = await run({ settings: strict, fallbacks, plays: [answer] });
    expect(attempts).toEqual(['anthropic/claude-sonnet-4-5 by b']);
    expect(frames).toEqual(answer);
  });

  test('C7 an error in the first events is answered by a fallback', async () => {
    const { frames } = await run({ settings, fallbacks, plays: [failing('overloaded'), answer] });
    expect(frames).toEqual(answer);
  });

  test('C7 after the first content there is no fallback, and the outcome is recorded', async () => {
    const cut = new GatewayError('network', 'cut short');
    const { frames, error, attempts, recorded } = await run({ settings, fallbacks, plays: [[textFrame('he'), cut]] });
    expect(frames).toEqual([textFrame('he')]);
    expect(error).toBe(cut);
    expect(attempts).toHaveLength(1);
    expect(recorded[0]?.error).toBe('cut short');
  });

  test.each<ErrorKind>(['cancelled', 'timeout', 'budget'])('%s stops', async (kind) => {
    const { error, attempts } = await run({ settings, fallbacks, plays: [failing(kind)] });
    expect(error).toMatchObject({ kind });
    expect(attempts).toHaveLength(1);
  });

  test('a client that has gone gets none', async () => {
    const { attempts } = await run({
      settings,
      fallbacks,
      plays: [failing('overloaded')],
      signal: AbortSignal.abort(),
    });
    expect(attempts).toHaveLength(1);
  });
});

test('a provider that does not allow the operation is refused', async () => {
  const settings = {
    acme: {
      keys: keys('a'),
      network_config: { base_url: 'http://acme' },
      custom_provider_config: { base_provider_type: 'openai', allowed_requests: { chat_completion: true } },
    },
  };
  const { error } = await run({ settings, model: 'acme/x', plays: [] });
  expect(error).toMatchObject({
    kind: 'invalid-request',
    message: 'chat_completion_stream is not supported by provider "acme": its allowed_requests leave it out',
  });
});

test('an attempt without any frame is an error', async () => {
  const { error } = await run({ settings: { openai: { keys: keys('a') } }, plays: [[]] });
  expect(error).toMatchObject({ kind: 'bad-response' });
});

test('whoever leaves an answer ends the attempt', async () => {
  const script = scriptedCall([textFrame('a'), textFrame('b'), endFrame]);
  const router = createRouter({ providers: configured(oneKey), call: script.call });
  for await (const _frame of router(requestFor('openai/gpt-4o'), contextWith())) break;
  expect(script.ended).toEqual(['openai/gpt-4o by a']);
});
