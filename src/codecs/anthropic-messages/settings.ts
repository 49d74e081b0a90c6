import type { JsonObject } from '../../model/json.ts';
import { isObject } from '../../model/json.ts';
import type { ReasoningEffort, ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import { areAnthropics } from '../body.ts';
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

const EFFORTS: ReadonlySet<string> = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

const isEffort = (word: unknown): word is ReasoningEffort => typeof word === 'string' && EFFORTS.has(word);

export function decodeSettings(body: JsonObject): Settings {
  const reasoning = reasoningOf(body);
  const responseFormat = responseFormatOf(body);
  const user = textOf(objectOf(body.metadata).user_id);
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !HELD_ELSEWHERE.has(field)));
  if (areAnthropics('anthropic-messages', body.fallbacks)) rest.fallbacks = body.fallbacks;
  return {
    ...(typeof body.max_tokens === 'number' && { maxOutputTokens: body.max_tokens }),
    ...(typeof body.temperature === 'number' && { temperature: body.temperature }),
    ...(typeof body.top_p === 'number' && { topP: body.top_p }),
    ...(typeof body.top_k === 'number' && { topK: body.top_k }),
    ...(Array.isArray(body.stop_sequences) && { stopSequences: body.stop_sequences.map(textOf) }),
    ...(objectOf(body.tool_choice).disable_parallel_tool_use === true && { parallelToolCalls: false }),
    ...(user !== '' && { user }),
    ...(reasoning && { reasoning }),
    ...(responseFormat && { responseFormat }),
    origin: originOf(rest),
  };
}

function reasoningOf(body: JsonObject): ReasoningSettings | undefined {
  const thinking = objectOf(body.thinking);
  const { effort } = objectOf(body.output_config);
  if (thinking.type === 'disabled') return { effort: 'none' };
  const reasoning: ReasoningSettings = {
    ...(isEffort(effort) && { effort }),
    ...(thinking.type === 'enabled' &&
      typeof thinking.budget_tokens === 'number' && { budgetTokens: thinking.budget_tokens }),
    ...(thinking.type === 'adaptive' && { adaptive: true }),
  };
  return Object.keys(reasoning).length > 0 ? reasoning : undefined;
}

/** `output_format` is the older place of `output_config.format`. */
function responseFormatOf(body: JsonObject): ResponseFormat | undefined {
  const { format = body.output_format } = objectOf(body.output_config);
  if (!isObject(format) || format.type !== 'json_schema' || !isObject(format.schema)) return undefined;
  return { type: 'json-schema', name: textOf(format.name) || 'response', schema: format.schema };
}
