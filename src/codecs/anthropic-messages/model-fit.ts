import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { BodySource, ReasoningEffort } from '../../model/request.ts';
import type { ModelTraits, ThinkingForms } from '../../model/traits.ts';
import type { EncodeTarget } from '../codec.ts';
import { isEffort, nearestEffort } from '../efforts.ts';
import { askByTool } from './answer-tool.ts';
import { objectOf } from './wire.ts';

/** Whether nothing in a body is what its model refuses, so that it may travel as it is. */
export function fitsModel(source: BodySource, traits: ModelTraits): boolean {
  const { maxOutputTokens } = traits;
  const asked = maxOutputTokens === undefined ? undefined : source.member('max_tokens');
  if (maxOutputTokens !== undefined && typeof asked === 'number' && asked > maxOutputTokens) return false;
  if (traits.reasoning === undefined) return true;
  const body: JsonObject = {};
  for (const field of JUDGED) {
    const value = source.member(field);
    if (value !== undefined) body[field] = value;
  }
  return !fitToModel(body, { ...traits, model: '' }, []);
}

/** The fields that a model may refuse. */
const JUDGED = ['thinking', 'output_config', 'temperature', 'top_p', 'top_k', 'max_tokens'];

type Target = ModelTraits & Pick<EncodeTarget, 'model'>;

/** Brings a body, which is ours to change, to what its model takes; says whether there was anything to do. */
export function fitToModel(body: JsonObject, target: Target, losses: Loss[]): boolean {
  const before = losses.length;
  fitThinking(body, target, losses);
  fitEffort(body, target, losses);
  fitFormat(body, target, losses);
  fitSampling(body, target, losses);
  return losses.length > before;
}

/** The form in which the model is asked to think (Anthropic, adaptive thinking). */
function fitThinking(body: JsonObject, { reasoning, thinking: forms, model }: Target, losses: Loss[]): void {
  if (body.thinking === undefined) return;
  const { type, budget_tokens: budget, ...rest } = objectOf(body.thinking);
  const obstacle = obstacleTo(type, reasoning, forms);
  if (obstacle) {
    delete body.thinking;
    losses.push({ field: 'thinking', action: 'dropped', reason: `${model} ${obstacle}` });
    return;
  }
  if (!forms) return;
  if (type === 'enabled' && !forms.budget) {
    body.thinking = { type: 'adaptive', ...rest };
    const reason = `${model} decides itself how long it thinks, and takes no budget of ${budget} tokens`;
    losses.push({ field: 'thinking', action: 'rewritten', reason });
  } else if (type === 'adaptive' && !forms.adaptive) {
    const { effort } = objectOf(body.output_config);
    const asked = isEffort(effort) && effort !== 'none' ? effort : 'medium';
    const tokens = budgetOf(asked, typeof body.max_tokens === 'number' ? body.max_tokens : MIN_BUDGET);
    body.thinking = { type: 'enabled', budget_tokens: tokens, ...rest };
    losses.push({ field: 'thinking', action: 'rewritten', reason: `${model} wants a budget: ${tokens} tokens` });
  }
}

/** Why a model takes no word about its thinking at all. */
function obstacleTo(type: JsonValue | undefined, reasoning: boolean | undefined, forms: ThinkingForms | undefined) {
  if (reasoning === false && type !== 'disabled') return 'does not think';
  return type === 'disabled' && forms?.canStop === false ? 'always thinks' : undefined;
}

/** Older models, and some of the clouds, know no `output_config.format` (Anthropic, structured outputs). */
function fitFormat(body: JsonObject, target: Target, losses: Loss[]): void {
  const { format } = objectOf(body.output_config);
  if (target.structuredOutput === false && format !== undefined && format !== null) askByTool(body, target, losses);
}

function fitEffort(body: JsonObject, { efforts, reasoning, model }: Target, losses: Loss[]): void {
  const { effort: asked, ...rest } = objectOf(body.output_config);
  const taken = reasoning === false ? [] : efforts;
  if (!taken || !isEffort(asked)) return;
  const isStopped = objectOf(body.thinking).type === 'disabled';
  // a model that is told not to think takes no effort above high
  const most = isStopped ? taken.filter((effort) => effort !== 'xhigh' && effort !== 'max') : taken;
  const effort = nearestEffort(asked, most);
  if (effort === asked) return;
  const config = effort === undefined ? rest : { ...rest, effort };
  if (Object.keys(config).length > 0) body.output_config = config;
  else delete body.output_config;
  losses.push(
    effort === undefined
      ? { field: 'output_config.effort', action: 'dropped', reason: `${model} takes no effort` }
      : { field: 'output_config.effort', action: 'rewritten', reason: `"${effort}" is the nearest to "${asked}"` },
  );
}

/** Adaptive-only models refuse every value but the neutral ones; others since 4.1 take one of two. */
function fitSampling(body: JsonObject, { sampling, model }: Target, losses: Loss[]): void {
  const { temperature, top_p: topP } = body;
  const refused =
    sampling === 'never'
      ? ['temperature', 'top_p', 'top_k'].filter((field) => body[field] !== undefined && !isNeutral(field, body))
      : sampling === 'one-of' && temperature !== undefined && topP !== undefined
        ? ['top_p']
        : [];
  for (const field of refused) {
    delete body[field];
    losses.push({
      field,
      action: 'dropped',
      reason: `${model} refuses it${sampling === 'never' ? '' : ' beside temperature'}`,
    });
  }
}

const isNeutral = (field: string, { temperature }: JsonObject): boolean => field === 'temperature' && temperature === 1;

/** The smallest thinking budget (Anthropic Messages API, thinking.budget_tokens). */
export const MIN_BUDGET = 1_024;

/** Share of the room above the smallest budget; the ratios of the original gateway, which names none above high. */
const BUDGET_SHARE: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 0.025,
  low: 0.15,
  medium: 0.425,
  high: 0.8,
  xhigh: 0.9,
  max: 0.95,
};

/** The thinking budget that stands for an effort. */
export const budgetOf = (effort: Exclude<ReasoningEffort, 'none'>, maxTokens: number): number =>
  MIN_BUDGET + Math.floor(BUDGET_SHARE[effort] * Math.max(0, maxTokens - MIN_BUDGET));
