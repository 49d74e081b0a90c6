import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';

/** The fields of a Responses request that OpenAI's API knows; it refuses all others. */
const TOP = new Set(
  `model input instructions background conversation include max_output_tokens max_tool_calls metadata
  parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning safety_identifier
  service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user`.split(
    /\s+/,
  ),
);

const ITEM: Readonly<Record<string, ReadonlySet<string>>> = {
  message: new Set(['type', 'id', 'role', 'status', 'content', 'phase']),
  function_call: new Set(['type', 'id', 'call_id', 'name', 'namespace', 'arguments', 'status']),
  function_call_output: new Set(['type', 'id', 'call_id', 'output', 'status']),
  custom_tool_call: new Set(['type', 'id', 'call_id', 'name', 'input']),
  custom_tool_call_output: new Set(['type', 'id', 'call_id', 'output']),
  reasoning: new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status']),
};

const PART: Readonly<Record<string, ReadonlySet<string>>> = {
  input_text: new Set(['type', 'text']),
  output_text: new Set(['type', 'text', 'annotations', 'logprobs']),
  refusal: new Set(['type', 'refusal']),
  input_image: new Set(['type', 'detail', 'image_url', 'file_id']),
  input_file: new Set(['type', 'filename', 'file_data', 'file_url', 'file_id']),
};

/** What OpenAI's API would refuse a body for; empty when there is nothing. */
export function problemsIn(body: JsonObject): string[] {
  const problems = unknownFields(body, TOP, 'body');
  const items = objects(body.input);
  if (items.length === 0) problems.push('input: empty');
  problems.push(...items.flatMap((item, at) => problemsOfItem(item, `input.${at}`)), ...unpairedCalls(items));
  for (const [at, tool] of objects(body.tools).entries()) {
    if (tool.type !== 'function') continue;
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(String(tool.name))) problems.push(`tools.${at}.name: ${String(tool.name)}`);
    if (typeof tool.strict !== 'boolean') problems.push(`tools.${at}.strict: missing`);
    if (!isObject(tool.parameters) || !isObject(tool.parameters.properties)) problems.push(`tools.${at}.parameters`);
  }
  if (typeof body.user === 'string' && body.user.length > 64) problems.push('user: too long');
  if (typeof body.max_output_tokens === 'number' && body.max_output_tokens < 16) problems.push('max_output_tokens');
  return problems;
}

function problemsOfItem(item: JsonObject, at: string): string[] {
  const known = ITEM[String(item.type)];
  if (!known) return [`${at}.type: ${String(item.type)}`];
  const problems = unknownFields(item, known, at);
  if (typeof item.call_id === 'string' && item.call_id.length > 64) problems.push(`${at}.call_id: too long`);
  if (item.type !== 'message') return problems;
  const kind = item.role === 'assistant' ? /^(output_text|refusal)$/ : /^input_/;
  for (const [nth, part] of objects(item.content).entries()) {
    const place = `${at}.content.${nth}`;
    if (!kind.test(String(part.type))) problems.push(`${place}.type: ${String(part.type)} as ${String(item.role)}`);
    problems.push(...unknownFields(part, PART[String(part.type)] ?? new Set(), place));
  }
  return problems;
}

function unpairedCalls(items: readonly JsonObject[]): string[] {
  const ids = (pattern: RegExp) => items.filter(({ type }) => pattern.test(String(type))).map(({ call_id }) => call_id);
  const [calls, outputs] = [ids(/_call$/), ids(/_call_output$/)];
  return [
    ...calls.filter((id) => !outputs.includes(id)).map((id) => `unanswered: ${String(id)}`),
    ...outputs.filter((id) => !calls.includes(id)).map((id) => `unasked: ${String(id)}`),
  ];
}

const unknownFields = (value: JsonObject, known: ReadonlySet<string>, at: string): string[] =>
  Object.keys(value)
    .filter((field) => !known.has(field))
    .map((field) => `${at}: unknown field ${field}`);

const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
