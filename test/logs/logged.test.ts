import { describe, expect, test } from 'vitest';
import { logged } from '../../src/logs/logged.ts';
import type { ModelCallRecord } from '../../src/logs/record.ts';
import type { LogSink } from '../../src/logs/sink.ts';
import type { CallContext, ModelCall } from '../../src/model/call.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { Frame } from '../../src/model/event.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import {
  answering,
  chatBody,
  context,
  END,
  rawFrame,
  rawRequest,
  recordingSink,
  request,
  textOf,
  USAGE,
} from './samples.ts';

interface Run {
  readonly frames: Frame[];
  readonly record: ModelCallRecord;
  readonly thrown: unknown;
}

interface Given {
  readonly request?: Partial<ChatRequest>;
  readonly context?: Partial<CallContext>;
  readonly sink?: Partial<LogSink>;
  /** Stops reading after this many frames. */
  readonly leaveAfter?: number;
}

async function run(call: ModelCall, given: Given = {}): Promise<Run> {
  const sink = recordingSink(given.sink);
  const frames: Frame[] = [];
  let thrown: unknown;
  try {
    for await (const frame of logged(call, sink)(request(given.request), context(given.context))) {
      frames.push(frame);
      if (frames.length === given.leaveAfter) break;
    }
  } catch (error) {
    thrown = error;
  }
  const [record, ...more] = sink.calls;
  if (!record || more.length > 0) throw new Error(`${sink.calls.length} records of one call`);
  return { frames, record, thrown };
}

const failing = (error: unknown, ...frames: Frame[]): ModelCall =>
  async function* (given, { ...rest }) {
    yield* answering(...frames)(given, rest);
    throw error;
  };

