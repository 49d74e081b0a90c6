import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { AnswerHead } from '../codec.ts';
import { addMembers } from '../members.ts';

/** What a response says of itself where the request said nothing, null where the API says null: clients that check refuse one that leaves it out. */
const SILENT: JsonObject = {
  background: false,
  completed_at: null,
  error: null,
  frequency_penalty: 0,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  parallel_tool_calls: true,
  presence_penalty: 0,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'default',
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  user: null,
  metadata: {},
};

/** Fields of the request that a response repeats. What is never done here (`store`, `background`) is not claimed. */
const REPEATED: readonly string[] = [
  ...['frequency_penalty', 'instructions', 'max_output_tokens', 'max_tool_calls', 'metadata', 'parallel_tool_calls'],
  ...['presence_penalty', 'prompt_cache_key', 'reasoning', 'safety_identifier', 'temperature', 'text', 'tool_choice'],
  ...['top_logprobs', 'top_p', 'truncation', 'user'],
];

/** The members with which every response repeats its request (OpenAI Responses API, the response object). */
export function echoOf({ asked }: AnswerHead): JsonObject {
  const echo: JsonObject = { ...SILENT };
  if (!asked) return echo;
  for (const field of REPEATED) {
    const value = asked.body[field];
    if (value === undefined || value === null) continue;
    const silent = SILENT[field];
    echo[field] = isObject(value) && isObject(silent) ? { ...silent, ...value } : value;
  }
  echo.tools = toolsOf(asked.body);
  return echo;
}

const toolsOf = ({ tools }: JsonObject): JsonValue[] => (Array.isArray(tools) ? tools.map(toldWhole) : []);

/** Clients that check want every member of a function named, also where the client said nothing. */
const toldWhole = (tool: JsonValue): JsonValue =>
  isObject(tool) && tool.type === 'function' ? { description: null, parameters: null, strict: null, ...tool } : tool;

/** What the upstream said of its own response: the tools that it names may be ours too, so the client's stand there. */
export function addUpstreamFields(response: JsonObject, own: JsonObject, { asked }: AnswerHead): void {
  addMembers(response, own);
  if (own.tools !== undefined && asked) response.tools = toolsOf(asked.body);
}
