import type { JsonObject } from '../../model/json.ts';
import type { ReasoningEffort, Settings } from '../../model/request.ts';
import type { EncodeTarget } from '../codec.ts';
import type { Ledger } from '../ledger.ts';
import { accountForName } from '../schema-name.ts';
import { lossesAt } from '../schemas/derivation.ts';
import { anthropicAnswerSchema } from '../schemas/strict.ts';
import type { ModelTraits } from './models.ts';
import { objectOf, ownBlock } from './wire.ts';

/** What Claude is given to answer with where nobody set a limit: room beside its thinking. */
const DEFAULT_MAX_TOKENS = 4_096;
/** The smallest thinking budget (Anthropic, extended thinking). */
const MIN_BUDGET = 1_024;

/** Share of the room above the smallest budget; the ratios of the original gateway, which names none above high. */
const BUDGET_SHARE: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 0.025,
  low: 0.15,
  medium: 0.425,
  high: 0.8,
  xhigh: 0.9,
  max: 0.95,
};

/** Where a body says what the settings say; the client's other fields too, when they are of this format. New each time. */
export function settingsFields(
  settings: Settings,
  target: EncodeTarget,
  traits: ModelTraits,
  ledger: Ledger,
): JsonObject {
  const own = ownBlock(settings.origin);
  const inference: JsonObject = { ...objectOf(own?.inferenceConfig) };
  addInference(inference, settings, ledger);
  limit(inference, target, ledger);
  const fields = own ? { ...own } : translatedFields(settings, inference, target, traits, ledger);
  if (Object.keys(inference).length > 0) fields.inferenceConfig = inference;
  return fields;
}

/** Settings of another format in this one's words. Changes `inference` where thinking excludes something in it. */
function translatedFields(
  settings: Settings,
  inference: JsonObject,
  target: EncodeTarget,
  traits: ModelTraits,
  ledger: Ledger,
): JsonObject {
  accountFor(settings, ledger);
  const additional = topKField(settings, traits, ledger);
  Object.assign(additional, reasoningFields(settings, inference, target, traits, ledger));
  const outputConfig = formatOf(settings, ledger);
  const fields: JsonObject = {};
  if (Object.keys(additional).length > 0) fields.additionalModelRequestFields = additional;
  if (outputConfig) fields.outputConfig = outputConfig;
  return fields;
}

function addInference(inference: JsonObject, settings: Settings, ledger: Ledger): void {
  const { maxOutputTokens, temperature, topP, stopSequences } = settings;
  if (temperature !== undefined && temperature > 1) {
    ledger.rewritten('inferenceConfig.temperature', 'this format ends at 1');
  }
  const stops = stopSequences?.filter((sequence) => sequence !== '');
  if (maxOutputTokens !== undefined) inference.maxTokens = maxOutputTokens;
  if (temperature !== undefined) inference.temperature = Math.min(temperature, 1);
  if (topP !== undefined) inference.topP = topP;
  if (stops?.length) inference.stopSequences = stops;
}

/** Lowers what a config asks for to what the model can give. `config` is ours to change. */
export function limit(config: JsonObject, { maxOutputTokens, model }: EncodeTarget, ledger: Ledger): void {
  const asked = config.maxTokens;
  if (maxOutputTokens === undefined || typeof asked !== 'number' || asked <= maxOutputTokens) return;
  config.maxTokens = maxOutputTokens;
  ledger.rewritten('inferenceConfig.maxTokens', `${model} gives at most ${maxOutputTokens} tokens, not ${asked}`);
}

/** Settings that have no field here. */
function accountFor(settings: Settings, ledger: Ledger): void {
  const { user, seed, presencePenalty, frequencyPenalty, parallelToolCalls } = settings;
  const dropped = (field: string) => ledger.dropped(field, 'Converse has no such field');
  if (user !== undefined) dropped('user');
  if (seed !== undefined) dropped('seed');
  if (presencePenalty !== undefined) dropped('presence_penalty');
  if (frequencyPenalty !== undefined) dropped('frequency_penalty');
  if (parallelToolCalls === false) dropped('parallel_tool_calls');
}

/** Not a setting of Converse: each family has its own field for it. */
function topKField({ topK }: Settings, { isClaude, isNova }: ModelTraits, ledger: Ledger): JsonObject {
  if (topK === undefined) return {};
  if (isClaude) return { top_k: topK };
  if (isNova) return { inferenceConfig: { topK } };
  ledger.dropped('top_k', 'this model has no such field in Converse');
  return {};
}