describe('a logged call', () => {
  test('passes its frames on as they are and leaves one record', async () => {
    const frames = [rawFrame('part one '), rawFrame('part two', [END])];
    const { frames: seen, record } = await run(answering(...frames), { request: { stream: true } });
    expect(seen).toEqual(frames);
    expect(seen[0]).toBe(frames[0]);
    expect(record).toMatchObject({
      id: 'request-1',
      operation: 'chat_completion',
      provider: 'openai',
      model: 'gpt-4o',
      requestedModel: 'openai/gpt-4o',
      keyName: 'main',
      status: 'success',
      stream: true,
      usage: USAGE,
      costUsd: 0.12,
      stopReason: 'stop',
      retries: 0,
      fallbackIndex: 0,
      userAgent: 'test/1',
    });
    expect(record.firstTokenMs).toBeGreaterThanOrEqual(0);
    expect(record.latencyMs).toBeGreaterThanOrEqual(record.firstTokenMs ?? Number.NaN);
  });

  test('has no cost when its price is unknown, and none when its usage is', async () => {
    const unknownPrice = await run(answering(rawFrame('x', [END])), { sink: { costOf: () => undefined } });
    expect(unknownPrice.record.costUsd).toBeUndefined();
    const unknownUsage = await run(answering(rawFrame('x')));
    expect(unknownUsage.record).toMatchObject({ status: 'success', usage: undefined, costUsd: undefined });
  });

  test('that fails is an error with the reason, and the failure goes on', async () => {
    const error = new GatewayError('rate-limit', 'openai says slow down', { status: 429 });
    const { record, thrown } = await run(failing(error));
    expect(thrown).toBe(error);
    expect(record).toMatchObject({ status: 'error', error, costUsd: undefined });
  });

  test('that fails with something unforeseen is an internal error in the log', async () => {
    const { record, thrown } = await run(failing(new TypeError('boom')));
    expect(thrown).toBeInstanceOf(TypeError);
    expect(record.error).toMatchObject({ kind: 'internal' });
  });

  test('that its reader leaves is cancelled, and what came by then is kept', async () => {
    const { record } = await run(answering(rawFrame('one'), rawFrame('two', [END])), { leaveAfter: 1 });
    expect(record).toMatchObject({ status: 'cancelled', usage: undefined });
    expect(textOf(record.contents?.response)).toBe('one');
  });

  test('that its reader leaves after the last word is a success', async () => {
    const { record } = await run(answering(rawFrame('one', [END]), rawFrame('trailer')), { leaveAfter: 1 });
    expect(record.status).toBe('success');
  });

  test('whose client is gone is cancelled, whatever the upstream calls it', async () => {
    const aborted = AbortSignal.abort();
    const reset = new GatewayError('network', 'the connection to openai was reset');
    expect((await run(failing(reset), { context: { signal: aborted } })).record.status).toBe('cancelled');
    expect((await run(failing(new GatewayError('cancelled', 'the client left')))).record.status).toBe('cancelled');
  });

  test('knows the tokens of the prompt even if it is cut', async () => {
    const start: Frame = { events: [{ type: 'response-start', id: 'r', model: 'm', usage: { ...USAGE, output: 0 } }] };
    const { record } = await run(failing(new GatewayError('network', 'cut'), start));
    expect(record.usage).toEqual({ ...USAGE, output: 0 });
    expect(record.firstTokenMs).toBeUndefined();
  });

  test('names its last attempt, its retries there and the way to it', async () => {
    const attempt = (fallbackIndex: number, keyName: string, error?: string) => ({
      provider: fallbackIndex === 0 ? 'groq' : 'openai',
      model: 'gpt-4o',
      keyName,
      fallbackIndex,
      startedAtMs: 1,
      ...(error !== undefined && { error }),
    });
    const call: ModelCall = async function* (_request, { trace }) {
      trace.attempts.push(attempt(0, 'a', 'down'), attempt(1, 'b', 'slow'), attempt(1, 'c'));
      trace.losses.push({ field: 'top_k', action: 'dropped', reason: 'unknown there' });
      yield rawFrame('x', [END]);
    };
    const { record } = await run(call);
    expect(record).toMatchObject({ provider: 'openai', keyName: 'c', fallbackIndex: 1, retries: 1 });
    expect(record.attempts).toHaveLength(3);
    expect(record.losses).toHaveLength(1);
  });

  test('leaves out the attempts of the calls before it in the same trace', async () => {
    const shared = context();
    shared.trace.attempts.push({ provider: 'groq', model: 'm', keyName: 'k', fallbackIndex: 3, startedAtMs: 0 });
    const { record } = await run(answering(rawFrame('x', [END])), { context: shared });
    expect(record.attempts.map(({ provider }) => provider)).toEqual(['openai']);
  });

  test('that never reached a provider names what the client asked for', async () => {
    const call: ModelCall = () => {
      throw new GatewayError('not-found', 'no provider has this model');
    };
    const { record } = await run(call);
    expect(record).toMatchObject({ status: 'error', provider: undefined, model: 'openai/gpt-4o', keyName: undefined });
  });

  test('names the owner of the virtual key, never the key', async () => {
    const caller = { virtualKey: 'sk-bf-secret', forwardHeaders: {} };
    const { record } = await run(answering(rawFrame('x', [END])), {
      context: { caller },
      sink: { ownerOf: () => ({ id: 'vk-1', name: 'team blue' }) },
    });
    expect(record).toMatchObject({ virtualKeyId: 'vk-1', virtualKeyName: 'team blue' });
    expect(JSON.stringify(record)).not.toContain('sk-bf-secret');
  });
});

