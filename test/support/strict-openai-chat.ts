import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { strictSchemaProblems } from './strict-schemas.ts';
import {
  firstOf,
  objectOf,
  objectsOf,
  pieces,
  type Rule,
  type StrictAnswer,
  type StrictApi,
  type StrictRequest,
  sse,
  textOf,
  unknownField,
} from './strict-server.ts';

const API = 'OpenAI API reference, Chat Completions';

const TOP = [
  ...['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'stream', 'stream_options', 'store', 'user'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'n', 'stop', 'seed', 'presence_penalty'],
  ...[
    'frequency_penalty',
    'logprobs',
    'top_logprobs',
    'logit_bias',
    'response_format',
    'reasoning_effort',
    'verbosity',
  ],
  ...['metadata', 'service_tier', 'prediction', 'modalities', 'audio', 'web_search_options', 'functions'],
  ...['function_call', 'prompt_cache_key', 'prompt_cache_retention', 'safety_identifier'],
];

const MESSAGE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content', 'name'],
  developer: ['role', 'content', 'name'],
  user: ['role', 'content', 'name'],
  assistant: ['role', 'content', 'name', 'refusal', 'audio', 'tool_calls', 'function_call', 'annotations'],
  // the reference has no name here, but LangChain sends it to OpenAI every day
  tool: ['role', 'content', 'tool_call_id', 'name'],
  function: ['role', 'content', 'name'],
};

/** Output limits: the vendor's model pages. */
const LIMITS: readonly (readonly [RegExp, number])[] = [
  [/^gpt-4o/, 16_384],
  [/^gpt-4\.1/, 32_768],
  [/^gpt-5/, 128_000],
  [/^o\d/, 100_000],
];

export const reasons = (model: string): boolean => /^(o\d|gpt-5)/.test(model);

export const messagesOf = ({ body }: StrictRequest): JsonObject[] => objectsOf(body.messages);
export const callsOf = (message: JsonObject): JsonObject[] => objectsOf(message.tool_calls);
const functionsOf = ({ body }: StrictRequest): JsonObject[] =>
  objectsOf(body.tools).flatMap((tool) => (tool.type === 'custom' ? [] : [objectOf(tool.function)]));

const unknownMessageField: Rule = {
  rule: 'unknown fields of messages',
  source: 'reported by users of gateways: reasoning fields in the history of another model',
  problem: (request) =>
    firstOf(messagesOf(request), (message, at) => {
      const field = unknownField(message, MESSAGE_FIELDS[textOf(message.role)] ?? []);
      if (field !== undefined) return `Unknown parameter: 'messages[${at}].${field}'.`;
      return firstOf(callsOf(message), (call, index) => {
        const extra = unknownField(call, ['id', 'type', 'function', 'custom']);
        return extra && `Unknown parameter: 'messages[${at}].tool_calls[${index}].${extra}'.`;
      });
    }),
};

/** In both of OpenAI's formats, and in those that took them over. */
export const numberOfTools: Rule = {
  rule: 'more tools than it takes',
  source: 'anomalyco/opencode #4909, gsd-build/gsd-2 #4376; DeepSeek API reference, tools',
  problem: ({ body }) => {
    const { length } = objectsOf(body.tools);
    if (length <= 128) return undefined;
    return `Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length ${length} instead.`;
  },
};

/** What OpenAI and everybody who speaks its format refuse of calls and their results. */
export const pairing: readonly Rule[] = [
  numberOfTools,
  {
    rule: 'unanswered calls',
    source: 'design/pitfalls B8',
    problem: (request) =>
      firstOf(messagesOf(request), (message, at, all = messagesOf(request)) => {
        const ids = callsOf(message).map(({ id }) => textOf(id));
        const behind = all.slice(at + 1);
        const end = behind.findIndex(({ role }) => role !== 'tool');
        const answered = (end < 0 ? behind : behind.slice(0, end)).map((result) => result.tool_call_id);
        const open = ids.filter((id) => !answered.includes(id));
        if (open.length === 0) return undefined;
        return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`;
      }),
  },
  {
    rule: 'results of no call',
    source: 'design/pitfalls B8',
    problem: (request) => {
      const messages = messagesOf(request);
      return firstOf(messages, ({ role, tool_call_id: id }, at) => {
        if (role !== 'tool') return undefined;
        const asked = messages.slice(0, at).findLast((message) => message.role !== 'tool');
        return asked && callsOf(asked).some((call) => call.id === id)
          ? undefined
          : "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
      });
    },
  },
  {
    rule: 'names of tools',
    source: 'design/pitfalls A13',
    problem: (request) =>
      firstOf(functionsOf(request), ({ name }, at) => {
        if (textOf(name).length > 64) {
          return `Invalid 'tools[${at}].function.name': string too long. Expected a string with maximum length 64, but got a string with length ${textOf(name).length} instead.`;
        }
        return /^[a-zA-Z0-9_-]+$/.test(textOf(name))
          ? undefined
          : `Invalid 'tools[${at}].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`;
      }),
  },
  {
    rule: 'duplicate names of tools',
    source: 'OpenAI API reference: names identify the function to call',
    problem: (request) => {
      const names = functionsOf(request).map(({ name }) => textOf(name));
      const twice = names.find((name, at) => names.indexOf(name) !== at);
      return twice && `Invalid 'tools': the name '${twice}' stands twice.`;
    },
  },
  {
    rule: 'a choice without tools',
    source: API,
    problem: ({ body }) => {
      if (objectsOf(body.tools).length > 0) return undefined;
      const field = ['tool_choice', 'parallel_tool_calls'].find((one) => body[one] !== undefined);
      if (field) return `Invalid value for '${field}': '${field}' is only allowed when 'tools' are specified.`;
      return Array.isArray(body.tools)
        ? "Invalid 'tools': empty array. Expected an array with minimum length 1."
        : undefined;
    },
  },
];

