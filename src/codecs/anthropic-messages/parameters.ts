import type { JsonObject } from '../../model/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { ReasoningEffort, Settings } from '../../model/request.ts';
import type { EncodeTarget } from '../codec.ts';
import { lossesAt } from '../schemas/derivation.ts';
import { anthropicAnswerSchema } from '../schemas/strict.ts';
import { budgetOf, MIN_BUDGET } from './model-fit.ts';
import { thinkingObstacle } from './thinking.ts';
import { objectOf, ownBlock } from './wire.ts';

const DEFAULT_MAX_TOKENS = 4_096;

/** The top-level fields that settings become; the client's other fields too, when they are of this format. */
export function settingsFields(settings: Settings, target: EncodeTarget, losses: Loss[]): JsonObject {
  const own = ownBlock(settings.origin);
  const maxTokens = settings.maxOutputTokens ?? inventedMaxTokens(settings, target, losses);
  const fields = own ? { ...own } : translatedFields(settings, maxTokens, target, losses);
  fields.max_tokens = maxTokens;
  addSampling(fields, settings, own !== undefined, losses);
  addStops(fields, settings, losses);
  return fields;
}

function inventedMaxTokens({ reasoning }: Settings, target: EncodeTarget, losses: Loss[]): number {
  losses.push({ field: 'max_tokens', action: 'invented', reason: 'this format requires a limit and none was given' });
  const budget = target.reasoning === true ? (reasoning?.budgetTokens ?? 0) : 0;
  return target.maxOutputTokens ?? budget + DEFAULT_MAX_TOKENS;
}

function addSampling(fields: JsonObject, { temperature, topP, topK }: Settings, isOwn: boolean, losses: Loss[]): void {
  if (temperature !== undefined) fields.temperature = Math.min(temperature, 1);
  if (temperature !== undefined && temperature > 1) {
    losses.push({ field: 'temperature', action: 'rewritten', reason: 'this format ends at 1' });
  }
  if (topP !== undefined && temperature !== undefined && !isOwn) {
    losses.push({ field: 'top_p', action: 'dropped', reason: 'newer models refuse it beside temperature' });
  } else if (topP !== undefined) fields.top_p = topP;
  if (topK !== undefined) fields.top_k = topK;
}

function addStops(fields: JsonObject, { stopSequences }: Settings, losses: Loss[]): void {
  if (!stopSequences) return;
  const kept = stopSequences.filter((sequence) => sequence.trim() !== '');
  if (kept.length < stopSequences.length) {
    losses.push({ field: 'stop_sequences', action: 'dropped', reason: 'white space alone is refused' });
  }
  if (kept.length > 0) fields.stop_sequences = kept;
}

/** Settings of another format in this one's words. */
function translatedFields(settings: Settings, maxTokens: number, target: EncodeTarget, losses: Loss[]): JsonObject {
  const dropped = (field: string) =>
    losses.push({ field, action: 'dropped', reason: 'this format has no such setting' });
  if (settings.seed !== undefined) dropped('seed');
  if (settings.presencePenalty !== undefined) dropped('presence_penalty');
  if (settings.frequencyPenalty !== undefined) dropped('frequency_penalty');
  const { thinking, effort } = reasoningFields(settings, maxTokens, target, losses);
  const format = formatOf(settings, target, losses);
  const fields: JsonObject = {};
  if (settings.user !== undefined) fields.metadata = { user_id: settings.user };
  if (thinking) fields.thinking = thinking;
  if (format || effort) fields.output_config = { ...(effort && { effort }), ...(format && { format }) };
  return fields;
}

function formatOf({ responseFormat }: Settings, target: EncodeTarget, losses: Loss[]): JsonObject | undefined {
  if (!responseFormat) return undefined;
  const drop = (reason: string): undefined =>
    void losses.push({ field: 'response_format', action: 'dropped', reason }) as undefined;
  if (responseFormat.type === 'json-object') return drop('this format has no JSON mode without a schema');
  // it becomes the schema of a tool, which takes every schema
  if (target.structuredOutput === false) return { type: 'json_schema', schema: responseFormat.schema };
  const written = anthropicAnswerSchema(responseFormat.schema);
  if (written.obstacle !== undefined) return drop(`Claude's answers take no such schema: ${written.obstacle}`);
  losses.push(...lossesAt('output_config.format.schema', written));
  return { type: 'json_schema', schema: written.schema };
}

interface ReasoningFields {
  readonly thinking?: JsonObject;
  readonly effort?: ReasoningEffort;
}

