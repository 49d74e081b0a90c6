import { isObject, type JsonObject } from '../../model/json.ts';
import type { ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { areAnthropics } from '../body.ts';
import { isEffort } from '../efforts.ts';
import { membersBeside } from '../members.ts';
import { objectOf, originOf, textOf } from './wire.ts';

/** Fields that other members of a request hold, so that they are not kept a second time with the settings. */
const HELD_ELSEWHERE: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'stream',
  'fallbacks',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
]);

export function decodeSettings(body: JsonObject): Settings {
  const reasoning = reasoningOf(body);
  const responseFormat = responseFormatOf(body);
  const user = textOf(objectOf(body.metadata).user_id);
  const rest = membersBeside(HELD_ELSEWHERE, body);
  if (areAnthropics('anthropic-messages', body.fallbacks)) rest.fallbacks = body.fallbacks;
  const settings: Writable<Settings> = { origin: originOf(rest) };
  if (typeof body.max_tokens === 'number') settings.maxOutputTokens = body.max_tokens;
  if (typeof body.temperature === 'number') settings.temperature = body.temperature;
  if (typeof body.top_p === 'number') settings.topP = body.top_p;
  if (typeof body.top_k === 'number') settings.topK = body.top_k;
  if (Array.isArray(body.stop_sequences)) settings.stopSequences = body.stop_sequences.map(textOf);
  if (objectOf(body.tool_choice).disable_parallel_tool_use === true) settings.parallelToolCalls = false;
  if (user !== '') settings.user = user;
  if (reasoning) settings.reasoning = reasoning;
  if (responseFormat) settings.responseFormat = responseFormat;
  return settings;
}

function reasoningOf(body: JsonObject): ReasoningSettings | undefined {
  const thinking = objectOf(body.thinking);
  const { effort } = objectOf(body.output_config);
  if (thinking.type === 'disabled') return { effort: 'none' };
  const reasoning: Writable<ReasoningSettings> = {};
  if (isEffort(effort)) reasoning.effort = effort;
  if (thinking.type === 'enabled' && typeof thinking.budget_tokens === 'number') {
    reasoning.budgetTokens = thinking.budget_tokens;
  }
  if (thinking.type === 'adaptive') reasoning.adaptive = true;
  return Object.keys(reasoning).length > 0 ? reasoning : undefined;
}

/** `output_format` is the older place of `output_config.format`. */
function responseFormatOf(body: JsonObject): ResponseFormat | undefined {
  const { format = body.output_format } = objectOf(body.output_config);
  if (!isObject(format) || format.type !== 'json_schema' || !isObject(format.schema)) return undefined;
  return { type: 'json-schema', name: textOf(format.name) || 'response', schema: format.schema };
}
