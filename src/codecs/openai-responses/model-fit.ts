import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { BodySource } from '../../model/request.ts';
import type { ModelTraits } from '../../model/traits.ts';
import type { EncodeTarget } from '../codec.ts';
import type { Ledger } from '../ledger.ts';
import { fittingEffort, isAbove, refusedSampling, withoutRefusedSampling } from '../openai-model-fit.ts';
import { ENCRYPTED_REASONING } from './settings.ts';
import { objectOf } from './wire.ts';

/** Whether nothing in a body is what its model refuses, so that it may travel as it is. */
export function fitsModel(source: BodySource, traits: ModelTraits): boolean {
  if (isAbove(source.member('max_output_tokens'), traits.maxOutputTokens)) return false;
  if (traits.reasoning === undefined) return true;
  const reasoning = objectOf(source.member('reasoning'));
  if (traits.reasoning === false && (isSaid(reasoning) || asksForThinking(source.member('include')))) return false;
  const { effort } = reasoning;
  if (fittingEffort(traits, effort) !== effort) return false;
  return traits.sampling === undefined || refusedSampling(traits, effort, (field) => source.member(field)).length === 0;
}

const isSaid = (reasoning: JsonObject): boolean =>
  Object.values(reasoning).some((value) => value !== undefined && value !== null);

const asksForThinking = (include: JsonValue | undefined): include is JsonValue[] =>
  Array.isArray(include) && include.includes(ENCRYPTED_REASONING);

/** A model that does not reason refuses every word about it (Codex asks for summaries of whatever model it is given). */
function withoutReasoning(body: JsonObject, { model }: EncodeTarget, ledger: Ledger): void {
  if (isSaid(objectOf(body.reasoning))) ledger.dropped('reasoning', `${model} does not reason`);
  delete body.reasoning;
  if (!asksForThinking(body.include)) return;
  ledger.dropped('include', `${model} leaves no thinking to be encrypted`);
  body.include = body.include.filter((one) => one !== ENCRYPTED_REASONING);
}

/** Brings effort and sampling in a body, which is ours to change, to what its model takes. */
export function fitToModel(body: JsonObject, target: EncodeTarget, ledger: Ledger): void {
  const { effort: asked, ...reasoning } = objectOf(body.reasoning);
  const effort = fittingEffort(target, asked);
  if (effort !== asked) {
    body.reasoning = { ...reasoning, ...(effort !== undefined && { effort }) };
    if (effort === undefined) ledger.dropped('reasoning.effort', `${target.model} takes no effort`);
    else ledger.rewritten('reasoning.effort', `"${effort}" is the nearest to "${asked}" that ${target.model} takes`);
  }
  if (target.reasoning === false) withoutReasoning(body, target, ledger);
  withoutRefusedSampling(body, target, effort, ledger);
}
