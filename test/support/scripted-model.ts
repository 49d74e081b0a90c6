import type { CallContext, ModelCall } from '../../src/model/call.ts';
import { newTrace } from '../../src/model/call.ts';
import type { Origin, Part } from '../../src/model/content.ts';
import type { FinishReason, Frame, StreamEvent } from '../../src/model/event.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import type { Usage } from '../../src/model/usage.ts';

/** One answer of the scripted model: its parts (text streams in two deltas), or an error, or whole frames. */
export interface Step {
  readonly parts?: readonly Part[];
  readonly reason?: FinishReason['kind'];
  readonly usage?: Partial<Usage>;
  readonly error?: Error;
  /** What the provider says at the end of its answer. */
  readonly endOrigin?: Origin;
  /** The model that answered, when it was a fallback. */
  readonly fallback?: { readonly provider: string; readonly model: string };
}

/** A model that plays a script. It fails on a call nobody scripted; `done()` fails on a step nobody used. */
export class ScriptedModel {
  readonly requests: ChatRequest[] = [];
  readonly contexts: CallContext[] = [];
  readonly #steps: Step[];

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  readonly call: ModelCall = (request, context) => {
    const step = this.#steps[this.requests.length];
    this.requests.push(request);
    this.contexts.push(context);
    if (!step)
      throw new Error(`the scripted model was called ${this.requests.length} times, more than its script says`);
    return framesOf(step, this.requests.length, context);
  };

  done(): void {
    if (this.requests.length < this.#steps.length) {
      throw new Error(`the script has ${this.#steps.length} steps, only ${this.requests.length} were used`);
    }
  }
}

async function* framesOf(step: Step, number: number, context: CallContext): AsyncGenerator<Frame> {
  const answered = step.fallback ?? { provider: 'scripted', model: 'm' };
  context.trace.attempts.push({ ...answered, keyName: 'k', fallbackIndex: step.fallback ? 1 : 0, startedAtMs: 0 });
  yield { events: [{ type: 'response-start', id: `response-${number}`, model: 'scripted' }] };
  for (const [index, part] of (step.parts ?? []).entries()) {
    for (const event of eventsOfPart(part, index)) yield { events: [event] };
  }
  if (step.error) throw step.error;
  const calls = (step.parts ?? []).some((part) => part.type === 'tool-call');
  const usage: Usage = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, reasoning: 0, ...step.usage };
  const reason = { kind: step.reason ?? (calls ? 'tool-calls' : 'stop') } as const;
  yield { events: [{ type: 'response-end', reason, usage, ...(step.endOrigin && { origin: step.endOrigin }) }] };
}

function eventsOfPart(part: Part, index: number): StreamEvent[] {
  if (part.type === 'text' || part.type === 'reasoning') {
    const half = Math.ceil(part.text.length / 2);
    return [
      { type: 'part-start', index, part: { ...part, text: '' } },
      { type: 'part-delta', index, delta: part.text.slice(0, half) },
      { type: 'part-delta', index, delta: part.text.slice(half) },
      { type: 'part-end', index },
    ];
  }
  if (part.type === 'tool-call') {
    return [
      { type: 'part-start', index, part: { ...part, input: '' } },
      { type: 'part-delta', index, delta: part.input },
      { type: 'part-end', index },
    ];
  }
  return [
    { type: 'part-start', index, part },
    { type: 'part-end', index },
  ];
}

export const text = (value: string): Part => ({ type: 'text', text: value });
export const call = (id: string, name: string, input = '{}'): Part => ({ type: 'tool-call', id, name, input });

export const contextFor = (overrides: Partial<CallContext> = {}): CallContext => ({
  requestId: 'request-1',
  operation: 'chat_completion',
  dialect: 'openai-chat',
  caller: { forwardHeaders: {} },
  signal: new AbortController().signal,
  trace: newTrace(),
  startedAtMs: 0,
  ...overrides,
});

export const requestFor = (overrides: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'scripted/m',
  stream: true,
  fallbacks: [],
  messages: [{ role: 'user', parts: [text('hello')] }],
  tools: [],
  settings: {},
  untouched: true,
  ...overrides,
});