function reasoningFields(
  { reasoning }: Settings,
  maxTokens: number,
  target: EncodeTarget,
  losses: Loss[],
): ReasoningFields {
  if (!reasoning) return {};
  if (reasoning.effort === 'none') return target.thinking?.canStop ? { thinking: { type: 'disabled' } } : {};
  if (target.reasoning !== true) {
    losses.push({ field: 'thinking', action: 'dropped', reason: `${target.model} is not known to think` });
    return {};
  }
  const { effort, budgetTokens, adaptive } = reasoning;
  if (adaptive) {
    losses.push({ field: 'thinking', action: 'rewritten', reason: 'thinking that is switched on is adaptive here' });
    return { thinking: { type: 'adaptive' }, ...(effort && { effort: wireEffort(effort, losses) }) };
  }
  if (budgetTokens !== undefined) {
    const reason = 'the budget says more exactly how long the model thinks';
    if (effort) losses.push({ field: 'output_config.effort', action: 'dropped', reason });
    return { thinking: { type: 'enabled', budget_tokens: budgetTokens } };
  }
  if (!effort) return {};
  if (target.thinking?.adaptive) return { thinking: { type: 'adaptive' }, effort: wireEffort(effort, losses) };
  const budget = budgetOf(effort, maxTokens);
  losses.push({ field: 'thinking', action: 'rewritten', reason: `${budget} tokens stand for the effort "${effort}"` });
  const takesBoth = target.efforts !== undefined && target.efforts.length > 0;
  return {
    thinking: { type: 'enabled', budget_tokens: budget },
    ...(takesBoth && { effort: wireEffort(effort, losses) }),
  };
}

function wireEffort(effort: ReasoningEffort, losses: Loss[]): ReasoningEffort {
  if (effort !== 'minimal') return effort;
  losses.push({ field: 'output_config.effort', action: 'rewritten', reason: 'low is the least that there is' });
  return 'low';
}

/** Lowers max_tokens to what the model can give; says whether it had to. `body` is ours to change. */
export function limited(body: JsonObject, { maxOutputTokens, model }: EncodeTarget, losses: Loss[]): boolean {
  const asked = body.max_tokens;
  if (maxOutputTokens === undefined || typeof asked !== 'number' || asked <= maxOutputTokens) return false;
  body.max_tokens = maxOutputTokens;
  const reason = `${model} gives at most ${maxOutputTokens} tokens, not ${asked}`;
  losses.push({ field: 'max_tokens', action: 'rewritten', reason });
  return true;
}

/** The body without settings that exclude each other around thinking; changes and returns `body`. */
export function reconciled(body: JsonObject, losses: Loss[]): JsonObject {
  const thinking = objectOf(body.thinking);
  if (thinking.type !== 'enabled' && thinking.type !== 'adaptive') return body;
  const drop = (field: string, reason: string) => {
    delete body[field];
    losses.push({ field, action: 'dropped', reason });
  };
  if (thinking.type === 'enabled') {
    const obstacle = budgetObstacle(body, thinking, losses) ?? thinkingObstacle(body);
    if (obstacle) {
      drop('thinking', obstacle);
      return body;
    }
  }
  if (body.temperature !== undefined && body.temperature !== 1) drop('temperature', 'thinking allows only 1');
  if (body.top_k !== undefined) drop('top_k', 'thinking allows none');
  if (typeof body.top_p === 'number' && body.top_p < 0.95) drop('top_p', 'thinking allows only 0.95 to 1');
  const choice = objectOf(body.tool_choice);
  if (choice.type === 'any' || choice.type === 'tool') {
    const { name: _forced, ...rest } = choice;
    body.tool_choice = { ...rest, type: 'auto' };
    losses.push({ field: 'tool_choice', action: 'rewritten', reason: 'thinking allows no forced tool' });
  }
  return body;
}

/** Brings the budget between its bounds, or says why there is no room for one. */
function budgetObstacle(body: JsonObject, thinking: JsonObject, losses: Loss[]): string | undefined {
  const { budget_tokens: budget } = thinking;
  const { max_tokens: limit } = body;
  if (typeof budget !== 'number' || typeof limit !== 'number') return undefined;
  if (limit <= MIN_BUDGET) return `max_tokens ${limit} leaves no room to think: that takes at least ${MIN_BUDGET}`;
  const fitting = Math.min(Math.max(budget, MIN_BUDGET), limit - 1);
  if (fitting === budget) return undefined;
  body.thinking = { ...thinking, budget_tokens: fitting };
  const reason = `the budget must be at least ${MIN_BUDGET} and below max_tokens`;
  losses.push({ field: 'thinking.budget_tokens', action: 'rewritten', reason });
  return undefined;
}
