import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { ReasoningEffort, ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { membersBeside } from '../members.ts';
import { jsonSchemaOf } from '../schemas/gemini-given.ts';
import { objectOf, originOf, stringsOf, textOf } from './wire.ts';

/** Fields that other members of a request hold, so that they are not kept a second time with the settings. */
const HELD_ELSEWHERE: ReadonlySet<string> = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'fallbacks',
  // as far as the settings do not say it whole
  'generationConfig',
]);

const NUMBERS = [
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
] as const;

/** Members of `generationConfig` that the settings say whole. */
const HELD_BY_SETTINGS: ReadonlySet<string> = new Set([...NUMBERS, 'stopSequences']);

export function decodeSettings(body: JsonObject): Settings {
  const config = objectOf(body.generationConfig);
  const reasoning = reasoningOf(objectOf(config.thinkingConfig));
  const responseFormat = responseFormatOf(config);
  const settings: Writable<Settings> = { origin: originOf(restOf(body, config)) };
  for (const name of NUMBERS) {
    const number = numberOf(config[name]);
    if (number !== undefined) settings[name] = number;
  }
  if (Array.isArray(config.stopSequences)) settings.stopSequences = stringsOf(config.stopSequences);
  if (reasoning) settings.reasoning = reasoning;
  if (responseFormat) settings.responseFormat = responseFormat;
  return settings;
}

/** Google's own clients write 64-bit numbers as texts at times. */
function numberOf(value: JsonValue | undefined): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function restOf(body: JsonObject, config: JsonObject): JsonObject {
  const rest = membersBeside(HELD_ELSEWHERE, body);
  const others = membersBeside(HELD_BY_SETTINGS, config);
  if (Object.keys(others).length > 0) rest.generationConfig = others;
  return rest;
}

const EFFORT_OF_LEVEL: Readonly<Record<string, ReasoningEffort>> = {
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
};

function reasoningOf({ thinkingBudget, thinkingLevel }: JsonObject): ReasoningSettings | undefined {
  const level = textOf(thinkingLevel).toLowerCase();
  const effort = ownValue(EFFORT_OF_LEVEL, level);
  if (effort) return { effort };
  if (typeof thinkingBudget !== 'number') return undefined;
  if (thinkingBudget === 0) return { effort: 'none' };
  return thinkingBudget < 0 ? { adaptive: true } : { budgetTokens: thinkingBudget };
}

function responseFormatOf(config: JsonObject): ResponseFormat | undefined {
  if (config.responseMimeType !== 'application/json') return undefined;
  const schema = schemaOf(config.responseJsonSchema ?? config._responseJsonSchema, config.responseSchema);
  return schema ? { type: 'json-schema', name: textOf(schema.title) || 'response', schema } : { type: 'json-object' };
}

function schemaOf(asJsonSchema: JsonValue | undefined, asSchema: JsonValue | undefined): JsonObject | undefined {
  if (isObject(asJsonSchema)) return asJsonSchema;
  return isObject(asSchema) ? jsonSchemaOf(asSchema) : undefined;
}
