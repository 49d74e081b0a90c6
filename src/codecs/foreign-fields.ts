import type { CodecId, Origin, Part } from '../model/content.ts';
import { isObject, type JsonObject, type JsonValue, ownValue } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest, Tool } from '../model/request.ts';
import { unknownChoices } from './foreign-choices.ts';
import { WORDS, type Words } from './foreign-words.ts';
import { objectOf } from './members.ts';
import { isNative } from './native-tools.ts';
import { isOlderTool } from './openai-chat/tool-forms.ts';

/**
 * What the client's own blocks say beside what the model of requests holds: nobody translates it, so leaving the format
 * drops it. One walk for every target, so that no codec can forget a field. Where a part is left out as a whole, its
 * codec says so. `carried`: ends of paths for which this target has words all the same.
 */
export function accountForForeign(
  { messages, tools, settings, raw }: Pick<ChatRequest, 'messages' | 'tools' | 'settings' | 'raw'>,
  target: CodecId,
  losses: Loss[],
  carried: readonly string[] = [],
): void {
  const drop = (field: string) => {
    if (!carried.some((suffix) => field.endsWith(suffix)))
      losses.push({ field, action: 'dropped', reason: `${target} has no such field` });
  };
  for (const { parts } of messages) {
    accountForParts(parts, target, drop);
    if (parts.some((part) => part.type === 'tool-call' && isCustomCall(part.origin, target))) {
      losses.push(asFunction('input.*.input', 'a call with free text'));
    }
    if (target !== 'openai-responses' && parts.some(({ origin }) => isNative(origin))) losses.push(...NATIVE_CALLS);
    if (parts.some((part) => holdsSearchResult(part, target))) losses.push(SEARCH_RESULT_AS_TEXT);
  }
  tools.forEach(({ origin, type }, index) => {
    if (!origin || origin.codec === target || type !== 'function') return;
    accountForTool(origin, `tools.${index}`, drop);
    if (isFreeText(origin)) {
      for (const field of ['parameters', 'description', 'format'])
        losses.push(asFunction(`tools.${index}.${field}`, 'a tool that takes free text'));
    }
    if (isKnownByName(origin) || isNative(origin)) {
      for (const field of ['description', 'parameters', ...(origin.block.strict === undefined ? [] : ['strict'])])
        losses.push(asFunction(`tools.${index}.${field}`, 'a tool that its model knows by name'));
    }
  });
  if (settings.parallelToolCalls === false && tools.some(isOlder)) losses.push(ONE_CALL);
  if (raw && raw.codec !== target && allowsSomeOnly(raw.body)) losses.push(NOT_OFFERED);
  const { origin } = settings;
  if (!origin || origin.codec === target) return;
  unsaid(origin.block, WORDS[origin.codec].settings, '', drop);
  const { responseSchema } = objectOf(origin.block.generationConfig);
  if (hasOrder(responseSchema)) drop('generationConfig.responseSchema.propertyOrdering');
  for (const field of unknownChoices(origin)) drop(field);
}

/** `allowed_tools` of OpenAI's two formats, and the names that Gemini's calling config allows: decoding leaves the others out. */
function allowsSomeOnly({ tool_choice: choice, toolConfig }: JsonObject): boolean {
  const { allowedFunctionNames: names } = objectOf(objectOf(toolConfig).functionCallingConfig);
  return objectOf(choice).type === 'allowed_tools' || (Array.isArray(names) && names.length > 0);
}

const NOT_OFFERED: Loss = {
  field: 'tools',
  action: 'dropped',
  reason: 'only tools that the choice allows are offered; this format cannot offer one and forbid it',
};

const asFunction = (field: string, what: string): Loss => ({
  field,
  action: 'rewritten',
  reason: `${what} is told as a function here`,
});

const NATIVE_CALLS: readonly Loss[] = ['action', 'operation', 'output'].map((field) =>
  asFunction(`input.*.${field}`, "a tool of OpenAI's models that the client runs"),
);

const isOlder = ({ origin }: Tool): boolean => origin?.codec === 'openai-chat' && isOlderTool(origin.block);

const ONE_CALL: Loss = {
  field: 'parallel_tool_calls',
  action: 'invented',
  reason: 'an answer in the older form of tools holds one call',
};

/** Custom tools of OpenAI's formats. */
const isFreeText = ({ block }: Origin): boolean => block.type === 'custom';

/** Calls of them are told with free text by both formats. */
const isCustomCall = (origin: Origin | undefined, target: CodecId): boolean =>
  origin?.codec === 'openai-responses'
    ? target !== 'openai-responses' && origin.block.type === 'custom_tool_call'
    : origin?.codec === 'openai-chat' && !target.startsWith('openai') && origin.block.type === 'custom';

/** What a client found by itself, for Claude to cite; also inside of the results of tools. */
const holdsSearchResult = (part: Part, target: CodecId): boolean =>
  part.type === 'tool-result'
    ? part.content.some((inner) => holdsSearchResult(inner, target))
    : part.origin !== undefined && part.origin.codec !== target && isSearchResult(part.origin.block);

const isSearchResult = ({ type, searchResult }: JsonObject): boolean =>
  type === 'search_result' || isObject(searchResult);

const SEARCH_RESULT_AS_TEXT: Loss = {
  field: 'messages.*.content.*.title',
  action: 'rewritten',
  reason: 'a search result is told as text here: its title, its source and what it says',
};

/** Anthropic's tools that the client runs (bash, text editor) come without a schema: Claude was trained on them. */
const isKnownByName = ({ codec, block }: Origin): boolean =>
  codec === 'anthropic-messages' && block.input_schema === undefined && typeof block.type === 'string';

type Drop = (field: string) => void;

function accountForParts(parts: readonly Part[], target: CodecId, drop: Drop): void {
  for (const part of parts) {
    const { origin } = part;
    if (!origin || origin.codec === target) continue;
    const { at, part: words } = WORDS[origin.codec];
    // opaque parts are dropped whole, which the target's codec says; beside chat content they are the message's fields
    if (part.type !== 'opaque') unsaid(origin.block, words, `${at}.`, drop);
    else if (isObject(origin.block.message)) unsaid(origin.block.message, words, 'messages.*.', drop);
    if (part.type === 'tool-result') accountForParts(part.content, target, drop);
  }
}

function accountForTool({ codec, block }: Origin, at: string, drop: Drop): void {
  const { tool } = WORDS[codec];
  unsaid(block, tool, `${at}.`, drop);
  const [inner] = Array.isArray(block.tools) ? block.tools : [];
  if (!isObject(inner)) return;
  unsaid(inner, tool, `${at}.tools.0.`, drop);
  if (says(block.description)) drop(`${at}.description`);
}

/**
 * Names every member that `words` do not know; members of members where they know only some of those. `isSaid`: whether
 * a value says anything at all.
 */
export function unsaid(block: JsonObject, words: Words, at: string, drop: Drop, isSaid = says): void {
  for (const key in block) {
    const value = block[key];
    const known = ownValue(words, key);
    if (known === true || !isSaid(value)) continue;
    if (known === undefined || !isObject(value)) drop(at + key);
    else unsaid(value, known, `${at}${key}.`, drop, isSaid);
  }
}

export const says = (value: JsonValue | undefined): boolean => value !== undefined && value !== null && value !== '';

/** JSON Schema, into which Google's own kind of schema is read, knows no order of properties. */
const hasOrder = (schema: JsonValue | undefined): boolean =>
  isObject(schema) &&
  (schema.propertyOrdering !== undefined ||
    schema.property_ordering !== undefined ||
    Object.values(schema).some((member) => hasOrder(member)));
