import type { JsonObject } from '../../model/json.ts';
import type { ReasoningEffort, ReasoningSettings, Settings } from '../../model/request.ts';
import type { EncodeTarget } from '../codec.ts';
import type { Ledger } from '../ledger.ts';
import { jsonSchema } from '../schemas/gemini-json.ts';
import { type ModelTraits, traitsOf } from './models.ts';
import { objectOf, ownBlock } from './wire.ts';

/** The most stop sequences that the API takes (Gemini API, GenerationConfig). */
const MAX_STOP_SEQUENCES = 5;

/** `generationConfig` and whatever else settings become; the client's other fields too, when they are of this format. New each time. */
export function settingsFields(
  settings: Settings,
  target: EncodeTarget,
  hasFunctions: boolean,
  ledger: Ledger,
): JsonObject {
  const own = ownBlock(settings.origin);
  const { temperature, topP, topK, seed, presencePenalty, frequencyPenalty, maxOutputTokens } = settings;
  const config: JsonObject = own
    ? { ...objectOf(own.generationConfig) }
    : translatedConfig(settings, target, hasFunctions, ledger);
  if (maxOutputTokens !== undefined) config.maxOutputTokens = maxOutputTokens;
  if (temperature !== undefined) config.temperature = temperature;
  if (topP !== undefined) config.topP = topP;
  if (topK !== undefined) config.topK = topK;
  addStops(config, settings, ledger);
  if (seed !== undefined) config.seed = seed;
  if (presencePenalty !== undefined) config.presencePenalty = presencePenalty;
  if (frequencyPenalty !== undefined) config.frequencyPenalty = frequencyPenalty;
  limit(config, target, ledger);
  const fields: JsonObject = { ...own };
  if (Object.keys(config).length > 0) fields.generationConfig = config;
  return fields;
}

function addStops(config: JsonObject, { stopSequences }: Settings, ledger: Ledger): void {
  if (!stopSequences?.length) return;
  if (stopSequences.length > MAX_STOP_SEQUENCES) {
    ledger.rewritten('generationConfig.stopSequences', `the API takes at most ${MAX_STOP_SEQUENCES}`);
  }
  config.stopSequences = stopSequences.slice(0, MAX_STOP_SEQUENCES);
}

/** Brings a config, which is ours to change, to what the model takes. */
export function limit(config: JsonObject, { maxOutputTokens, reasoning, model }: EncodeTarget, ledger: Ledger): void {
  if (reasoning === false && config.thinkingConfig !== undefined) {
    delete config.thinkingConfig;
    ledger.dropped('generationConfig.thinkingConfig', `${model} does not think`);
  }
  const asked = config.maxOutputTokens;
  if (maxOutputTokens === undefined || typeof asked !== 'number' || asked <= maxOutputTokens) return;
  config.maxOutputTokens = maxOutputTokens;
  ledger.rewritten(
    'generationConfig.maxOutputTokens',
    `${model} gives at most ${maxOutputTokens} tokens, not ${asked}`,
  );
}

/** Settings of another format in this one's words. */
function translatedConfig(settings: Settings, target: EncodeTarget, hasFunctions: boolean, ledger: Ledger): JsonObject {
  const { user, parallelToolCalls } = settings;
  if (user !== undefined) ledger.dropped('user', 'the API has no such field');
  if (parallelToolCalls === false) ledger.dropped('parallel_tool_calls', 'the API has no such field');
  const thinkingConfig = thinkingOf(settings.reasoning, target, ledger);
  const config = formatFields(settings, target, hasFunctions, ledger);
  if (thinkingConfig) config.thinkingConfig = thinkingConfig;
  return config;
}

function formatFields(
  { responseFormat }: Settings,
  { model }: EncodeTarget,
  hasFunctions: boolean,
  ledger: Ledger,
): JsonObject {
  if (!responseFormat) return {};
  if (hasFunctions && traitsOf(model).generation < 3) {
    ledger.dropped('generationConfig.responseMimeType', `${model} takes JSON mode or functions, not both`);
    return {};
  }
  if (responseFormat.type === 'json-object') return { responseMimeType: 'application/json' };
  const { schema, removed } = jsonSchema(responseFormat.schema);
  if (removed.length > 0) {
    ledger.rewritten('generationConfig.responseJsonSchema', `the API's schemas know no ${removed.join(', ')}`);
  }
  return { responseMimeType: 'application/json', responseJsonSchema: schema };
}

