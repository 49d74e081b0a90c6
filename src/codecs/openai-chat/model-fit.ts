import type { JsonObject } from '../../model/json.ts';
import type { BodySource } from '../../model/request.ts';
import type { ModelTraits } from '../../model/traits.ts';
import type { EncodeTarget } from '../codec.ts';
import type { Ledger } from '../ledger.ts';
import { fittingEffort, isAbove, refusedSampling, withoutRefusedSampling } from '../openai-model-fit.ts';

const LIMITS = ['max_completion_tokens', 'max_tokens'] as const;

/** Whether nothing in a body is what its model refuses, so that it may travel as it is. */
export function fitsModel(source: BodySource, traits: ModelTraits): boolean {
  const { maxOutputTokens: limit } = traits;
  if (limit !== undefined && LIMITS.some((field) => isAbove(source.member(field), limit))) return false;
  if (traits.reasoning === undefined) return true;
  if (traits.stop === false && source.has('stop')) return false;
  const effort = source.member('reasoning_effort');
  if (fittingEffort(traits, effort) !== effort) return false;
  return traits.sampling === undefined || refusedSampling(traits, effort, (field) => source.member(field)).length === 0;
}

/** Brings a body, which is ours to change, to what its model takes. */
export function fitToModel(body: JsonObject, target: EncodeTarget, ledger: Ledger): void {
  limit(body, target, ledger);
  const { reasoning_effort: asked } = body;
  const effort = fittingEffort(target, asked);
  if (effort !== asked) {
    if (effort === undefined) delete body.reasoning_effort;
    else body.reasoning_effort = effort;
    if (effort === undefined) ledger.dropped('reasoning_effort', `${target.model} takes no effort`);
    else ledger.rewritten('reasoning_effort', `"${effort}" is the nearest to "${asked}" that ${target.model} takes`);
  }
  withoutRefusedSampling(body, target, effort, ledger);
  if (target.stop !== false || body.stop === undefined) return;
  delete body.stop;
  ledger.dropped('stop', `${target.model} takes no words to stop at`);
}

/** Lowers what a body asks for to what the model can give. */
function limit(body: JsonObject, { maxOutputTokens, model }: EncodeTarget, ledger: Ledger): void {
  for (const field of LIMITS) {
    const asked = body[field];
    if (!isAbove(asked, maxOutputTokens)) continue;
    body[field] = maxOutputTokens;
    ledger.rewritten(field, `${model} gives at most ${maxOutputTokens} tokens, not ${asked}`);
  }
}
