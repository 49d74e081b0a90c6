import type { CallContext, ModelCall } from '../model/call.ts';
import { newTrace } from '../model/call.ts';
import type { GatewayTurn, Message, Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { FinishReason, Frame, StreamEvent } from '../model/event.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest, FunctionTool } from '../model/request.ts';
import { appended } from '../model/request.ts';
import { addUsage, NO_USAGE, type Usage } from '../model/usage.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { PausedRuns, Settled } from './paused-runs.ts';
import { callsIn } from './returned-turn.ts';
import { eventsOfCalls, eventsOfResults, heldWithoutCalls } from './shown-events.ts';
import { type GatewayTools, newlyFound, type PausedRun, type RequestScope, runTools } from './tools.ts';
import type { TranscriptMemory } from './transcript-memory.ts';
import { PartNumbering, Turn } from './turn.ts';

export interface LoopOptions {
  readonly callModel: ModelCall;
  readonly tools: GatewayTools;
  /** Opens what a request brings along, in place of `tools`; undefined when it brings nothing. */
  readonly scopeOf?: (request: ChatRequest, context: CallContext) => (() => Promise<RequestScope>) | undefined;
  readonly memory: TranscriptMemory;
  readonly paused: PausedRuns;
  /** Rounds of tools, so at most one call of the model more than this. */
  readonly maxDepth: number;
  readonly maxParallelTools: number;
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
    const tools = options.tools.offered(restored, context);
    if (tools.length === 0) return options.callModel(restored, context);
    return run(options, { request: appended(restored, { tools }), offered: tools, opening: [] }, context);
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
  readonly opening: readonly Part[];
  /** Told once the first call of the model is under way, so that its log has them. */
  readonly losses?: readonly Loss[];
}

/** `n > 1` is several conversations at once; a loop over them has no meaning, so such a request keeps its own tools. */
const asksForSeveralAnswers = (request: ChatRequest): boolean => Number(request.raw?.body.n ?? 1) > 1;

/** Whose logins to MCP servers made the results: nobody else's conversation may be given them. */
const ownerOf = ({ caller }: CallContext): string => caller.virtualKey ?? caller.mcpSessionId ?? '';

async function* run(
  options: LoopOptions,
  { request: first, offered, opening, losses = [] }: Start,
  context: CallContext,
): AsyncGenerator<Frame> {
  const { tools, maxDepth } = options;
  const shows = options.showsTools(context);
  const ours = new Set(offered.map((tool) => tool.name).filter((name) => tools.runsByItself(name)));
  const numbering = new PartNumbering();
  const rounds: Message[] = [];
  let usage: Usage = NO_USAGE;
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
    const outcome = outcomeOf({
      parts: turn.parts,
      reason: turn.response.reason,
      ours,
      round,
      maxDepth,
    });
    if (outcome.type !== 'run-tools') {
      const last = { asked: first.messages.at(-1), turn, outcome, ours, usage, rounds, round, shows, numbering };
      for await (const events of ending(options, last, context)) yield { events };
      return;
    }
    const turnOf = (): GatewayTurn => ({ round, mixed: false });
    const before = heldWithoutCalls(turn, numbering, () => true);
    if (shows) before.push(...eventsOfCalls(outcome.calls, turnOf, numbering, tools));
    if (before.length > 0) yield { events: before };
    const { results, found, paused } = await runTools(outcome.calls, tools, turnContext, options.maxParallelTools);
    if (shows) yield { events: eventsOfResults(results, turnOf, numbering) };
    if (paused.length > 0) {
      const handed = heldCalls(options, paused, context);
      const last = { asked: first.messages.at(-1), turn, rounds, shows };
      rememberTurn(options, last, handed, results, context);
      const end: StreamEvent = { type: 'response-end', reason: { kind: 'tool-calls' }, usage };
      yield { events: [...handed.flatMap((call) => numbering.whole(call)), end] };
      return;
    }
    const messages: Message[] = [
      { role: 'assistant', parts: turn.parts },
      { role: 'tool', parts: results },
    ];
    rounds.push(...messages);
    const offer = newlyFound(found, request);
    for (const { name } of offer) if (tools.runsByItself(name)) ours.add(name);
    request = nextRequest(request, messages, offer, turnContext);
  }
}

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