export const schemasFor = (target: 'openai' | 'groq'): Rule => ({
  rule: 'schemas of tools',
  source: 'strict-schemas.ts',
  problem: (request) =>
    firstOf(functionsOf(request), ({ name, parameters, strict }) => {
      if (parameters === undefined) return undefined;
      const rules = target === 'openai' && strict === true ? 'openai-strict' : target;
      const [problem] = strictSchemaProblems(rules, parameters);
      return problem && `Invalid schema for function '${textOf(name)}': ${problem}`;
    }),
});

/** JSON without a schema is given only where a message says so. */
export const jsonWord = (field: 'messages' | 'input', formatOf: (request: StrictRequest) => JsonObject): Rule => ({
  rule: 'JSON that no message asks for',
  source: `${API}, response_format: the model must be told to produce JSON`,
  problem: (request) =>
    formatOf(request).type === 'json_object' && !/json/i.test(JSON.stringify(request.body[field]))
      ? `'${field}' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.`
      : undefined,
});

/** Models that are served in the Responses API only: the vendor's model pages (endpoints). */
const RESPONSES_ONLY = /^(gpt-5[\d.]*-(pro|codex)|o[134]\S*-(pro|deep-research)|computer-use|codex-mini)/;

const responsesOnly: Rule = {
  rule: 'models that are no chat models',
  source: "the API's refusal, model pages",
  problem: ({ model }) =>
    RESPONSES_ONLY.test(model)
      ? 'This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/responses?'
      : undefined,
};

const toolsWithReasoning: Rule = {
  rule: 'reasoning beside tools',
  source: 'openai/openai-openapi #541',
  problem: ({ model, body }) => {
    const { reasoning_effort: effort = /^gpt-5\.4/.test(model) ? 'none' : 'medium', tools } = body;
    return /^gpt-5\.[4-9]/.test(model) && Array.isArray(tools) && effort !== 'none'
      ? `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. Please use /v1/responses instead.`
      : undefined;
  },
};

