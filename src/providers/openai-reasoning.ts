import type { JsonObject, JsonValue } from '../model/json.ts';
import { modelTraits } from './models.ts';
import { onlyFor, type Quirk, renames } from './quirks.ts';

/** OpenAI's own; other vendors' reasoning models have other rules. */
const reasons = (model: string): boolean => /(^|\/)(o\d|gpt-5)/.test(model) && modelTraits(model).reasoning === true;

/** From gpt-5.1 on a model reasons only when asked to, and takes sampling fields while it does not. */
const mayReasonNot = (model: string): boolean => /(^|\/)gpt-5\.\d/.test(model);

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

const refused = (body: JsonObject): readonly string[] =>
  [...SAMPLING].flatMap(([field, neutral]) => (body[field] === undefined || body[field] === neutral ? [] : [field]));

const dropsSampling: Quirk = {
  concerns: (source) => [...SAMPLING.keys()].some((field) => source.has(field)),
  apply: (body, model, report) => {
    const effort = body.reasoning_effort ?? 'none';
    const fields = effort === 'none' && mayReasonNot(model) ? [] : refused(body);
    if (fields.length === 0) return body;
    const changed = { ...body };
    for (const field of fields) {
      delete changed[field];
      report({ field, action: 'dropped', reason: 'models that reason refuse it' });
    }
    return changed;
  },
};

/** o-series and gpt-5 refuse the old limit name and what steers sampling (OpenAI, reasoning guide; recorded answers). */
export const openAiReasoning: readonly Quirk[] = [
  onlyFor(reasons, renames('max_tokens', 'max_completion_tokens')),
  onlyFor(reasons, dropsSampling),
];
