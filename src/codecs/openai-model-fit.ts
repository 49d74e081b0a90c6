import type { JsonObject, JsonValue } from '../model/json.ts';
import type { ModelTraits } from '../model/traits.ts';
import { isEffort, nearestEffort } from './efforts.ts';
import type { Ledger } from './ledger.ts';

// What models refuse of the fields that both APIs of OpenAI have, whatever the field of the effort is called.

/** What steers sampling, with the value that changes nothing and is accepted everywhere. */
const SAMPLING: ReadonlyMap<string, JsonValue | undefined> = new Map<string, JsonValue | undefined>([
  ['temperature', 1],
  ['top_p', 1],
  ['presence_penalty', 0],
  ['frequency_penalty', 0],
  ['logprobs', false],
  ['top_logprobs', undefined],
  ['logit_bias', undefined],
]);

/** One member of a body, which need not be parsed for it. */
export type MemberOf = (field: string) => JsonValue | undefined;

/** The sampling fields that a model refuses at an effort (OpenAI, reasoning guide; recorded answers). */
export function refusedSampling(traits: ModelTraits, effort: JsonValue | undefined, member: MemberOf): string[] {
  const { sampling, defaultEffort } = traits;
  if (sampling !== 'never' && sampling !== 'unless-reasoning') return [];
  if (sampling === 'unless-reasoning' && (effort ?? defaultEffort ?? 'none') === 'none') return [];
  return [...SAMPLING].flatMap(([field, neutral]) => {
    const value = member(field);
    return value === undefined || value === null || value === neutral ? [] : [field];
  });
}

/** What becomes of an effort: the same word, another, or none at all. */
export function fittingEffort(traits: ModelTraits, effort: JsonValue | undefined): JsonValue | undefined {
  if (effort === undefined || effort === null) return effort;
  if (traits.reasoning === false) return undefined;
  return traits.efforts && isEffort(effort) ? nearestEffort(effort, traits.efforts) : effort;
}

/** Takes out of a body, which is ours to change, the sampling fields that the model refuses. */
export function withoutRefusedSampling(
  body: JsonObject,
  traits: ModelTraits,
  effort: JsonValue | undefined,
  ledger: Ledger,
): void {
  for (const field of refusedSampling(traits, effort, (name) => body[name])) {
    delete body[field];
    ledger.dropped(field, 'models that reason refuse it');
  }
}

export const isAbove = (asked: JsonValue | undefined, limit: number | undefined): boolean =>
  limit !== undefined && typeof asked === 'number' && asked > limit;
