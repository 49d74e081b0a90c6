import type { JsonObject } from '../../model/json.ts';
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
import { objectOf, originOf, ownBlock } from './wire.ts';

/** Fields that other members of a request say whole, so that they are not kept a second time with the settings. */
const HELD_ELSEWHERE: ReadonlySet<string> = new Set([
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
]);
const HELD_WITH_CHOICE: ReadonlySet<string> = new Set([...HELD_ELSEWHERE, 'tool_choice']);

/** `keepsChoice`: the tool choice says what only this format can say, so it stays with the settings. */
export function decodeSettings(body: JsonObject, keepsChoice: boolean): Settings {
  const held = keepsChoice ? HELD_ELSEWHERE : HELD_WITH_CHOICE;
  const settings: Writable<Settings> = { origin: originOf(membersBeside(held, body)) };
  const reasoning = reasoningOf(objectOf(body.reasoning));
  const responseFormat = formatOf(objectOf(objectOf(body.text).format));
  if (typeof body.max_output_tokens === 'number') settings.maxOutputTokens = body.max_output_tokens;
  if (typeof body.temperature === 'number') settings.temperature = body.temperature;
  if (typeof body.top_p === 'number') settings.topP = body.top_p;
  if (typeof body.parallel_tool_calls === 'boolean') settings.parallelToolCalls = body.parallel_tool_calls;
  if (typeof body.user === 'string') settings.user = body.user;
  if (reasoning) settings.reasoning = reasoning;
  if (responseFormat) settings.responseFormat = responseFormat;
  return settings;
}

/** `max_tokens` is Bifrost's. */
function reasoningOf({ effort, max_tokens: budgetTokens }: JsonObject): ReasoningSettings | undefined {
  const knowsEffort = isEffort(effort);
  const hasBudget = typeof budgetTokens === 'number';
  if (!knowsEffort && !hasBudget) return undefined;
  return { ...(knowsEffort && { effort }), ...(hasBudget && { budgetTokens }) };
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
  const own = ownBlock(settings.origin);
  const body = own ? copyOf(own) : translatedFields(settings, target, ledger);
  if (temperature !== undefined) body.temperature = temperature;
  if (topP !== undefined) body.top_p = topP;
  if (parallelToolCalls !== undefined && hasTools) body.parallel_tool_calls = parallelToolCalls;
  if (maxOutputTokens !== undefined) body.max_output_tokens = maxOutputTokens;
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
  const user = fittingUser(settings, ledger);
  const fields: JsonObject = { store: false };
  if (user !== undefined) fields.user = user;
  if (effort) fields.reasoning = { effort, summary: 'auto' };
  if (responseFormat) fields.text = { format: wireFormat(responseFormat, settings, ledger) };
  if (target.reasoning === true) fields.include = [ENCRYPTED_REASONING];
  return fields;
}

/** Without it, a model whose responses are not stored cannot be given its own thinking back. */
export const ENCRYPTED_REASONING = 'reasoning.encrypted_content';

function dropUnknown(settings: Settings, ledger: Ledger): void {
  const dropped = (field: string): void => ledger.dropped(field, 'the Responses API has no such field');
  if (settings.topK !== undefined) dropped('top_k');
  if (settings.stopSequences !== undefined) dropped('stop');
  if (settings.seed !== undefined) dropped('seed');
  if (settings.presencePenalty !== undefined) dropped('presence_penalty');
  if (settings.frequencyPenalty !== undefined) dropped('frequency_penalty');
}

function wireFormat(format: ResponseFormat, { origin }: Settings, ledger: Ledger): JsonObject {
  if (format.type === 'json-object') return { type: 'json_object' };
  accountForName('text.format.name', origin, ledger);
  const { name, schema, strict } = format;
  return { type: 'json_schema', name, schema, ...(strict !== undefined && { strict }) };
}
