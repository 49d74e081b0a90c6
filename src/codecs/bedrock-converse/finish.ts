import type { FinishReason } from '../../model/event.ts';
import { type JsonObject, ownValue } from '../../model/json.ts';
import type { Writable } from '../../model/writable.ts';
import { CODEC, objectOf, textOf } from './wire.ts';

const KINDS: Readonly<Record<string, FinishReason['kind']>> = {
  end_turn: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  stop_sequence: 'stop-sequence',
  guardrail_intervened: 'refusal',
  content_filtered: 'refusal',
  model_context_window_exceeded: 'context-exceeded',
};

const WORDS: Readonly<Record<Exclude<FinishReason['kind'], 'stop' | 'tool-calls' | 'other'>, string>> = {
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  refusal: 'content_filtered',
  // Bedrock has no word for a turn that pauses: what it says must be continued
  pause: 'end_turn',
  'context-exceeded': 'model_context_window_exceeded',
};

/** From `stopReason` and what the model itself adds, as a whole answer or a messageStop holds them. */
export function finishReasonOf(ending: JsonObject): FinishReason {
  const word = textOf(ending.stopReason);
  const { stop_sequence: sequence } = objectOf(ending.additionalModelResponseFields);
  const reason: Writable<FinishReason> = { kind: ownValue(KINDS, word) ?? 'other' };
  if (word !== '') reason.raw = { codec: CODEC, word };
  if (typeof sequence === 'string') reason.stopSequence = sequence;
  return reason;
}

/** `tool_use` is said exactly when the client has a call to run, whatever word the provider used. */
export function stopReasonOf({ kind, raw }: FinishReason, hasClientCall: boolean): string {
  const own = raw?.codec === CODEC ? raw.word : undefined;
  switch (kind) {
    case 'stop':
    case 'tool-calls':
      return hasClientCall ? 'tool_use' : 'end_turn';
    case 'other':
      return hasClientCall ? 'tool_use' : (own ?? 'end_turn');
    default:
      return own ?? WORDS[kind];
  }
}
