import type { ModelCallRecord, ToolRunRecord } from '../../src/logs/record.ts';
import type { LogSink } from '../../src/logs/sink.ts';
import type { CallContext, ModelCall } from '../../src/model/call.ts';
import { newTrace } from '../../src/model/call.ts';
import type { Frame, StreamEvent } from '../../src/model/event.ts';
import type { ChatRequest, RawRequest } from '../../src/model/request.ts';
import type { Usage } from '../../src/model/usage.ts';

export const USAGE: Usage = { input: 12, output: 5, cacheRead: 4, cacheWrite: 1, reasoning: 2 };

export const chatBody = (text: string): string =>
  JSON.stringify({ model: 'openai/gpt-4o', temperature: 0.5, messages: [{ role: 'user', content: text }] });

export const chatAnswer = (text: string): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
  });

export function request(given: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: 'openai/gpt-4o',
    stream: false,
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'hello' }] }],
    tools: [],
    settings: {},
    fallbacks: [],
    untouched: false,
    ...given,
  };
}

export function rawRequest(text: string): RawRequest {
  const bytes = Buffer.from(text);
  return {
    codec: 'openai-chat',
    bytes,
    withModel: () => bytes,
    has: () => false,
    member: () => undefined,
    get body(): never {
      throw new Error('the log must not parse a body');
    },
    messageCount: 1,
    toolCount: 0,
  };
}

export const context = (given: Partial<CallContext> = {}): CallContext => ({
  requestId: 'request-1',
  operation: 'chat_completion',
  dialect: 'openai-chat',
  caller: { forwardHeaders: {}, userAgent: 'test/1' },
  signal: new AbortController().signal,
  trace: newTrace(),
  startedAtMs: 0,
  ...given,
});

export const END: StreamEvent = {
  type: 'response-end',
  reason: { kind: 'stop', raw: { codec: 'openai-chat', word: 'stop' } },
  usage: USAGE,
};

export const rawFrame = (text: string, events: readonly StreamEvent[] = []): Frame => ({
  raw: { codec: 'openai-chat', bytes: Buffer.from(text) },
  events,
});

/** A call that tries one key and gives these frames. */
export const answering = (...frames: readonly Frame[]): ModelCall =>
  async function* (_request, { trace }) {
    trace.attempts.push({ provider: 'openai', model: 'gpt-4o', keyName: 'main', fallbackIndex: 0, startedAtMs: 1 });
    yield* frames;
  };

export interface RecordingSink extends LogSink {
  readonly calls: ModelCallRecord[];
  readonly toolRuns: ToolRunRecord[];
}

export function recordingSink(given: Partial<LogSink> = {}): RecordingSink {
  const calls: ModelCallRecord[] = [];
  const toolRuns: ToolRunRecord[] = [];
  return {
    keepsContentsOf: () => true,
    maxContentBytes: 1_000,
    costOf: (provider, model, { input }) => (provider === 'openai' && model === 'gpt-4o' ? input / 100 : undefined),
    ownerOf: () => undefined,
    recordCall: (record) => void calls.push(record),
    beginToolRun: () => {},
    recordToolRun: (record) => void toolRuns.push(record),
    ...given,
    calls,
    toolRuns,
  };
}

export const callRecord = (given: Partial<ModelCallRecord> = {}): ModelCallRecord => ({
  id: 'call-1',
  startedAtMs: 1_000,
  operation: 'chat_completion',
  provider: 'openai',
  model: 'gpt-4o',
  requestedModel: 'openai/gpt-4o',
  keyName: 'main',
  status: 'success',
  stream: false,
  latencyMs: 12.5,
  firstTokenMs: 10,
  usage: USAGE,
  costUsd: 0.25,
  stopReason: 'stop',
  retries: 0,
  fallbackIndex: 0,
  attempts: [],
  losses: [],
  ...given,
});

export const textOf = (value: Uint8Array | string | undefined): string =>
  typeof value === 'string' ? value : Buffer.from(value ?? []).toString();
