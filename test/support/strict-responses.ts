import type { JsonObject } from '../../src/model/json.ts';
import { jsonWord, numberOfTools, openAiRefusal, reasons } from './strict-openai-chat.ts';
import { strictSchemaProblems } from './strict-schemas.ts';
import {
  firstOf,
  isSealed,
  objectOf,
  objectsOf,
  pieces,
  type Rule,
  type StrictAnswer,
  type StrictApi,
  type StrictRequest,
  seal,
  sse,
  textOf,
  unknownField,
} from './strict-server.ts';

const MAKER = 'openai';
const API = 'OpenAI API reference, Responses';

const TOP = [
  ...['model', 'input', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'stream', 'stream_options'],
  ...['store', 'include', 'reasoning', 'text', 'temperature', 'top_p', 'top_logprobs', 'max_output_tokens', 'user'],
  ...['max_tool_calls', 'metadata', 'previous_response_id', 'conversation', 'prompt', 'prompt_cache_key'],
  ...['prompt_cache_retention', 'safety_identifier', 'service_tier', 'truncation', 'background', 'client_metadata'],
  'context_management',
];

const ITEM_FIELDS: Readonly<Record<string, readonly string[]>> = {
  message: ['type', 'id', 'role', 'content', 'status', 'phase', 'internal_chat_message_metadata_passthrough'],
  reasoning: ['type', 'id', 'summary', 'content', 'encrypted_content', 'status'],
  function_call: ['type', 'id', 'call_id', 'name', 'arguments', 'status', 'namespace'],
  function_call_output: ['type', 'id', 'call_id', 'output', 'status'],
  custom_tool_call: ['type', 'id', 'call_id', 'name', 'input', 'namespace'],
  custom_tool_call_output: ['type', 'id', 'call_id', 'output'],
};

const ID_PREFIX: Readonly<Record<string, string>> = { message: 'msg', reasoning: 'rs', function_call: 'fc' };

const itemsOf = ({ body }: StrictRequest): JsonObject[] => objectsOf(body.input);
const typeOf = ({ type }: JsonObject): string => textOf(type) || 'message';
const isCall = (item: JsonObject): boolean =>
  /^(function|custom_tool|computer|local_shell|shell|apply_patch)_call$/.test(typeOf(item));
const isOutput = (item: JsonObject): boolean => /_call_output$/.test(typeOf(item));

