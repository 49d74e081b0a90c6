import { plainCallId } from '../model/call-ids.ts';
import type { Message, Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import { inputDigest } from '../vault/state.ts';

/** What happened inside a run before its open calls went to the client, as messages the model has seen. */
export interface Transcript {
  /** Whole rounds that came before the last turn. */
  readonly rounds: readonly Message[];
  /** The last turn as the model wrote it, with our calls and the client's. */
  readonly turn: Message;
  /** Results of our calls in that turn. */
  readonly results: readonly ToolResultPart[];
}

export const callsIn = ({ parts }: Message): ToolCallPart[] =>
  parts.filter((part): part is ToolCallPart => part.type === 'tool-call' && part.owner !== 'provider');

/**
 * The turn as the model wrote it, with what the client made of its own calls since: under the ids that its results
 * name, with arguments that it changed, and without the calls that it dropped.
 */
export function asTheClientHasIt({ turn, results }: Transcript, shown: Message): Message {
  const ours = new Set(results.map(({ callId }) => callId));
  const brought = callsIn(shown);
  const parts = turn.parts.flatMap((part): Part[] => {
    if (part.type !== 'tool-call' || part.owner === 'provider' || ours.has(part.id)) return [part];
    const at = placeOf(part, brought);
    const [call] = at < 0 ? [] : brought.splice(at, 1);
    return call ? [returned(part, call)] : [];
  });
  return { role: turn.role, parts };
}

/** By id; a client of Gemini may leave ids away, and then by what the call says. */
function placeOf(call: ToolCallPart, brought: readonly ToolCallPart[]): number {
  const id = plainCallId(call.id);
  const byId = brought.findIndex((one) => one.name === call.name && plainCallId(one.id) === id);
  if (byId >= 0) return byId;
  const input = inputDigest(call.input);
  return brought.findIndex((one) => one.name === call.name && inputDigest(one.input) === input);
}

/** A signature holds for what was signed: a changed call goes without. */
function returned(call: ToolCallPart, { id, input }: ToolCallPart): ToolCallPart {
  if (inputDigest(call.input) === inputDigest(input)) return id === call.id ? call : { ...call, id };
  return { type: 'tool-call', id, name: call.name, input };
}
