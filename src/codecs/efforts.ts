import type { ReasoningEffort } from '../model/request.ts';

/** Every word for how much a model is to think, least first. */
const EFFORTS: readonly ReasoningEffort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

const KNOWN: ReadonlySet<unknown> = new Set(EFFORTS);

export const isEffort = (word: unknown): word is ReasoningEffort => KNOWN.has(word);

/**
 * The effort among those that a model takes that is nearest to the one asked for; of two, the lower. Thinking that was
 * asked for is not switched off. Undefined when the model takes none.
 */
export function nearestEffort(asked: ReasoningEffort, taken: readonly ReasoningEffort[]): ReasoningEffort | undefined {
  if (taken.includes(asked)) return asked;
  const thinking = taken.filter((effort) => effort !== 'none');
  const distance = (effort: ReasoningEffort) => Math.abs(EFFORTS.indexOf(effort) - EFFORTS.indexOf(asked));
  return thinking.reduce<ReasoningEffort | undefined>(
    (best, next) => (best !== undefined && distance(best) <= distance(next) ? best : next),
    undefined,
  );
}
