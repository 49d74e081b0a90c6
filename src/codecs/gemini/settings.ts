import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { ReasoningEffort, ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import { jsonSchemaOf } from '../schemas/gemini-given.ts';
import { objectOf, originOf, stringsOf, textOf } from './wire.ts';

/** Fields that other members of a request hold, so that they are not kept a second time with the settings. */
const HELD_ELSEWHERE: ReadonlySet<string> = new Set(['model', 'contents', 'systemInstruction', 'tools', 'fallbacks']);

/** Members of `generationConfig` that the settings say whole. */
const HELD_BY_SETTINGS: ReadonlySet<string> = new Set([
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'stopSequences',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
]);

export function decodeSettings(body: JsonObject): Settings {
  const config = objectOf(body.generationConfig);
  const reasoning = reasoningOf(objectOf(config.thinkingConfig));
  const responseFormat = responseFormatOf(config);
  return {
    ...numbersOf(config),
    ...(Array.isArray(config.stopSequences) && { stopSequences: stringsOf(config.stopSequences) }),
    ...(reasoning && { reasoning }),
    ...(responseFormat && { responseFormat }),
    origin: originOf(restOf(body, config)),
  };
}

/** Google's own clients write 64-bit numbers as texts at times. */
function numbersOf(config: JsonObject): Settings {
  const numbers = ['maxOutputTokens', 'temperature', 'topP', 'topK', 'seed', 'presencePenalty', 'frequencyPenalty'];
  return Object.fromEntries(
    numbers.flatMap((name) => {
      const value = config[name];
      const number = typeof value === 'string' && value !== '' ? Number(value) : value;
      return typeof number === 'number' && Number.isFinite(number) ? [[name, number]] : [];
    }),
  );
}

function restOf(body: JsonObject, config: JsonObject): JsonObject {
  const rest = without(body, HELD_ELSEWHERE);
  const others = without(config, HELD_BY_SETTINGS);
  delete rest.generationConfig;
  return Object.keys(others).length > 0 ? { ...rest, generationConfig: others } : rest;
}

const without = (from: JsonObject, names: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(from).filter(([name]) => !names.has(name)));

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
