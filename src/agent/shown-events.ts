import type { GatewayTurn, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';
import type { GatewayTools } from './tools.ts';
import type { PartNumbering, Turn } from './turn.ts';

/** Held events but for the tool calls that `dropped` names: text that the model wrote behind its first call stays. */
export function heldWithoutCalls(
  { held }: Turn,
  numbering: PartNumbering,
  dropped: (name: string) => boolean,
): StreamEvent[] {
  const left = new Set<number>();
  const kept: StreamEvent[] = [];
  for (const event of held) {
    if (event.type === 'part-start' && event.part.type === 'tool-call' && dropped(event.part.name))
      left.add(event.index);
    if ('index' in event && left.has(event.index)) continue;
    kept.push(numbering.renumbered(event));
  }
  return kept;
}

/** Our calls as the client is shown them: whole, and before they run, so that it sees what takes the time. */
export const eventsOfCalls = (
  calls: readonly ToolCallPart[],
  turnOf: (callId: string) => GatewayTurn,
  numbering: PartNumbering,
  tools: GatewayTools,
): StreamEvent[] =>
  calls.flatMap(({ id, name, input }) => {
    const served = tools.servedAs?.(name);
    const part = { type: 'tool-call', id, name, input, owner: 'gateway', turn: turnOf(id) } as const;
    return numbering.whole({ ...part, ...(served && { served }) });
  });

export const eventsOfResults = (
  results: readonly ToolResultPart[],
  turnOf: (callId: string) => GatewayTurn,
  numbering: PartNumbering,
): StreamEvent[] =>
  results.flatMap((result) => numbering.whole({ ...result, owner: 'gateway', turn: turnOf(result.callId) }));
