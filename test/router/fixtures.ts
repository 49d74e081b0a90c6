import { provider as providerSchema } from '../../src/config/provider-section.ts';
import { type CallContext, newTrace } from '../../src/model/call.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { Frame } from '../../src/model/event.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { NO_USAGE } from '../../src/model/usage.ts';
import type { ProviderCall } from '../../src/providers/call.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { createProviders } from '../../src/providers/registry.ts';
import type { CallTarget } from '../../src/providers/target.ts';

/** Configured providers; each value is what stands under its name in config.json. */
export function configured(settings: Record<string, unknown>): ReadonlyMap<string, Provider> {
  const config = Object.entries(settings).map(([name, value]) => [name, providerSchema.parse(value)]);
  return createProviders(Object.fromEntries(config)).byName;
}

/** Keys `names`, each with a value and open for every model. */
export const keys = (...names: readonly string[]) =>
  names.map((name) => ({ name, value: `sk-${name}`, models: ['*'] }));

export const contextWith = (signal = new AbortController().signal): CallContext => ({
  requestId: 'r1',
  operation: 'chat_completion',
  dialect: 'openai-chat',
  caller: { forwardHeaders: {} },
  signal,
  trace: newTrace(),
  startedAtMs: 0,
});

export const requestFor = (model: string, fallbacks: readonly string[] = []): ChatRequest => ({
  model,
  stream: true,
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  tools: [],
  settings: {},
  fallbacks,
  untouched: true,
});

export const textFrame = (text: string): Frame => ({
  events: [{ type: 'part-start', index: 0, part: { type: 'text', text } }],
});

export const endFrame: Frame = { events: [{ type: 'response-end', reason: { kind: 'stop' }, usage: NO_USAGE }] };

/** What one attempt does: frames in order, and an error behind them if it is last. */
export type Play = readonly (Frame | GatewayError)[];

export interface ScriptedCall {
  readonly call: ProviderCall;
  /** `provider/model by key` of each attempt. */
  readonly attempts: string[];
  /** Attempts whose frames were left or read to their end. */
  readonly ended: string[];
  /** Throws when a play was not asked for. */
  finish(): void;
}

/** A provider call that plays one script for each attempt, and fails on an attempt too many. */
export function scriptedCall(...plays: readonly Play[]): ScriptedCall {
  const waiting = [...plays];
  const attempts: string[] = [];
  const ended: string[] = [];
  async function* call({ provider, key, model }: CallTarget): AsyncGenerator<Frame> {
    const name = `${provider.name}/${model} by ${key.name}`;
    attempts.push(name);
    const play = waiting.shift();
    if (!play) throw new GatewayError('internal', `an attempt too many: ${name}`);
    try {
      for (const step of play) {
        if (step instanceof GatewayError) throw step;
        yield step;
      }
    } finally {
      ended.push(name);
    }
  }
  const finish = () => {
    if (waiting.length > 0) throw new Error(`${waiting.length} plays were not asked for`);
  };
  return { call, attempts, ended, finish };
}
