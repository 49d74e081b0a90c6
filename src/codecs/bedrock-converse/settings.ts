import { type JsonObject, parsedObject } from '../../model/json.ts';
import type { ReasoningEffort, ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { isEffort } from '../efforts.ts';
import { membersBeside } from '../members.ts';
import { objectOf, originOf, textOf } from './wire.ts';

/** Fields that other members of a request hold, so that they are not kept a second time with the settings. */
const HELD_ELSEWHERE: ReadonlySet<string> = new Set([
  'modelId',
  'model',
  'messages',
  'system',
  'toolConfig',
  'stream',
  'fallbacks',
  // as far as the settings do not say it whole
  'inferenceConfig',
]);

/** Members of `inferenceConfig` that the settings say whole. */
const HELD_BY_SETTINGS: ReadonlySet<string> = new Set(['maxTokens', 'temperature', 'topP', 'stopSequences']);

export function decodeSettings(body: JsonObject): Settings {
  const { maxTokens, temperature, topP, stopSequences } = objectOf(body.inferenceConfig);
  const additional = objectOf(body.additionalModelRequestFields);
  const topK = additional.top_k ?? objectOf(additional.inferenceConfig).topK;
  const reasoning = reasoningOf(additional);
  const responseFormat = responseFormatOf(body);
  const settings: Writable<Settings> = { origin: originOf(restOf(body)) };
  if (typeof maxTokens === 'number') settings.maxOutputTokens = maxTokens;
  if (typeof temperature === 'number') settings.temperature = temperature;
  if (typeof topP === 'number') settings.topP = topP;
  if (typeof topK === 'number') settings.topK = topK;
  if (Array.isArray(stopSequences)) settings.stopSequences = stopSequences.map(textOf);
  if (reasoning) settings.reasoning = reasoning;
  if (responseFormat) settings.responseFormat = responseFormat;
  return settings;
}

function restOf(body: JsonObject): JsonObject {
  const rest = membersBeside(HELD_ELSEWHERE, body);
  const others = membersBeside(HELD_BY_SETTINGS, objectOf(body.inferenceConfig));
  if (Object.keys(others).length > 0) rest.inferenceConfig = others;
  return rest;
}

/** Claude's `thinking` (`reasoning_config` in older samples) and `output_config`, Nova's `reasoningConfig`, and OpenAI's word. */
function reasoningOf(additional: JsonObject): ReasoningSettings | undefined {
  const thinking = objectOf(additional.thinking ?? additional.reasoning_config);
  const nova = objectOf(additional.reasoningConfig);
  if (thinking.type === 'disabled' || nova.type === 'disabled') return { effort: 'none' };
  const effort = effortIn(
    objectOf(additional.output_config).effort,
    nova.maxReasoningEffort,
    additional.reasoning_effort,
  );
  const reasoning: Writable<ReasoningSettings> = {};
  if (effort) reasoning.effort = effort;
  if (typeof thinking.budget_tokens === 'number') reasoning.budgetTokens = thinking.budget_tokens;
  if (thinking.type === 'adaptive') reasoning.adaptive = true;
  return Object.keys(reasoning).length > 0 ? reasoning : undefined;
}

const effortIn = (...words: readonly unknown[]): ReasoningEffort | undefined => words.find(isEffort);

/** The schema is JSON text (Bedrock API, JsonSchemaDefinition). */
function responseFormatOf(body: JsonObject): ResponseFormat | undefined {
  const { structure } = objectOf(objectOf(body.outputConfig).textFormat);
  const { schema, name } = objectOf(objectOf(structure).jsonSchema);
  // most requests have none, and text that does not parse costs as much as all the rest of a request
  if (typeof schema !== 'string') return undefined;
  const parsed = parsedObject(schema);
  return parsed && { type: 'json-schema', name: textOf(name) || 'response', schema: parsed };
}
