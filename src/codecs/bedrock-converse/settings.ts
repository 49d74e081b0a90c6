import { type JsonObject, parsedObject } from '../../model/json.ts';
import type { ReasoningEffort, ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import { isEffort } from '../efforts.ts';
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
]);

/** Members of `inferenceConfig` that the settings say whole. */
const HELD_BY_SETTINGS: ReadonlySet<string> = new Set(['maxTokens', 'temperature', 'topP', 'stopSequences']);

export function decodeSettings(body: JsonObject): Settings {
  const { maxTokens, temperature, topP, stopSequences } = objectOf(body.inferenceConfig);
  const additional = objectOf(body.additionalModelRequestFields);
  const topK = additional.top_k ?? objectOf(additional.inferenceConfig).topK;
  const reasoning = reasoningOf(additional);
  const responseFormat = responseFormatOf(body);
  return {
    ...(typeof maxTokens === 'number' && { maxOutputTokens: maxTokens }),
    ...(typeof temperature === 'number' && { temperature }),
    ...(typeof topP === 'number' && { topP }),
    ...(typeof topK === 'number' && { topK }),
    ...(Array.isArray(stopSequences) && { stopSequences: stopSequences.map(textOf) }),
    ...(reasoning && { reasoning }),
    ...(responseFormat && { responseFormat }),
    origin: originOf(restOf(body)),
  };
}

function restOf(body: JsonObject): JsonObject {
  const rest = without(body, HELD_ELSEWHERE);
  const others = without(objectOf(body.inferenceConfig), HELD_BY_SETTINGS);
  delete rest.inferenceConfig;
  return Object.keys(others).length > 0 ? { ...rest, inferenceConfig: others } : rest;
}

const without = (from: JsonObject, names: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(from).filter(([name]) => !names.has(name)));

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
  const reasoning: ReasoningSettings = {
    ...(effort && { effort }),
    ...(typeof thinking.budget_tokens === 'number' && { budgetTokens: thinking.budget_tokens }),
    ...(thinking.type === 'adaptive' && { adaptive: true }),
  };
  return Object.keys(reasoning).length > 0 ? reasoning : undefined;
}

const effortIn = (...words: readonly unknown[]): ReasoningEffort | undefined => words.find(isEffort);

/** The schema is JSON text (Bedrock API, JsonSchemaDefinition). */
function responseFormatOf(body: JsonObject): ResponseFormat | undefined {
  const { structure } = objectOf(objectOf(body.outputConfig).textFormat);
  const { schema, name } = objectOf(objectOf(structure).jsonSchema);
  const parsed = parsedObject(textOf(schema));
  return parsed && { type: 'json-schema', name: textOf(name) || 'response', schema: parsed };
}