const RULES: readonly Rule[] = [
  {
    rule: 'unknown fields',
    source: API,
    problem: (request) => {
      const field = unknownField(request.body, TOP);
      if (field) return `Unknown parameter: '${field}'.`;
      return firstOf(itemsOf(request), (item, at) => {
        const known = ITEM_FIELDS[typeOf(item)];
        if (!known) return undefined;
        const inside = unknownField(item, known);
        return inside && `Unknown parameter: 'input[${at}].${inside}'.`;
      });
    },
  },
  numberOfTools,
  {
    rule: 'unanswered calls and outputs of no call',
    source: 'design/pitfalls B8',
    problem: (request) => {
      const items = itemsOf(request);
      const calls = items.filter(isCall).map((item) => textOf(item.call_id));
      const outputs = items.filter(isOutput).map((item) => textOf(item.call_id));
      const open = calls.find((id) => !outputs.includes(id));
      if (open) return `No tool output found for function call ${open}.`;
      const orphan = request.body.previous_response_id ? undefined : outputs.find((id) => !calls.includes(id));
      return orphan && `No tool call found for function call output with call_id ${orphan}.`;
    },
  },
  {
    rule: 'ids',
    source: 'design/pitfalls B2',
    problem: (request) =>
      firstOf(itemsOf(request), (item, at) => {
        const { call_id: callId, id } = item;
        if (textOf(callId).length > 64) {
          return `Invalid 'input[${at}].call_id': string too long. Expected a string with maximum length 64, but got a string with length ${textOf(callId).length} instead.`;
        }
        const prefix = ID_PREFIX[typeOf(item)];
        return id !== undefined && prefix !== undefined && !textOf(id).startsWith(prefix)
          ? `Invalid 'input[${at}].id': '${textOf(id)}'. Expected an ID that begins with '${prefix}'.`
          : undefined;
      }),
  },
  {
    rule: 'reasoning stands with what it led to, has a summary, and can be read',
    source: 'design/pitfalls D11',
    problem: (request) => {
      const items = itemsOf(request);
      return firstOf(items, (item, at) => {
        if (typeOf(item) !== 'reasoning') return undefined;
        if (!Array.isArray(item.summary)) return `Missing required parameter: 'input[${at}].summary'.`;
        const next = items.slice(at + 1).find((one) => typeOf(one) !== 'reasoning');
        if (!next || !(isCall(next) || next.role === 'assistant')) {
          return `Item '${textOf(item.id)}' of type 'reasoning' was provided without its required following item.`;
        }
        const { encrypted_content: encrypted } = item;
        if (encrypted === undefined || encrypted === null) {
          return request.body.store === false
            ? `Item with id '${textOf(item.id)}' not found. Items are not persisted when \`store\` is set to false.`
            : undefined;
        }
        return isSealed(MAKER, textOf(item.id), encrypted)
          ? undefined
          : `The encrypted content ${textOf(encrypted).slice(0, 4)}... could not be verified. Reason: Encrypted content could not be decrypted or parsed.`;
      });
    },
  },
  {
    rule: 'calls that come with their ids come with their reasoning',
    source: 'design/pitfalls D11; litellm #36197',
    problem: (request) => {
      const items = itemsOf(request);
      return firstOf(items, (item, at) => {
        const turn = /^fc_(\d+)x\d+$/.exec(textOf(item.id))?.[1];
        if (!isCall(item) || turn === undefined || !reasons(request.model)) return undefined;
        const reasoning = `rs_${turn}`;
        return items.slice(0, at).some(({ id }) => id === reasoning)
          ? undefined
          : `Item '${textOf(item.id)}' of type 'function_call' was provided without its required 'reasoning' item: '${reasoning}'.`;
      });
    },
  },
  {
    rule: 'limits',
    source: `${API}, max_output_tokens; design/pitfalls E1`,
    problem: ({ body, model }) => {
      const asked = Number(body.max_output_tokens ?? 16);
      if (asked < 16)
        return `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${asked} instead.`;
      const limit = /^gpt-4o/.test(model) ? 16_384 : 128_000;
      return asked > limit
        ? `max_output_tokens is too large: ${asked}. This model supports at most ${limit} output tokens.`
        : undefined;
    },
  },
  {
    rule: 'what models that reason refuse, and reasoning on models that do not',
    source: 'design/pitfalls E3',
    problem: ({ body, model }) => {
      if (reasons(model)) {
        const field = ['temperature', 'top_p'].find((one) => body[one] !== undefined && body[one] !== 1);
        return field && `Unsupported parameter: '${field}' is not supported with this model.`;
      }
      const fields = Object.keys(objectOf(body.reasoning));
      if (fields.length > 0) return `Unsupported parameter: 'reasoning.${fields[0]}' is not supported with this model.`;
      const include = Array.isArray(body.include) ? body.include : [];
      return include.includes('reasoning.encrypted_content')
        ? 'Encrypted content is not supported with this model.'
        : undefined;
    },
  },
  jsonWord('input', ({ body }) => objectOf(objectOf(body.text).format)),
  {
    rule: 'names and schemas of tools',
    source: 'design/pitfalls A13; strict-schemas.ts',
    problem: ({ body }) =>
      firstOf(objectsOf(body.tools), (tool, at) => {
        if (tool.type !== 'function') return undefined;
        if (tool.function !== undefined) return `Unknown parameter: 'tools[${at}].function'.`;
        const name = textOf(tool.name);
        if (name.length > 64)
          return `Invalid 'tools[${at}].name': string too long. Expected a string with maximum length 64.`;
        if (!/^[a-zA-Z0-9_-]+$/.test(name)) return `Invalid 'tools[${at}].name': string does not match pattern.`;
        if (!tool.parameters) return undefined;
        const [problem] = strictSchemaProblems(tool.strict === true ? 'openai-strict' : 'openai', tool.parameters);
        return problem && `Invalid schema for function '${name}': ${problem}`;
      }),
  },
];