function formatOf({ responseFormat, origin }: Settings, ledger: Ledger): JsonObject | undefined {
  if (!responseFormat) return undefined;
  if (responseFormat.type === 'json-object') {
    ledger.dropped('response_format', 'Converse has no JSON mode without a schema');
    return undefined;
  }
  const { name } = responseFormat;
  const { schema, obstacle, ...derived } = anthropicAnswerSchema(responseFormat.schema);
  if (obstacle !== undefined) {
    ledger.dropped('response_format', `structured outputs of Bedrock take no such schema: ${obstacle}`);
    return undefined;
  }
  ledger.losses.push(...lossesAt('outputConfig.textFormat.structure.jsonSchema.schema', { schema, ...derived }));
  accountForName('outputConfig.textFormat.structure.jsonSchema.name', origin, ledger);
  const jsonSchema = { name: name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64), schema: JSON.stringify(schema) };
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
}

/** Thinking as each family asks for it. Changes `inference` where the two exclude each other. */
function reasoningFields(
  { reasoning }: Settings,
  inference: JsonObject,
  target: EncodeTarget,
  traits: ModelTraits,
  ledger: Ledger,
): JsonObject {
  if (!reasoning || reasoning.effort === 'none') return {};
  const effort = reasoning.effort ?? 'medium';
  ledger.rewritten('additionalModelRequestFields', 'each family of models has its own words for thinking');
  if (traits.novaReasons) return novaReasoning(effort, inference, ledger);
  if (traits.takesEffort) return { reasoning_effort: threeSteps(effort) };
  if (!traits.isClaude || target.reasoning !== true) {
    ledger.dropped('additionalModelRequestFields', `${target.model} is not known to think`);
    return {};
  }
  if (reasoning.adaptive) {
    dropSampling(inference, ledger);
    return {
      thinking: { type: 'adaptive' },
      ...(reasoning.effort && { output_config: { effort: atLeastLow(effort) } }),
    };
  }
  return claudeBudget(reasoning.budgetTokens, effort, inference, target, ledger);
}

const threeSteps = (effort: Exclude<ReasoningEffort, 'none'>): string => {
  if (effort === 'minimal' || effort === 'low') return 'low';
  return effort === 'medium' ? 'medium' : 'high';
};

const atLeastLow = (effort: ReasoningEffort): ReasoningEffort => (effort === 'minimal' ? 'low' : effort);

/** At high effort Nova refuses sampling and a limit (Amazon Nova user guide, extended thinking). */
function novaReasoning(effort: Exclude<ReasoningEffort, 'none'>, inference: JsonObject, ledger: Ledger): JsonObject {
  const maxReasoningEffort = threeSteps(effort);
  if (maxReasoningEffort === 'high') {
    for (const field of ['maxTokens', 'temperature', 'topP']) {
      if (inference[field] === undefined) continue;
      delete inference[field];
      ledger.dropped(`inferenceConfig.${field}`, 'Nova refuses it at high reasoning effort');
    }
  }
  return { reasoningConfig: { type: 'enabled', maxReasoningEffort } };
}

/** A budget between its bounds, with room left to answer; nothing where there is no room. */
function claudeBudget(
  asked: number | undefined,
  effort: Exclude<ReasoningEffort, 'none'>,
  inference: JsonObject,
  target: EncodeTarget,
  ledger: Ledger,
): JsonObject {
  const given = typeof inference.maxTokens === 'number' ? inference.maxTokens : undefined;
  const most = given ?? target.maxOutputTokens ?? (asked ?? 0) + DEFAULT_MAX_TOKENS;
  if (most <= MIN_BUDGET) {
    ledger.dropped('additionalModelRequestFields.thinking', `maxTokens ${most} leaves no room to think`);
    return {};
  }
  if (given === undefined) {
    inference.maxTokens = most;
    ledger.invented('inferenceConfig.maxTokens', 'thinking needs a limit above its budget');
  }
  const wanted = asked ?? MIN_BUDGET + Math.floor(BUDGET_SHARE[effort] * (most - MIN_BUDGET));
  const budget = Math.min(Math.max(wanted, MIN_BUDGET), most - 1);
  if (asked !== undefined && budget !== asked) {
    const reason = `the budget must be at least ${MIN_BUDGET} and below maxTokens`;
    ledger.rewritten('additionalModelRequestFields.thinking', reason);
  }
  dropSampling(inference, ledger);
  return { thinking: { type: 'enabled', budget_tokens: budget } };
}

function dropSampling(inference: JsonObject, ledger: Ledger): void {
  if (inference.temperature !== undefined && inference.temperature !== 1) {
    delete inference.temperature;
    ledger.dropped('inferenceConfig.temperature', 'thinking allows only 1');
  }
  if (typeof inference.topP === 'number' && inference.topP < 0.95) {
    delete inference.topP;
    ledger.dropped('inferenceConfig.topP', 'thinking allows only 0.95 to 1');
  }
}