interface LastTurn {
  /** What the client asked last. */
  readonly asked: Message | undefined;
  readonly turn: Turn;
  readonly outcome: Exclude<Outcome, { type: 'run-tools' }>;
  readonly ours: ReadonlySet<string>;
  readonly usage: Usage;
  readonly rounds: readonly Message[];
  readonly round: number;
  readonly shows: boolean;
  readonly numbering: PartNumbering;
}

/** The rest of the response once its last turn is over, batch by batch. */
async function* ending(
  options: LoopOptions,
  last: LastTurn,
  context: CallContext,
): AsyncGenerator<readonly StreamEvent[]> {
  const { turn, outcome, usage, numbering } = last;
  const { reason } = turn.response;
  const end = (finish: FinishReason): StreamEvent => ({
    type: 'response-end',
    reason: finish,
    usage,
    ...turn.saidAtEnd(last.round, context.dialect),
  });
  const asks = outcome.type === 'hand-back' && outcome.theirs.some((call) => isQuestion(call, options.tools));
  if (outcome.type !== 'hand-back' || (outcome.ours.length === 0 && !asks)) {
    rememberTurn(options, last, handedIn(last), [], context);
    // an answer that still holds calls was cut off: ours mean nothing to the client, its own it may judge by itself
    const dropped = (name: string) => outcome.type === 'answer' && last.ours.has(name);
    yield [...heldWithoutCalls(turn, numbering, dropped), end(reason)];
    return;
  }
  const places = callsIn({ role: 'assistant', parts: turn.parts }).map(({ id }) => id);
  const turnOf = (id: string): GatewayTurn => ({ round: last.round, mixed: true, place: places.indexOf(id) });
  const before = heldWithoutCalls(turn, numbering, () => true);
  if (last.shows) before.push(...eventsOfCalls(outcome.ours, turnOf, numbering, options.tools));
  if (before.length > 0) yield before;
  const { results, paused } = await runTools(outcome.ours, options.tools, context, options.maxParallelTools);
  const waiting = heldCalls(options, paused, context);
  rememberTurn(options, last, [...outcome.theirs, ...waiting], results, context);
  const ran = last.shows ? eventsOfResults(results, turnOf, numbering) : [];
  const handed = outcome.theirs.flatMap((call) => {
    const isTheirs = !isQuestion(call, options.tools);
    return isTheirs ? numbering.whole(call) : eventsOfCalls([call], turnOf, numbering, options.tools);
  });
  handed.push(...waiting.flatMap((call) => numbering.whole(call)));
  const hasCalls = waiting.length > 0 || outcome.theirs.some((call) => !isQuestion(call, options.tools));
  yield [...ran, ...handed, end({ kind: hasCalls ? 'tool-calls' : 'stop' })];
}

/** The calls that a client is given to run where the gateway runs none any more. */
const handedIn = ({ turn, outcome, ours }: LastTurn): readonly ToolCallPart[] => {
  const calls = callsIn({ role: 'assistant', parts: turn.parts });
  return outcome.type === 'answer' ? calls.filter(({ name }) => !ours.has(name)) : calls;
};

/** Whether the client is asked before the gateway runs a call. */
function isQuestion({ name }: ToolCallPart, tools: GatewayTools): boolean {
  const served = tools.servedAs?.(name);
  return served?.type === 'mcp' && served.approval?.type === 'asked';
}

/** The calls that runs wait for, kept until the client brings their results. */
function heldCalls({ paused }: LoopOptions, runs: readonly PausedRun[], context: CallContext): readonly ToolCallPart[] {
  for (const run of runs) paused.hold(ownerOf(context), run);
  return runs.flatMap(({ calls }) => calls);
}

/** Keeps what the client will not be shown but the model must see again when the client brings its own results. */
function rememberTurn(
  options: LoopOptions,
  { asked, turn, rounds, shows }: Pick<LastTurn, 'asked' | 'turn' | 'rounds' | 'shows'>,
  handed: readonly ToolCallPart[],
  results: readonly ToolResultPart[],
  context: CallContext,
): void {
  const isHidden = rounds.length > 0 || results.length > 0 || turn.parts.some(isHiddenFrom(context));
  if (shows || !isHidden) return;
  const transcript = { rounds, turn: { role: 'assistant', parts: turn.parts }, results } as const;
  options.memory.remember(ownerOf(context), asked, handed, transcript);
}

/** What a provider ran by itself, in words that the client's format does not have. */
const isHiddenFrom =
  ({ dialect }: CallContext) =>
  (part: Part): boolean =>
    part.type === 'opaque' && part.origin.codec !== dialect;

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