function thinkingOf(
  reasoning: ReasoningSettings | undefined,
  target: EncodeTarget,
  ledger: Ledger,
): JsonObject | undefined {
  if (!reasoning) return undefined;
  const traits = traitsOf(target.model);
  if (target.reasoning === false || !traits.thinks) {
    if (reasoning.effort !== 'none')
      ledger.dropped('generationConfig.thinkingConfig', `${target.model} does not think`);
    return undefined;
  }
  if (reasoning.effort === 'none') return withoutThinking(traits, target, ledger);
  ledger.invented('generationConfig.thinkingConfig.includeThoughts', 'thinking that is asked for is shown');
  // one of level and budget: both together are refused
  return { includeThoughts: true, ...amountOf(reasoning, traits, ledger) };
}

function withoutThinking(traits: ModelTraits, { model }: EncodeTarget, ledger: Ledger): JsonObject | undefined {
  if (traits.generation < 3 && traits.budget.canStop) return { thinkingBudget: 0 };
  ledger.rewritten('generationConfig.thinkingConfig', `${model} always thinks`);
  return traits.generation < 3 ? undefined : { thinkingLevel: traits.isPro ? 'low' : 'minimal' };
}

function amountOf(
  { effort, budgetTokens, adaptive }: ReasoningSettings,
  traits: ModelTraits,
  ledger: Ledger,
): JsonObject {
  const { least, most } = traits.budget;
  if (budgetTokens !== undefined) {
    if (effort)
      ledger.dropped('generationConfig.thinkingConfig', 'the budget says more exactly how long the model thinks');
    const fitting = Math.min(Math.max(budgetTokens, least), most);
    if (fitting !== budgetTokens) {
      ledger.rewritten('generationConfig.thinkingConfig', `a budget must be from ${least} to ${most} tokens`);
    }
    return { thinkingBudget: fitting };
  }
  if (effort === undefined || effort === 'none') {
    if (adaptive) ledger.rewritten('generationConfig.thinkingConfig', 'the model decides how long it thinks');
    return adaptive && traits.generation < 3 ? { thinkingBudget: -1 } : {};
  }
  if (adaptive) ledger.rewritten('generationConfig.thinkingConfig', 'the effort alone says how long the model thinks');
  if (traits.generation >= 3) return { thinkingLevel: levelOf(effort, traits, ledger) };
  const budget = least + Math.floor(BUDGET_SHARE[effort] * (most - least));
  ledger.rewritten('generationConfig.thinkingConfig', `${budget} tokens stand for the effort "${effort}"`);
  return { thinkingBudget: budget };
}

type Effort = Exclude<ReasoningEffort, 'none'>;

/** Share of the room above the smallest budget: the ratios of the original gateway, which names none above high. */
const BUDGET_SHARE: Readonly<Record<Effort, number>> = {
  minimal: 0.025,
  low: 0.15,
  medium: 0.425,
  high: 0.8,
  xhigh: 0.9,
  max: 1,
};

const LEVELS: Readonly<Record<Effort, { readonly pro: string; readonly others: string }>> = {
  minimal: { pro: 'low', others: 'minimal' },
  low: { pro: 'low', others: 'low' },
  medium: { pro: 'high', others: 'medium' },
  high: { pro: 'high', others: 'high' },
  xhigh: { pro: 'high', others: 'high' },
  max: { pro: 'high', others: 'high' },
};

function levelOf(effort: Effort, { isPro }: ModelTraits, ledger: Ledger): string {
  const level = LEVELS[effort][isPro ? 'pro' : 'others'];
  if (level !== effort) ledger.rewritten('generationConfig.thinkingConfig', `"${level}" is the nearest to "${effort}"`);
  return level;
}
