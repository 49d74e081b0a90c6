import type { FinishReason } from '../../model/event.ts';
import { type JsonObject, ownValue } from '../../model/json.ts';
import type { Writable } from '../../model/writable.ts';
import { CODEC, textOf } from './wire.ts';

const KINDS: Readonly<Record<string, FinishReason['kind']>> = {
  end_turn: 'stop',
  stop_sequence: 'stop-sequence',
  max_tokens: 'length',
  tool_use: 'tool-calls',
  refusal: 'refusal',
  pause_turn: 'pause',
  model_context_window_exceeded: 'context-exceeded',
};

/** Words for the endings that say more than "done": they stand even where the content would suggest another. */
const WORDS: Readonly<Record<Exclude<FinishReason['kind'], 'stop' | 'tool-calls' | 'other'>, string>> = {
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  refusal: 'refusal',
  pause: 'pause_turn',
  'context-exceeded': 'model_context_window_exceeded',
};

/** From `stop_reason` and `stop_sequence`, as a whole message or a message_delta holds them. */
export function finishReasonOf(delta: JsonObject): FinishReason {
  const word = textOf(delta.stop_reason);
  const reason: Writable<FinishReason> = { kind: ownValue(KINDS, word) ?? 'other' };
  if (word !== '') reason.raw = { codec: CODEC, word };
  if (typeof delta.stop_sequence === 'string') reason.stopSequence = delta.stop_sequence;
  return reason;
}

export interface StopFields {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/**
 * `tool_use` is said exactly when the client has a call to run, whatever word the provider used: clients that read
 * one without the other stop early or loop. An answer that was cut off keeps saying so.
 */
export function stopFieldsOf(reason: FinishReason, hasClientCall: boolean): StopFields {
  return { stop_reason: stopWord(reason, hasClientCall), stop_sequence: reason.stopSequence ?? null };
}

function stopWord(reason: FinishReason, hasClientCall: boolean): string {
  switch (reason.kind) {
    case 'stop':
    case 'tool-calls':
      return hasClientCall ? 'tool_use' : 'end_turn';
    case 'other':
      if (hasClientCall) return 'tool_use';
      return reason.raw?.codec === CODEC ? reason.raw.word : 'end_turn';
    default:
      return WORDS[reason.kind];
  }
}
