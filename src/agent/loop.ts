import type { CallContext, ModelCall } from '../model/call.ts';
import type { Frame } from '../model/event.ts';
import type { ChatRequest } from '../model/request.ts';
import { appended } from '../model/request.ts';
import { NO_USAGE } from '../model/usage.ts';
import { ownerOf } from './ending.ts';
import type { Settled } from './paused-runs.ts';
import { type RunOptions, run, type Start } from './run.ts';
import type { Offer, RequestScope } from './tools.ts';
import { PartNumbering } from './turn.ts';

export interface LoopOptions extends RunOptions {
  /** Opens what a request brings along, in place of `tools`; undefined when it brings nothing. */
  readonly scopeOf?: (request: ChatRequest, context: CallContext) => (() => Promise<RequestScope>) | undefined;
}

/**
 * The agent loop: appends the gateway's tools to the request, runs those that the model calls, and goes round until
 * there is an answer. Without a tool to offer it steps aside, and the request passes untouched.
 */
export function agentLoop(options: LoopOptions): ModelCall {
  const turnsOf: ModelCall = (restored, context) => {
    const scope = options.scopeOf?.(restored, context);
    if (scope) return scopedRun(options, scope, context);
    if (!options.tools.any(context) || asksForSeveralAnswers(restored)) return options.callModel(restored, context);
    const offered = options.tools.offered(restored, context);
    const fewer = options.tools.fewer?.(restored, offered, context);
    if (fewer) return fewerRun(options, restored, { ...fewer, callable: offered }, context);
    if (offered.length === 0) return options.callModel(restored, context);
    return run(options, { request: appended(restored, { tools: offered }), offered, opening: [] }, context);
  };
  return (request, context) => {
    const owner = ownerOf(context);
    const restored = options.memory.restore(owner, request);
    const settle = options.paused.settling(owner, restored);
    return settle ? resumedRun(options, settle, turnsOf, context) : turnsOf(restored, context);
  };
}

/** Paused runs go on first. One that pauses again is the whole answer: the model has nothing to say yet. */
async function* resumedRun(
  { newId }: LoopOptions,
  settle: (context: CallContext) => Promise<Settled>,
  turnsOf: ModelCall,
  context: CallContext,
): AsyncGenerator<Frame> {
  const { request, calls } = await settle(context);
  if (calls.length === 0) {
    yield* turnsOf(request, context);
    return;
  }
  const numbering = new PartNumbering();
  yield {
    events: [
      { type: 'response-start', id: newId(), model: request.model },
      ...calls.flatMap((call) => numbering.whole(call)),
      { type: 'response-end', reason: { kind: 'tool-calls' }, usage: NO_USAGE },
    ],
  };
}

/** What all tools are too many for; also where they are in any form. */
function fewerRun(
  options: LoopOptions,
  request: ChatRequest,
  { tools, offered, callable, losses }: Offer & Pick<Start, 'callable'>,
  context: CallContext,
): AsyncIterable<Frame> {
  const start = { request: appended(request, { tools: offered }), offered, callable, opening: [], losses };
  return run({ ...options, tools }, start, context);
}

/** A client that names servers by itself knows the words for what they did, and is always shown it. */
async function* scopedRun(
  options: LoopOptions,
  open: () => Promise<RequestScope>,
  context: CallContext,
): AsyncGenerator<Frame> {
  const { request, tools, opening, losses } = await open();
  const offered = tools.offered(request, context);
  const start = { request: appended(request, { tools: offered }), offered, opening, losses };
  yield* run({ ...options, tools, showsTools: () => true }, start, context);
}

/** `n > 1` is several conversations at once; a loop over them has no meaning, so such a request keeps its own tools. */
const asksForSeveralAnswers = (request: ChatRequest): boolean => Number(request.raw?.body.n ?? 1) > 1;