const RULES: readonly Rule[] = [
  responsesOnly,
  toolsWithReasoning,
  {
    rule: 'unknown fields',
    source: API,
    problem: ({ body }) => {
      const field = unknownField(body, TOP);
      return field && `Unrecognized request argument supplied: ${field}`;
    },
  },
  unknownMessageField,
  {
    rule: 'roles',
    source: API,
    problem: (request) =>
      firstOf(messagesOf(request), ({ role }, at) =>
        MESSAGE_FIELDS[textOf(role)] ? undefined : `Invalid value: '${textOf(role)}'. (messages[${at}].role)`,
      ),
  },
  ...pairing,
  {
    rule: 'ids of calls',
    source: 'vercel/ai #8132, opencode #12653: at most 40 characters',
    problem: (request) =>
      firstOf(messagesOf(request), (message, at) =>
        firstOf([...callsOf(message).map(({ id }) => textOf(id)), textOf(message.tool_call_id)], (id) =>
          id.length > 40
            ? `Invalid 'messages[${at}].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got a string with length ${id.length} instead.`
            : undefined,
        ),
      ),
  },
  {
    rule: 'empty content',
    source: API,
    problem: (request) =>
      firstOf(messagesOf(request), ({ role, content }, at) => {
        if (Array.isArray(content) && content.length === 0) {
          return `Invalid 'messages[${at}].content': empty array. Expected an array with minimum length 1, but got an empty array instead.`;
        }
        return content === undefined && role !== 'assistant'
          ? `Missing required parameter: 'messages[${at}].content'.`
          : undefined;
      }),
  },
  {
    rule: 'max_tokens above the limit of the model',
    source: 'design/pitfalls E1',
    problem: ({ body, model }) => {
      const asked = Number(body.max_tokens ?? body.max_completion_tokens ?? 1);
      const limit = LIMITS.find(([name]) => name.test(model))?.[1];
      if (limit === undefined || asked <= limit) return undefined;
      return `max_tokens is too large: ${asked}. This model supports at most ${limit} completion tokens, whereas you provided ${asked}.`;
    },
  },
  {
    rule: 'what models that reason refuse, and reasoning on models that do not',
    source: 'recorded: oc-eag-chat-bad-request; design/pitfalls E3',
    problem: ({ body, model }) => {
      if (!reasons(model)) {
        return body.reasoning_effort === undefined
          ? undefined
          : 'Unrecognized request argument supplied: reasoning_effort';
      }
      if (body.max_tokens !== undefined) {
        return "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
      }
      const field = ['temperature', 'top_p'].find((one) => body[one] !== undefined && body[one] !== 1);
      return (
        field &&
        `Unsupported value: '${field}' does not support ${String(body[field])} with this model. Only the default (1) value is supported.`
      );
    },
  },
  schemasFor('openai'),
  {
    rule: 'words to stop at',
    source: `${API}, stop; "Unsupported parameter: 'stop'" (reported by users of o3, o4-mini and gpt-5)`,
    problem: ({ body, model }) => {
      if (body.stop === undefined || body.stop === null) return undefined;
      if (/^(o\d|gpt-5(-|$))/.test(model)) return "Unsupported parameter: 'stop' is not supported with this model.";
      return Array.isArray(body.stop) && body.stop.length > 4
        ? `Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length ${body.stop.length} instead.`
        : undefined;
    },
  },
  jsonWord('messages', ({ body }) => objectOf(body.response_format)),
  {
    rule: 'numbers of alternatives without probabilities',
    source: `${API}, top_logprobs`,
    problem: ({ body }) =>
      body.top_logprobs !== undefined && body.logprobs !== true
        ? "Invalid value for 'top_logprobs': 'logprobs' must be set to true when 'top_logprobs' is used."
        : undefined,
  },
  {
    rule: 'user',
    source: 'spec/bifrost-gateway: at most 64 characters',
    problem: ({ body }) =>
      textOf(body.user).length > 64
        ? "Invalid 'user': string too long. Expected a string with maximum length 64."
        : undefined,
  },
  {
    rule: 'stream_options without a stream',
    source: API,
    problem: ({ body }) =>
      body.stream_options !== undefined && body.stream !== true
        ? "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        : undefined,
  },
];

const USAGE: JsonObject = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };

/** Chat answers; `thinkingField` is where a provider shows thinking, absent where it shows none. */
export function chatAnswers(prefix: string, thinkingField?: string): Pick<StrictApi, 'whole' | 'streamed'> {
  const idOf = (count: number, index: number) => `call_${prefix}${count}x${index}abcdefghijk`;
  const finish = ({ calls = [] }: StrictAnswer) => (calls.length > 0 ? 'tool_calls' : 'stop');
  const thought = ({ thinking }: StrictAnswer): JsonObject =>
    thinkingField !== undefined && thinking !== undefined ? { [thinkingField]: thinking } : {};
  return {
    whole: (answer, { model }, count) => ({
      id: `chatcmpl-${prefix}${count}`,
      object: 'chat.completion',
      created: 1,
      model,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: answer.text ?? null,
            ...thought(answer),
            ...(answer.calls && {
              tool_calls: answer.calls.map(({ name, input }, index) => ({
                id: idOf(count, index),
                type: 'function',
                function: { name, arguments: JSON.stringify(input) },
              })),
            }),
          },
          finish_reason: finish(answer),
        },
      ],
      usage: USAGE,
    }),
    streamed: (answer, { model }, count) => {
      const chunk = (choices: JsonValue[], more: JsonObject = {}) =>
        sse({ id: `chatcmpl-${prefix}${count}`, object: 'chat.completion.chunk', created: 1, model, choices, ...more });
      const delta = (value: JsonObject, reason: string | null = null) =>
        chunk([{ index: 0, delta: value, finish_reason: reason }]);
      return [
        delta({ role: 'assistant', content: '' }),
        ...(thinkingField === undefined
          ? []
          : pieces(answer.thinking ?? '').map((text) => delta({ [thinkingField]: text }))),
        ...pieces(answer.text ?? '').map((content) => delta({ content })),
        ...(answer.calls ?? []).flatMap(({ name, input }, index) => [
          delta({
            tool_calls: [{ index, id: idOf(count, index), type: 'function', function: { name, arguments: '' } }],
          }),
          ...pieces(JSON.stringify(input)).map((text) =>
            delta({ tool_calls: [{ index, function: { arguments: text } }] }),
          ),
        ]),
        delta({}, finish(answer)),
        chunk([], { usage: USAGE }),
        'data: [DONE]\n\n',
      ].join('');
    },
  };
}

export const openAiRefusal: StrictApi['refusal'] = (message) => ({
  status: 400,
  body: { error: { message, type: 'invalid_request_error', param: null, code: null } },
});

export const strictOpenAiChat: StrictApi = { rules: RULES, refusal: openAiRefusal, ...chatAnswers('oai') };
