import type { CallContext } from '../model/call.ts';
import type { GatewayTurn, ToolCallPart } from '../model/content.ts';
import type { Frame } from '../model/event.ts';
import type { DoneTurn } from './done-turn.ts';
import { eventsOfCalls, heldWithoutCalls } from './shown-events.ts';
import { type GatewayTools, type RanTools, runTools } from './tools.ts';

interface OurCalls {
  readonly calls: readonly ToolCallPart[];
  readonly turnOf: (callId: string) => GatewayTurn;
}

/**
 * Runs calls of a turn. Before they run the client gets what the model said behind its first call, and the calls where
 * it is shown them.
 */
export async function* announcedRun(
  { tools, maxParallelTools }: { readonly tools: GatewayTools; readonly maxParallelTools: number },
  { turn, numbering, shows }: DoneTurn,
  { calls, turnOf }: OurCalls,
  context: CallContext,
): AsyncGenerator<Frame, RanTools> {
  const before = heldWithoutCalls(turn, numbering, () => true);
  if (shows) before.push(...eventsOfCalls(calls, turnOf, numbering, tools));
  if (before.length > 0) yield { events: before };
  return runTools(calls, tools, context, maxParallelTools);
}
