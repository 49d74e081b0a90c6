import type { CallContext, ModelCall } from '../model/call.ts';
import { newTrace } from '../model/call.ts';
import type { GatewayTurn, Part } from '../model/content.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest, FunctionTool } from '../model/request.ts';
import { announcedRun } from './announced-run.ts';
import { type EndingOptions, ending, pausedEnding } from './ending.ts';
import { outcomeOf } from './outcome.ts';
import { Progress } from './progress.ts';
import { eventsOfResults } from './shown-events.ts';
import { type PartNumbering, Turn } from './turn.ts';

export interface RunOptions extends EndingOptions {
  readonly callModel: ModelCall;
  /** Rounds of tools, so at most one call of the model more than this. */
  readonly maxDepth: number;
  /** Whether this client is shown what the gateway ran, in its dialect's own words. */
  readonly showsTools: (context: CallContext) => boolean;
  readonly newId: () => string;
}

export interface Start {
  readonly request: ChatRequest;
  /** What of its tools the gateway put there; a client's own tool of the same name was never offered. */
  readonly offered: readonly FunctionTool[];
  /** What runs as well, as the model may have its name from an earlier turn or a search. */
  readonly callable?: readonly FunctionTool[] | undefined;
  readonly opening: readonly Part[];
  /** Told once the first call of the model is under way, so that its log has them. */
  readonly losses?: readonly Loss[];
}

/** Goes round over the model and the gateway's tools until there is an answer, or the client has to act. */
export async function* run(options: RunOptions, start: Start, context: CallContext): AsyncGenerator<Frame> {
  const { request, offered, callable = [], opening, losses = [] } = start;
  const { tools, maxDepth } = options;
  const progress = new Progress(request, [...offered, ...callable], options.showsTools(context));
  const { numbering } = progress;
  for (let round = 0; ; round++) {
    const turn = new Turn();
    numbering.beginTurn();
    const turnContext = round === 0 ? context : childOf(context, options.newId());
    const frames = options.callModel(progress.request, turnContext);
    if (round === 0) context.trace.losses.push(...losses);
    for await (const frame of frames) {
      const flowing = flowOf(frame.events, turn, numbering, round === 0 ? opening : undefined);
      if (flowing.length > 0) yield { events: flowing };
    }
    const done = progress.afterTurn(turn, tools);
    const outcome = outcomeOf({ parts: turn.parts, reason: turn.response.reason, ours: done.ours, round, maxDepth });
    if (outcome.type !== 'run-tools') {
      yield* ending(options, done, outcome, context);
      return;
    }
    const turnOf = (): GatewayTurn => ({ round, mixed: false });
    const ran = yield* announcedRun(options, done, { calls: outcome.calls, turnOf }, turnContext);
    const shown = done.shows ? eventsOfResults(ran.results, turnOf, numbering) : [];
    if (ran.paused.length > 0) {
      yield { events: [...shown, ...pausedEnding(options, done, ran, context)] };
      return;
    }
    if (shown.length > 0) yield { events: shown };
    const appeared = tools.appeared?.(progress.request, context) ?? [];
    progress.afterTools(turn, { ...ran, found: [...ran.found, ...appeared] }, turnContext);
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

/** Later rounds are calls of their own in the log, children of the request. */
const childOf = (context: CallContext, id: string): CallContext => ({
  ...context,
  requestId: id,
  parentId: context.requestId,
  trace: { ...newTrace(), ...(context.trace.raw && { raw: context.trace.raw }) },
});
