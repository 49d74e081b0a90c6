import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import type { EncodeTarget } from '../codec.ts';
import { isEffort } from '../efforts.ts';
import type { Ledger } from '../ledger.ts';
import { copyOf, membersBeside } from '../members.ts';
import { effortOf } from '../openai-effort.ts';
import { jsonSchemaFormat } from '../openai-format.ts';
import { fittingUser } from '../openai-user.ts';
import { accountForName } from '../schema-name.ts';
import { offersOlderOnly } from './tool-forms.ts';
import { objectOf, originOf, ownBlock, textOf } from './wire.ts';

/** Fields that other members of a request say whole, so that they are not kept a second time with the settings. */
const HELD_ELSEWHERE: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'tools',
  'functions',
  'tool_choice',
  'function_call',
  'stream',
  'stream_options',
  'fallbacks',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'parallel_tool_calls',
]);

export function decodeSettings(body: JsonObject): Settings {
  const settings: Writable<Settings> = { origin: originOf(membersBeside(HELD_ELSEWHERE, body)) };
  const maxOutputTokens = body.max_completion_tokens ?? body.max_tokens;
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  const reasoning = reasoningOf(body);
  const responseFormat = responseFormatOf(body.response_format);
  if (typeof maxOutputTokens === 'number') settings.maxOutputTokens = maxOutputTokens;
  if (typeof body.temperature === 'number') settings.temperature = body.temperature;
  if (typeof body.top_p === 'number') settings.topP = body.top_p;
  if (typeof body.top_k === 'number') settings.topK = body.top_k;
  if (Array.isArray(stop)) settings.stopSequences = stop.map(textOf);
  if (typeof body.seed === 'number') settings.seed = body.seed;
  if (typeof body.presence_penalty === 'number') settings.presencePenalty = body.presence_penalty;
  if (typeof body.frequency_penalty === 'number') settings.frequencyPenalty = body.frequency_penalty;
  if (typeof body.parallel_tool_calls === 'boolean') settings.parallelToolCalls = body.parallel_tool_calls;
  else if (offersOlderOnly(body)) settings.parallelToolCalls = false;
  if (typeof body.user === 'string') settings.user = body.user;
  if (reasoning) settings.reasoning = reasoning;
  if (responseFormat) settings.responseFormat = responseFormat;
  return settings;
}

/** `reasoning_effort` is OpenAI's; the object and `reasoning_max_tokens` are OpenRouter's and Bifrost's. */
function reasoningOf(body: JsonObject): ReasoningSettings | undefined {
  const reasoning = objectOf(body.reasoning);
  const effort = reasoning.effort ?? body.reasoning_effort;
  const budgetTokens = reasoning.max_tokens ?? body.reasoning_max_tokens;
  if (reasoning.enabled === false) return { effort: 'none' };
  const knowsEffort = isEffort(effort);
  const hasBudget = typeof budgetTokens === 'number';
  const adaptive = reasoning.enabled === true;
  if (!knowsEffort && !hasBudget && !adaptive) return undefined;
  return {
    ...(knowsEffort && { effort }),
    ...(hasBudget && { budgetTokens }),
    ...(adaptive && { adaptive }),
  };
}

function responseFormatOf(format: JsonValue | undefined): ResponseFormat | undefined {
  const { type, json_schema: definition } = objectOf(format);
  if (type === 'json_object') return { type: 'json-object' };
  return type === 'json_schema' ? jsonSchemaFormat(objectOf(definition)) : undefined;
}

const MAX_STOP_SEQUENCES = 4;

/** The top-level fields that settings become; the client's other fields too, when they are of this format. */
export function settingsFields(
  settings: Settings,
  target: EncodeTarget,
  hasTools: boolean,
  ledger: Ledger,
): JsonObject {
  const own = ownBlock(settings.origin);
  const body = own ? copyOf(own) : translatedFields(settings, target, ledger);
  const { temperature, topP, seed, presencePenalty, frequencyPenalty, parallelToolCalls, maxOutputTokens } = settings;
  if (temperature !== undefined) body.temperature = temperature;
  if (topP !== undefined) body.top_p = topP;
  if (settings.stopSequences?.length) body.stop = fittingStops(settings.stopSequences, ledger);
  if (seed !== undefined) body.seed = seed;
  if (presencePenalty !== undefined) body.presence_penalty = presencePenalty;
  if (frequencyPenalty !== undefined) body.frequency_penalty = frequencyPenalty;
  if (parallelToolCalls !== undefined && hasTools) body.parallel_tool_calls = parallelToolCalls;
  if (maxOutputTokens !== undefined) body[target.maxTokensField ?? 'max_completion_tokens'] = maxOutputTokens;
  return body;
}

function fittingStops(stopSequences: readonly string[], ledger: Ledger): string[] {
  if (stopSequences.length > MAX_STOP_SEQUENCES) {
    ledger.rewritten('stop', `the API takes at most ${MAX_STOP_SEQUENCES} stop sequences, not ${stopSequences.length}`);
  }
  return stopSequences.slice(0, MAX_STOP_SEQUENCES);
}

/** Settings of another format in this one's words. */
function translatedFields(settings: Settings, target: EncodeTarget, ledger: Ledger): JsonObject {
  const { topK, responseFormat } = settings;
  if (topK !== undefined) ledger.dropped('top_k', 'Chat Completions has no such field');
  const effort = effortOf(settings, target, 'reasoning_effort', ledger);
  const user = fittingUser(settings, ledger);
  const fields: JsonObject = {};
  if (user !== undefined) fields.user = user;
  if (effort) fields.reasoning_effort = effort;
  if (responseFormat) fields.response_format = wireFormat(responseFormat, settings, ledger);
  return fields;
}

function wireFormat(format: ResponseFormat, { origin }: Settings, ledger: Ledger): JsonObject {
  if (format.type === 'json-object') return { type: 'json_object' };
  accountForName('response_format.json_schema.name', origin, ledger);
  const { name, schema, strict } = format;
  return { type: 'json_schema', json_schema: { name, schema, ...(strict !== undefined && { strict }) } };
}
