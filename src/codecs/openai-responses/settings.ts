import type { JsonObject } from '../../model/json.ts';
import type { ReasoningSettings, ResponseFormat, Settings } from '../../model/request.ts';
import type { EncodeTarget } from '../codec.ts';
import { isEffort } from '../efforts.ts';
import type { Ledger } from '../ledger.ts';
import { effortOf } from '../openai-effort.ts';
import { jsonSchemaFormat } from '../openai-format.ts';
import { userField } from '../openai-user.ts';
import { accountForName } from '../schema-name.ts';
import { objectOf, originOf, ownBlock, without } from './wire.ts';

/** Fields that other members of a request say whole, so that they are not kept a second time with the settings. */
const HELD_ELSEWHERE = [
  'model',
  'input',
  'instructions',
  'tools',
  'stream',
  'stream_options',
  'fallbacks',
  'max_output_tokens',
  'temperature',
  'top_p',
  'parallel_tool_calls',
];

/** `keepsChoice`: the tool choice says what only this format can say, so it stays with the settings. */
export function decodeSettings(body: JsonObject, keepsChoice: boolean): Settings {
  const reasoning = reasoningOf(objectOf(body.reasoning));
  const responseFormat = formatOf(objectOf(objectOf(body.text).format));
  const rest = without(body, ...HELD_ELSEWHERE, ...(keepsChoice ? [] : ['tool_choice']));
  return {
    ...(typeof body.max_output_tokens === 'number' && { maxOutputTokens: body.max_output_tokens }),
    ...(typeof body.temperature === 'number' && { temperature: body.temperature }),
    ...(typeof body.top_p === 'number' && { topP: body.top_p }),
    ...(typeof body.parallel_tool_calls === 'boolean' && { parallelToolCalls: body.parallel_tool_calls }),
    ...(typeof body.user === 'string' && { user: body.user }),
    ...(reasoning && { reasoning }),
    ...(responseFormat && { responseFormat }),
    origin: originOf(rest),
  };
}

/** `max_tokens` is Bifrost's. */
function reasoningOf({ effort, max_tokens: budgetTokens }: JsonObject): ReasoningSettings | undefined {
  const settings: ReasoningSettings = {
    ...(isEffort(effort) && { effort }),
    ...(typeof budgetTokens === 'number' && { budgetTokens }),
  };
  return Object.keys(settings).length > 0 ? settings : undefined;
}

function formatOf(format: JsonObject): ResponseFormat | undefined {
  if (format.type === 'json_object') return { type: 'json-object' };
  return format.type === 'json_schema' ? jsonSchemaFormat(format) : undefined;
}

/** The smallest limit that the API takes (Responses API, max_output_tokens). */
const MIN_OUTPUT_TOKENS = 16;

/** The top-level fields that settings become; the client's other fields too, when they are of this format. */
export function settingsFields(
  settings: Settings,
  target: EncodeTarget,
  hasTools: boolean,
  ledger: Ledger,
): JsonObject {
  const { temperature, topP, parallelToolCalls, maxOutputTokens } = settings;
  const body: JsonObject = {
    ...(ownBlock(settings.origin) ?? translatedFields(settings, target, ledger)),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(parallelToolCalls !== undefined && hasTools && { parallel_tool_calls: parallelToolCalls }),
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
  };
  limit(body, target, ledger);
  return body;
}

/** Brings what a body asks for between the API's least and the model's most. `body` is ours to change. */
export function limit(body: JsonObject, { maxOutputTokens, model }: EncodeTarget, ledger: Ledger): void {
  const asked = body.max_output_tokens;
  if (typeof asked !== 'number') return;
  const fitting = Math.max(Math.min(asked, maxOutputTokens ?? asked), MIN_OUTPUT_TOKENS);
  if (fitting === asked) return;
  body.max_output_tokens = fitting;
  ledger.rewritten('max_output_tokens', `${model} takes at least ${MIN_OUTPUT_TOKENS} and gives at most ${fitting}`);
}

/** Settings of another format in this one's words. Nobody who asks in another format means to store anything. */
function translatedFields(settings: Settings, target: EncodeTarget, ledger: Ledger): JsonObject {
  dropUnknown(settings, ledger);
  const { responseFormat } = settings;
  const effort = effortOf(settings, target, 'reasoning.effort', ledger);
  ledger.invented('store', 'who asks in another format means to store nothing');
  if (effort) ledger.invented('reasoning.summary', 'thinking that is asked for is shown');
  if (target.reasoning === true) ledger.invented('include', 'thinking that is not stored must be encrypted');
  return {
    store: false,
    ...userField(settings, ledger),
    ...(effort && { reasoning: { effort, summary: 'auto' } }),
    ...(responseFormat && { text: { format: wireFormat(responseFormat, settings, ledger) } }),
    ...(target.reasoning === true && { include: [ENCRYPTED_REASONING] }),
  };
}

/** Without it, a model whose responses are not stored cannot be given its own thinking back. */
export const ENCRYPTED_REASONING = 'reasoning.encrypted_content';

function dropUnknown(settings: Settings, ledger: Ledger): void {
  const { topK, stopSequences, seed, presencePenalty, frequencyPenalty } = settings;
  const fields = {
    top_k: topK,
    stop: stopSequences,
    seed,
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
  };
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined) ledger.dropped(field, 'the Responses API has no such field');
  }
}

function wireFormat(format: ResponseFormat, { origin }: Settings, ledger: Ledger): JsonObject {
  if (format.type === 'json-object') return { type: 'json_object' };
  accountForName('text.format.name', origin, ledger);
  const { name, schema, strict } = format;
  return { type: 'json_schema', name, schema, ...(strict !== undefined && { strict }) };
}
