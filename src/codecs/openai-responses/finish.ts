import type { FinishReason } from '../../model/event.ts';
import { type JsonObject, ownValue } from '../../model/json.ts';
import { CODEC, objectOf, textOf } from './wire.ts';

/** What the answer held; the format itself only says whether it is complete. */
export interface Held {
  readonly calls: boolean;
  readonly refusal: boolean;
}

const KIND_OF_INCOMPLETE: Readonly<Record<string, FinishReason['kind']>> = {
  max_output_tokens: 'length',
  content_filter: 'refusal',
};

/** Statuses of a response that runs on by itself (`background`). */
const UNFINISHED: ReadonlySet<string> = new Set(['queued', 'in_progress']);

/** Why a response ended, out of its `status` and `incomplete_details`. */
export function reasonOf(response: JsonObject, held: Held): FinishReason {
  const status = textOf(response.status);
  if (status === 'incomplete') {
    const word = textOf(objectOf(response.incomplete_details).reason);
    return { kind: ownValue(KIND_OF_INCOMPLETE, word) ?? 'other', raw: { codec: CODEC, word: word || status } };
  }
  const raw = status === '' ? {} : { raw: { codec: CODEC, word: status } };
  if (UNFINISHED.has(status)) return { kind: 'other', ...raw };
  if (held.calls) return { kind: 'tool-calls', ...raw };
  return { kind: held.refusal ? 'refusal' : 'stop', ...raw };
}

export interface StatusFields {
  readonly status: string;
  readonly incomplete_details: { readonly reason: string } | null;
}

const incomplete = (reason: string): StatusFields => ({ status: 'incomplete', incomplete_details: { reason } });

/** `status` and `incomplete_details` of an answer; a refusal that is told in words is a complete answer. */
export function statusFields({ kind, raw }: FinishReason, tellsRefusal: boolean): StatusFields {
  const word = raw?.codec === CODEC ? raw.word : '';
  switch (kind) {
    case 'length':
    case 'context-exceeded':
      return incomplete('max_output_tokens');
    case 'refusal':
      return tellsRefusal && word !== 'content_filter' ? COMPLETED : incomplete('content_filter');
    case 'other':
      if (UNFINISHED.has(word)) return { status: word, incomplete_details: null };
      return word === '' || word === 'completed' ? COMPLETED : incomplete(word);
    default:
      return COMPLETED;
  }
}

const COMPLETED: StatusFields = { status: 'completed', incomplete_details: null };
