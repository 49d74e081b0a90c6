import { GatewayError } from '../../model/errors.ts';
import type { FinishReason } from '../../model/event.ts';
import { ownValue } from '../../model/json.ts';
import { CODEC } from './wire.ts';

const KINDS: Readonly<Record<string, FinishReason['kind']>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'refusal',
  RECITATION: 'refusal',
  LANGUAGE: 'refusal',
  BLOCKLIST: 'refusal',
  PROHIBITED_CONTENT: 'refusal',
  SPII: 'refusal',
  MODEL_ARMOR: 'refusal',
  IMAGE_SAFETY: 'refusal',
  IMAGE_PROHIBITED_CONTENT: 'refusal',
  IMAGE_RECITATION: 'refusal',
  IMAGE_OTHER: 'refusal',
};

/** The model wrote a call that nobody can read: another try may do better (Gemini API, FinishReason). */
const BROKEN_CALLS: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
]);

/** What an answer held, which tells more than the word: calls end with STOP in this format. */
export interface Held {
  readonly calls: boolean;
  readonly anything: boolean;
}

/** Throws GatewayError('bad-response') when the answer is nothing but a broken call, so that it is asked for again. */
export function finishReasonOf(word: string, held: Held, message = ''): FinishReason {
  if (BROKEN_CALLS.has(word) && !held.anything) {
    throw new GatewayError('bad-response', `the model broke off with ${word}${message && `: ${message}`}; try again`);
  }
  const said = word === '' ? 'other' : (ownValue(KINDS, word) ?? 'other');
  const kind = held.calls && said === 'stop' ? 'tool-calls' : said;
  return word === '' ? { kind } : { kind, raw: { codec: CODEC, word } };
}

/** The prompt itself was refused: no answer was begun. */
export const blockReasonOf = (word: string): FinishReason => ({ kind: 'refusal', raw: { codec: CODEC, word } });

const WORDS: Readonly<Record<FinishReason['kind'], string>> = {
  stop: 'STOP',
  'stop-sequence': 'STOP',
  'tool-calls': 'STOP',
  pause: 'STOP',
  length: 'MAX_TOKENS',
  'context-exceeded': 'MAX_TOKENS',
  refusal: 'SAFETY',
  other: 'OTHER',
};

/** `finishReason` for a client: the model's own word where it came in this format. */
export const finishWord = ({ kind, raw }: FinishReason): string => (raw?.codec === CODEC ? raw.word : WORDS[kind]);
