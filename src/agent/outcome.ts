import type { Part, ToolCallPart } from '../model/content.ts';
import type { FinishReason } from '../model/event.ts';

/** What a finished turn of the model means; the loop only switches on it. */
export type Outcome =
  /** Nothing for anybody to run, or cut off before its calls were whole: the response is the answer. */
  | { readonly type: 'answer' }
  /** Every call is ours and may run by itself. */
  | { readonly type: 'run-tools'; readonly calls: readonly ToolCallPart[] }
  /** Some calls are not ours to run: run `ours`, hand `theirs` to the client. */
  | { readonly type: 'hand-back'; readonly ours: readonly ToolCallPart[]; readonly theirs: readonly ToolCallPart[] }
  /** All calls are ours, but the loop has gone round often enough: the client gets them as they are. */
  | { readonly type: 'depth-reached'; readonly calls: readonly ToolCallPart[] };

export interface TurnFacts {
  readonly parts: readonly Part[];
  readonly reason: FinishReason;
  /** Names of the gateway's tools that run without asking. */
  readonly ours: ReadonlySet<string>;
  /** Rounds of tools already run. */
  readonly round: number;
  readonly maxDepth: number;
}

export function outcomeOf({ parts, reason, ours, round, maxDepth }: TurnFacts): Outcome {
  const calls = parts.filter((part): part is ToolCallPart => part.type === 'tool-call' && part.owner !== 'provider');
  if (calls.length === 0 || reason.kind === 'length' || reason.kind === 'refusal') return { type: 'answer' };
  const mine = calls.filter((call) => ours.has(call.name));
  const theirs = calls.filter((call) => !ours.has(call.name));
  if (mine.length > 0 && round >= maxDepth) {
    return theirs.length > 0 ? { type: 'hand-back', ours: [], theirs: calls } : { type: 'depth-reached', calls };
  }
  if (theirs.length === 0) return { type: 'run-tools', calls: mine };
  return { type: 'hand-back', ours: mine, theirs };
}
