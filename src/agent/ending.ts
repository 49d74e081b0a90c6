import type { CallContext } from '../model/call.ts';
import type { GatewayTurn, Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { FinishReason, Frame, StreamEvent } from '../model/event.ts';
import { announcedRun } from './announced-run.ts';
import type { DoneTurn } from './done-turn.ts';
import type { Outcome } from './outcome.ts';
import type { PausedRuns } from './paused-runs.ts';
import { callsIn } from './returned-turn.ts';
import { eventsOfCalls, eventsOfResults, heldWithoutCalls } from './shown-events.ts';
import type { GatewayTools, PausedRun, RanTools } from './tools.ts';
import type { TranscriptMemory } from './transcript-memory.ts';

/** What an ending needs of the loop. */
export interface EndingOptions {
  readonly tools: GatewayTools;
  readonly memory: TranscriptMemory;
  readonly paused: PausedRuns;
  readonly maxParallelTools: number;
}

type LastOutcome = Exclude<Outcome, { type: 'run-tools' }>;
type HandBack = Extract<Outcome, { type: 'hand-back' }>;

/** The rest of the response once its last turn is over. */
export async function* ending(
  options: EndingOptions,
  last: DoneTurn,
  outcome: LastOutcome,
  context: CallContext,
): AsyncGenerator<Frame> {
  const { turn, numbering, ours } = last;
  const asks = outcome.type === 'hand-back' && outcome.theirs.some((call) => isQuestion(call, options.tools));
  if (outcome.type === 'hand-back' && (outcome.ours.length > 0 || asks)) {
    yield* mixedEnding(options, last, outcome, context);
    return;
  }
  rememberTurn(options, last, handedIn(last, outcome), [], context);
  // an answer that still holds calls was cut off: ours mean nothing to the client, its own it may judge by itself
  const dropped = (name: string) => outcome.type === 'answer' && ours.has(name);
  yield { events: [...heldWithoutCalls(turn, numbering, dropped), endOf(last, turn.response.reason, context)] };
}

/** The end of a turn with calls of the gateway's and of the client's: ours run, its own are handed to it. */
async function* mixedEnding(
  options: EndingOptions,
  last: DoneTurn,
  { ours, theirs }: HandBack,
  context: CallContext,
): AsyncGenerator<Frame> {
  const { turn, round, shows, numbering } = last;
  const { tools } = options;
  const places = callsIn({ role: 'assistant', parts: turn.parts }).map(({ id }) => id);
  const turnOf = (id: string): GatewayTurn => ({ round, mixed: true, place: places.indexOf(id) });
  const { results, paused } = yield* announcedRun(options, last, { calls: ours, turnOf }, context);
  const waiting = heldCalls(options, paused, context);
  rememberTurn(options, last, [...theirs, ...waiting], results, context);
  const ran = shows ? eventsOfResults(results, turnOf, numbering) : [];
  const handed = theirs.flatMap((call) =>
    isQuestion(call, tools) ? eventsOfCalls([call], turnOf, numbering, tools) : numbering.whole(call),
  );
  handed.push(...waiting.flatMap((call) => numbering.whole(call)));
  const hasCalls = waiting.length > 0 || theirs.some((call) => !isQuestion(call, tools));
  yield { events: [...ran, ...handed, endOf(last, { kind: hasCalls ? 'tool-calls' : 'stop' }, context)] };
}

const endOf = (
  { turn, round, earlier, usage }: DoneTurn,
  reason: FinishReason,
  { dialect }: CallContext,
): StreamEvent => ({
  type: 'response-end',
  reason,
  usage,
  ...turn.saidAtEnd(round, dialect, earlier),
});

/** The end of a response whose runs wait for calls that the client is handed. */
export function pausedEnding(
  options: EndingOptions,
  last: DoneTurn,
  { results, paused }: RanTools,
  context: CallContext,
): readonly StreamEvent[] {
  const { usage, numbering } = last;
  const handed = heldCalls(options, paused, context);
  rememberTurn(options, last, handed, results, context);
  const end: StreamEvent = { type: 'response-end', reason: { kind: 'tool-calls' }, usage };
  return [...handed.flatMap((call) => numbering.whole(call)), end];
}

/** Whose logins to MCP servers made the results: nobody else's conversation may be given them. */
export const ownerOf = ({ caller }: CallContext): string => caller.virtualKey ?? caller.mcpSessionId ?? '';

/** The calls that a client is given to run where the gateway runs none any more. */
const handedIn = ({ turn, ours }: DoneTurn, { type }: LastOutcome): readonly ToolCallPart[] => {
  const calls = callsIn({ role: 'assistant', parts: turn.parts });
  return type === 'answer' ? calls.filter(({ name }) => !ours.has(name)) : calls;
};

/** Whether the client is asked before the gateway runs a call. */
function isQuestion({ name }: ToolCallPart, tools: GatewayTools): boolean {
  const served = tools.servedAs?.(name);
  return served?.type === 'mcp' && served.approval?.type === 'asked';
}

/** The calls that runs wait for, kept until the client brings their results. */
function heldCalls(
  { paused }: EndingOptions,
  runs: readonly PausedRun[],
  context: CallContext,
): readonly ToolCallPart[] {
  for (const run of runs) paused.hold(ownerOf(context), run);
  return runs.flatMap(({ calls }) => calls);
}

/** Keeps what the client will not be shown but the model must see again when the client brings its own results. */
function rememberTurn(
  { memory }: EndingOptions,
  { asked, turn, rounds, shows }: DoneTurn,
  handed: readonly ToolCallPart[],
  results: readonly ToolResultPart[],
  context: CallContext,
): void {
  const isHidden = rounds.length > 0 || results.length > 0 || turn.parts.some(isHiddenFrom(context));
  if (shows || !isHidden) return;
  const transcript = { rounds, turn: { role: 'assistant', parts: turn.parts }, results } as const;
  memory.remember(ownerOf(context), asked, handed, transcript);
}

/** What a provider ran by itself, in words that the client's format does not have. */
const isHiddenFrom =
  ({ dialect }: CallContext) =>
  (part: Part): boolean =>
    part.type === 'opaque' && part.origin.codec !== dialect;
