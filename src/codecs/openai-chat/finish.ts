import { GatewayError } from '../../model/errors.ts';
import type { FinishReason } from '../../model/event.ts';
import { ownValue } from '../../model/json.ts';

/** OpenAI's own words and those of clones: Together `eos`, Mistral `model_length`, Z.AI `sensitive`, Claude behind proxies. */
const KIND_OF_WORD: Readonly<Record<string, FinishReason['kind']>> = {
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  tool_calls: 'tool-calls',
  tool_use: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'refusal',
  sensitive: 'refusal',
  refusal: 'refusal',
};

/** Words that say the provider gave up half-way: OpenRouter, DeepSeek, Z.AI. */
const FAILURES: ReadonlySet<string> = new Set(['error', 'insufficient_system_resource', 'network_error']);

/** What the answer held, which tells more than the word: clones say `stop` although there are calls, and the reverse. */
export interface Held {
  readonly calls: boolean;
  readonly refusal: boolean;
}

/** Why an answer ended. Throws GatewayError('overloaded') when the word says that it failed. */
export function reasonOf(word: string, held: Held): FinishReason {
  if (FAILURES.has(word)) {
    throw new GatewayError('overloaded', `the provider broke off its answer (finish_reason "${word}"); try again`);
  }
  const kind = kindOf(word, held);
  return word === '' ? { kind } : { kind, raw: { codec: 'openai-chat', word } };
}

function kindOf(word: string, held: Held): FinishReason['kind'] {
  const said = word === '' ? 'stop' : (ownValue(KIND_OF_WORD, word) ?? 'other');
  if (held.calls && (said === 'stop' || said === 'other')) return 'tool-calls';
  if (held.refusal && said === 'stop') return 'refusal';
  if (!held.calls && said === 'tool-calls') return 'stop';
  return said;
}

const WORD_OF_KIND: Readonly<Record<FinishReason['kind'], string>> = {
  stop: 'stop',
  'stop-sequence': 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  refusal: 'content_filter',
  pause: 'stop',
  'context-exceeded': 'length',
  other: 'stop',
};

const STANDARD: ReadonlySet<string> = new Set(['stop', 'length', 'content_filter', 'function_call']);

/** `finish_reason` for a client that is shown calls, in the older form or the newer one, or is shown none. */
export function finishWord(reason: FinishReason, shows: 'older-call' | 'calls' | 'none'): string {
  const own = reason.raw?.codec === 'openai-chat' ? reason.raw.word : '';
  const cut = reason.kind === 'length' || reason.kind === 'refusal' || reason.kind === 'context-exceeded';
  if (shows !== 'none' && !cut) return shows === 'older-call' ? 'function_call' : 'tool_calls';
  if (own !== 'function_call' && STANDARD.has(own)) return own;
  return reason.kind === 'tool-calls' ? 'stop' : WORD_OF_KIND[reason.kind];
}