describe('the contents of a call', () => {
  test('are the bytes that travelled, which nobody parses', async () => {
    const raw = rawRequest(chatBody('héllo'));
    const { record } = await run(answering(rawFrame('a '), rawFrame('b '), rawFrame('c', [END])), {
      request: { raw, untouched: true },
    });
    expect(record.contents).toMatchObject({
      requestCodec: 'openai-chat',
      responseCodec: 'openai-chat',
      truncated: false,
    });
    expect(record.contents?.request).toBe(raw.bytes);
    expect(textOf(record.contents?.response)).toBe('a b c');
  });

  test('of one piece are that piece, not a copy', async () => {
    const frame = rawFrame('whole', [END]);
    const { record } = await run(answering(frame));
    expect(record.contents?.response).toMatchObject({ buffer: frame.raw?.bytes.buffer });
  });

  test('hold what the gateway put behind the client’s body', async () => {
    const appendedMessage = { role: 'assistant' as const, parts: [{ type: 'text' as const, text: 'from us' }] };
    const messages = [...request().messages, appendedMessage];
    const { record } = await run(answering(rawFrame('x', [END])), {
      request: { raw: rawRequest(chatBody('hi')), messages },
    });
    expect(textOf(record.contents?.request)).toBe(chatBody('hi'));
    expect(JSON.parse(record.contents?.appended ?? '')).toEqual({ messages: [appendedMessage], tools: [] });
  });

  test('are the gateway’s own form where there are no bytes, without the wire blocks beside it', async () => {
    const origin = { codec: 'anthropic-messages' as const, block: { type: 'text', text: 'hi there' } };
    const frame: Frame = {
      events: [
        { type: 'response-start', id: 'r', model: 'm' },
        { type: 'part-start', index: 0, part: { type: 'text', text: '' } },
        { type: 'part-delta', index: 0, delta: 'hi ' },
        { type: 'part-delta', index: 0, delta: 'there' },
        { type: 'part-end', index: 0, origin },
        END,
      ],
    };
    const { record } = await run(answering(frame));
    expect(record.contents).toMatchObject({ requestCodec: 'canonical', responseCodec: 'canonical' });
    expect(JSON.parse(textOf(record.contents?.request)).messages).toEqual(request().messages);
    expect(JSON.parse(textOf(record.contents?.response)).parts).toEqual([{ type: 'text', text: 'hi there' }]);
  });

  test('J1 are cut at the byte cap, never within a character', async () => {
    const { record } = await run(answering(rawFrame('12345é'), rawFrame('more', [END])), {
      request: { raw: rawRequest('x'.repeat(50)), untouched: true },
      sink: { maxContentBytes: 6 },
    });
    expect(record.contents?.truncated).toBe(true);
    expect(record.contents?.request).toHaveLength(6);
    expect(textOf(record.contents?.response)).toBe('12345m');
    expect(record.usage).toEqual(USAGE);
  });

  test('J1 of an endless stream take no more memory than the cap', async () => {
    const endless: ModelCall = async function* () {
      for (let index = 0; index < 500; index++) yield rawFrame('x'.repeat(100));
      yield rawFrame('', [END]);
    };
    const { record } = await run(endless, { sink: { maxContentBytes: 10_000 } });
    const response = record.contents?.response as Uint8Array;
    expect(response).toHaveLength(10_000);
    expect(response.buffer.byteLength).toBeLessThanOrEqual(10_000);
  });

  test('of a translated stream are cut too, and its end is still seen', async () => {
    const deltas = Array.from({ length: 100 }, () => ({
      type: 'part-delta' as const,
      index: 0,
      delta: 'x'.repeat(100),
    }));
    const frame: Frame = {
      events: [{ type: 'part-start', index: 0, part: { type: 'text', text: '' } }, ...deltas, END],
    };
    const { record } = await run(answering(frame), { sink: { maxContentBytes: 2_000 } });
    expect(record.contents?.truncated).toBe(true);
    expect(textOf(record.contents?.response).length).toBeLessThanOrEqual(2_000);
    expect(record.stopReason).toBe('stop');
  });

  test('are not even collected when they are switched off', async () => {
    const { record } = await run(answering(rawFrame('x', [END])), { sink: { keepsContentsOf: () => false } });
    expect(record.contents).toBeUndefined();
    expect(record.usage).toEqual(USAGE);
  });
});
