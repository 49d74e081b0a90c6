import type { CallContext, ModelCall } from '../model/call.ts';
import { newTrace } from '../model/call.ts';
import type { EarlierEnd, GatewayTurn, Message, Part, ToolResultPart } from '../model/content.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest, FunctionTool } from '../model/request.ts';
import { appended } from '../model/request.ts';
import { addUsage, NO_USAGE, type Usage } from '../model/usage.ts';
import { type DoneTurn, type EndingOptions, ending, ownerOf, pausedEnding } from './ending.ts';
import { outcomeOf } from './outcome.ts';
import type { Settled } from './paused-runs.ts';
import { eventsOfCalls, eventsOfResults, heldWithoutCalls } from './shown-events.ts';
import { newlyFound, type Offer, type RequestScope, runTools } from './tools.ts';
import { PartNumbering, Turn } from './turn.ts';

export interface LoopOptions extends EndingOptions {
  readonly callModel: ModelCall;
  /** Opens what a request brings along, in place of `tools`; undefined when it brings nothing. */
  readonly scopeOf?: (request: ChatRequest, context: CallContext) => (() => Promise<RequestScope>) | undefined;
  /** Rounds of tools, so at most one call of the model more than this. */
  readonly maxDepth: number;
  /** Whether this client is shown what the gateway ran, in its dialect's own words. */
  readonly showsTools: (context: CallContext) => boolean;
  readonly newId: () => string;
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

interface Start {
  readonly request: ChatRequest;
  /** What of its tools the gateway put there; a client's own tool of the same name was never offered. */
  readonly offered: readonly FunctionTool[];
  /** What runs as well, as the model may have its name from an earlier turn or a search. */
  readonly callable?: readonly FunctionTool[] | undefined;
  readonly opening: readonly Part[];
  /** Told once the first call of the model is under way, so that its log has them. */
  readonly losses?: readonly Loss[];
}

/** `n > 1` is several conversations at once; a loop over them has no meaning, so such a request keeps its own tools. */
const asksForSeveralAnswers = (request: ChatRequest): boolean => Number(request.raw?.body.n ?? 1) > 1;

async function* run(
  options: LoopOptions,
  { request: first, offered, callable = [], opening, losses = [] }: Start,
  context: CallContext,
): AsyncGenerator<Frame> {
  const { tools, maxDepth } = options;
  const shows = options.showsTools(context);
  const given = [...offered, ...callable].map(({ name }) => name);
  const numbering = new PartNumbering();
  const rounds: Message[] = [];
  let usage: Usage = NO_USAGE;
  let earlier: readonly EarlierEnd[] = [];
  let request = first;
  for (let round = 0; ; round++) {
    const turn = new Turn();
    numbering.beginTurn();
    const turnContext = round === 0 ? context : childOf(context, options.newId());
    const frames = options.callModel(request, turnContext);
    if (round === 0) context.trace.losses.push(...losses);
    for await (const frame of frames) {
      const flowing = flowOf(frame.events, turn, numbering, round === 0 ? opening : undefined);
      if (flowing.length > 0) yield { events: flowing };
    }
    usage = addUsage(usage, turn.response.usage);
    // asked anew in each round, as an admin may have changed it meanwhile
    const ours = new Set(given.filter((name) => tools.runsByItself(name)));
    const done: DoneTurn = {
      asked: first.messages.at(-1),
      turn,
      ours,
      usage,
      rounds,
      round,
      earlier,
      shows,
      numbering,
    };
    const outcome = outcomeOf({ parts: turn.parts, reason: turn.response.reason, ours, round, maxDepth });
    if (outcome.type !== 'run-tools') {
      for await (const events of ending(options, done, outcome, context)) yield { events };
      return;
    }
    const turnOf = (): GatewayTurn => ({ round, mixed: false });
    const before = heldWithoutCalls(turn, numbering, () => true);
    if (shows) before.push(...eventsOfCalls(outcome.calls, turnOf, numbering, tools));
    if (before.length > 0) yield { events: before };
    const ran = await runTools(outcome.calls, tools, turnContext, options.maxParallelTools);
    if (shows) yield { events: eventsOfResults(ran.results, turnOf, numbering) };
    if (ran.paused.length > 0) {
      yield { events: pausedEnding(options, done, ran, context) };
      return;
    }
    const messages = messagesOf(turn, ran.results);
    rounds.push(...messages);
    earlier = turn.earlierEnds(earlier);
    const offer = newlyFound([...ran.found, ...(tools.appeared?.(request, context) ?? [])], request);
    given.push(...offer.map(({ name }) => name));
    request = nextRequest(request, messages, offer, turnContext);
  }
}

const messagesOf = ({ parts }: Turn, results: readonly ToolResultPart[]): Message[] => [
  { role: 'assistant', parts },
  { role: 'tool', parts: results },
];

/**
 * What of a frame may go to the client now. The client sees one response: one start, with `opening` behind it, which is
 * absent in later rounds, and the end only at the end.
 */
function flowOf(
  events: readonly StreamEvent[],
  turn: Turn,
  numbering: PartNumbering,
  opening: readonly Part[] | undefined,
): readonly StreamEvent[] {
  const flowing: StreamEvent[] = [];
  for (const event of events) {
    if (event.type === 'response-start' && opening) {
      flowing.push(event, ...opening.flatMap((part) => numbering.whole(part)));
    }
    if (turn.take(event)) flowing.push(numbering.renumbered(event));
  }
  return flowing;
}

/** Later rounds are calls of their own in the log, children of the request. */
const childOf = (context: CallContext, id: string): CallContext => ({
  ...context,
  requestId: id,
  parentId: context.requestId,
  trace: { ...newTrace(), ...(context.trace.raw && { raw: context.trace.raw }) },
});

/**
 * The next round's request: a forced tool choice is relaxed, or the model could never answer; and a fallback that
 * answered keeps the conversation, because its ids and reasoning mean nothing to the target that failed.
 */
function nextRequest(
  request: ChatRequest,
  messages: readonly Message[],
  tools: readonly FunctionTool[],
  { trace }: CallContext,
): ChatRequest {
  const forced = request.toolChoice?.type === 'required' || request.toolChoice?.type === 'tool';
  const next = appended(request, { messages, tools, ...(forced && { toolChoice: { type: 'auto' } as const }) });
  const answered = trace.attempts.at(-1);
  if (!answered || answered.fallbackIndex === 0) return next;
  return { ...next, model: `${answered.provider}/${answered.model}` };
}
