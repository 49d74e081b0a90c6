import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';

/** The fields of a Chat Completions request that OpenAI's API knows; it refuses all others. */
const TOP = new Set(
  `model messages audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
  metadata modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning_effort
  response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
  top_logprobs top_p user verbosity web_search_options`.split(/\s+/),
);

const MESSAGE: Readonly<Record<string, ReadonlySet<string>>> = {
  system: new Set(['role', 'content', 'name']),
  developer: new Set(['role', 'content', 'name']),
  user: new Set(['role', 'content', 'name']),
  assistant: new Set(['role', 'content', 'name', 'refusal', 'audio', 'tool_calls', 'function_call']),
  tool: new Set(['role', 'content', 'tool_call_id']),
};

const PART: Readonly<Record<string, string>> = {
  text: 'text',
  image_url: 'image_url',
  input_audio: 'input_audio',
  file: 'file',
  refusal: 'refusal',
};

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** What OpenAI's API would refuse a body for; empty when there is nothing. Stricter than any one deployment. */
export function problemsIn(body: JsonObject): string[] {
  const problems = unknownFields(body, TOP, 'body');
  const messages = objects(body.messages);
  if (messages.length === 0) problems.push('messages: empty');
  problems.push(...messages.flatMap((message, index) => problemsOfMessage(message, `messages.${index}`)));
  problems.push(...unansweredCalls(messages), ...problemsOfTools(body));
  if (typeof body.user === 'string' && body.user.length > 64) problems.push('user: too long');
  if (Array.isArray(body.stop) && body.stop.length > 4) problems.push('stop: too many');
  if (body.stream !== true && body.stream_options !== undefined) problems.push('stream_options: without stream');
  if ('max_tokens' in body && 'max_completion_tokens' in body) problems.push('max_tokens: twice');
  return problems;
}

function problemsOfMessage(message: JsonObject, at: string): string[] {
  const role = String(message.role);
  const known = MESSAGE[role];
  if (!known) return [`${at}.role: ${role}`];
  const problems = unknownFields(message, known, at);
  const calls = objects(message.tool_calls);
  const needsContent = role !== 'assistant' || (calls.length === 0 && !message.refusal && !message.function_call);
  if (needsContent && (message.content === null || message.content === undefined))
    problems.push(`${at}.content: missing`);
  if (role === 'user' && message.content === '') problems.push(`${at}.content: empty`);
  if (role === 'tool' && typeof message.content !== 'string') problems.push(`${at}.content: not a text`);
  if (Array.isArray(message.content)) {
    if (message.content.length === 0) problems.push(`${at}.content: empty`);
    problems.push(...message.content.flatMap((part, index) => problemsOfPart(part, role, `${at}.content.${index}`)));
  }
  if (Array.isArray(message.tool_calls) && calls.length === 0) problems.push(`${at}.tool_calls: empty`);
  return [...problems, ...calls.flatMap((call, index) => problemsOfCall(call, `${at}.tool_calls.${index}`))];
}

function problemsOfPart(part: JsonValue, role: string, at: string): string[] {
  if (!isObject(part)) return [`${at}: not an object`];
  const field = PART[String(part.type)];
  if (!field || part[field] === undefined) return [`${at}.type: ${String(part.type)}`];
  const problems = unknownFields(part, new Set(['type', field]), at);
  if (part.type === 'text' && part.text === '') problems.push(`${at}.text: empty`);
  if (part.type !== 'text' && role !== 'user') problems.push(`${at}: only users may send ${String(part.type)}`);
  return problems;
}

function problemsOfCall(call: JsonObject, at: string): string[] {
  const problems = unknownFields(call, new Set(['id', 'type', 'function']), at);
  const definition = isObject(call.function) ? call.function : {};
  if (typeof call.id !== 'string' || call.id === '' || call.id.length > 64)
    problems.push(`${at}.id: ${String(call.id)}`);
  if (!NAME.test(String(definition.name))) problems.push(`${at}.function.name: ${String(definition.name)}`);
  if (typeof definition.arguments !== 'string') problems.push(`${at}.function.arguments: not a text`);
  else if (!isJson(definition.arguments)) problems.push(`${at}.function.arguments: ${definition.arguments}`);
  return problems;
}

/** Every call is answered by a tool message right behind it; no tool message answers anything else. */
function unansweredCalls(messages: readonly JsonObject[]): string[] {
  const problems: string[] = [];
  let waiting: string[] = [];
  messages.forEach((message, index) => {
    if (message.role === 'tool') {
      const id = String(message.tool_call_id);
      if (waiting[0] !== id) problems.push(`messages.${index}: answers ${id}, expected ${String(waiting[0])}`);
      waiting = waiting.filter((other) => other !== id);
      return;
    }
    if (waiting.length > 0) problems.push(`messages.${index}: calls ${waiting.join()} are not answered before it`);
    waiting = objects(message.tool_calls).map((call) => String(call.id));
  });
  if (waiting.length > 0) problems.push(`calls ${waiting.join()} are not answered at all`);
  return problems;
}

function problemsOfTools(body: JsonObject): string[] {
  if (body.tools === undefined) return body.tool_choice === undefined ? [] : ['tool_choice: without tools'];
  const tools = objects(body.tools);
  if (tools.length === 0) return ['tools: empty'];
  const names = tools.map((tool) => (isObject(tool.function) ? String(tool.function.name) : ''));
  const twice = names.filter((name, index) => names.indexOf(name) !== index).map((name) => `tools: ${name} twice`);
  return [...twice, ...tools.flatMap((tool, index) => problemsOfTool(tool, `tools.${index}`))];
}

function problemsOfTool(tool: JsonObject, at: string): string[] {
  const definition = isObject(tool.function) ? tool.function : {};
  const known = new Set(['name', 'description', 'parameters', 'strict']);
  const problems = [...unknownFields(tool, new Set(['type', 'function']), at), ...unknownFields(definition, known, at)];
  if (tool.type !== 'function') problems.push(`${at}.type: ${String(tool.type)}`);
  if (!NAME.test(String(definition.name))) problems.push(`${at}.name: ${String(definition.name)}`);
  const schema = isObject(definition.parameters) ? definition.parameters : {};
  if (schema.type !== 'object' || !isObject(schema.properties)) problems.push(`${at}.parameters: not an object schema`);
  return problems;
}

const unknownFields = (of: JsonObject, known: ReadonlySet<string>, at: string): string[] =>
  Object.keys(of)
    .filter((key) => of[key] !== undefined && !known.has(key))
    .map((key) => `${at}: unknown field ${key}`);

const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