/** Encrypted only for those who ask, as the API does it. */
function itemsGiven({ thinking, text, calls = [] }: StrictAnswer, request: StrictRequest, count: number): JsonObject[] {
  const include = Array.isArray(request.body.include) ? request.body.include : [];
  const id = `rs_${count}`;
  const encrypted = include.includes('reasoning.encrypted_content') ? { encrypted_content: seal(MAKER, id) } : {};
  const isReasoning = thinking !== undefined && reasons(request.model);
  return [
    ...(isReasoning
      ? [{ id, type: 'reasoning', summary: [{ type: 'summary_text', text: thinking }], ...encrypted }]
      : []),
    ...(text === undefined
      ? []
      : [
          {
            id: `msg_${count}`,
            type: 'message',
            status: 'completed',
            role: 'assistant',
            content: [{ type: 'output_text', text, annotations: [] }],
          },
        ]),
    ...calls.map(({ name, input }, index) => ({
      // an id with the turn's number binds the call to its reasoning
      id: isReasoning ? `fc_${count}x${index}` : `fc_x${count}x${index}`,
      type: 'function_call',
      status: 'completed',
      call_id: `call_rsp${count}x${index}abcdefghijk`,
      name,
      arguments: JSON.stringify(input),
    })),
  ];
}

const responseOf = (request: StrictRequest, count: number, output: JsonObject[], status: string): JsonObject => ({
  id: `resp_${count}`,
  object: 'response',
  created_at: 1,
  status,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: request.model,
  output,
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  ...(status === 'completed' && {
    usage: {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 120,
    },
  }),
});

function streamedItem(
  item: JsonObject,
  output_index: number,
  emit: (type: string, data: JsonObject) => string,
): string {
  const at = { item_id: item.id, output_index };
  const added = (empty: JsonObject) =>
    emit('response.output_item.added', { output_index, item: { ...item, ...empty } });
  const done = emit('response.output_item.done', { output_index, item });
  if (item.type === 'reasoning') {
    const text = textOf(objectsOf(item.summary)[0]?.text);
    return [
      added({ summary: [] }),
      emit('response.reasoning_summary_part.added', {
        ...at,
        summary_index: 0,
        part: { type: 'summary_text', text: '' },
      }),
      ...pieces(text).map((delta) => emit('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta })),
      emit('response.reasoning_summary_text.done', { ...at, summary_index: 0, text }),
      emit('response.reasoning_summary_part.done', { ...at, summary_index: 0, part: { type: 'summary_text', text } }),
      done,
    ].join('');
  }
  if (item.type === 'message') {
    const [part = {}] = objectsOf(item.content);
    return [
      added({ content: [], status: 'in_progress' }),
      emit('response.content_part.added', { ...at, content_index: 0, part: { ...part, text: '' } }),
      ...pieces(textOf(part.text)).map((delta) =>
        emit('response.output_text.delta', { ...at, content_index: 0, delta }),
      ),
      emit('response.output_text.done', { ...at, content_index: 0, text: part.text }),
      emit('response.content_part.done', { ...at, content_index: 0, part }),
      done,
    ].join('');
  }
  return [
    added({ arguments: '', status: 'in_progress' }),
    ...pieces(textOf(item.arguments)).map((delta) => emit('response.function_call_arguments.delta', { ...at, delta })),
    emit('response.function_call_arguments.done', { ...at, arguments: item.arguments }),
    done,
  ].join('');
}

export const strictResponses: StrictApi = {
  rules: RULES,
  refusal: openAiRefusal,
  whole: (answer, request, count) => responseOf(request, count, itemsGiven(answer, request, count), 'completed'),
  streamed: (answer, request, count) => {
    let sequence = 0;
    const emit = (type: string, data: JsonObject) => sse({ type, sequence_number: sequence++, ...data }, type);
    const items = itemsGiven(answer, request, count);
    return [
      emit('response.created', { response: responseOf(request, count, [], 'in_progress') }),
      ...items.map((item, index) => streamedItem(item, index, emit)),
      emit('response.completed', { response: responseOf(request, count, items, 'completed') }),
    ].join('');
  },
};
