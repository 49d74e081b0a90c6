import { chatAnswers, messagesOf, openAiRefusal, pairing, schemasFor } from './strict-openai-chat.ts';
import { firstOf, objectsOf, type Rule, type StrictApi, textOf, unknownField } from './strict-server.ts';

const API = 'Groq API reference, chat completions';

const TOP = [
  ...['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'stream', 'stream_options', 'user', 'n'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'stop', 'seed', 'presence_penalty'],
  ...['frequency_penalty', 'response_format', 'reasoning_effort', 'reasoning_format', 'include_reasoning', 'metadata'],
  ...['service_tier', 'functions', 'function_call', 'documents', 'search_settings', 'disable_tool_validation'],
];

const MESSAGE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content', 'name'],
  user: ['role', 'content', 'name'],
  assistant: ['role', 'content', 'name', 'tool_calls', 'function_call', 'reasoning'],
  tool: ['role', 'content', 'tool_call_id', 'name'],
};

/** Models that read text only. */
const BLIND = /gpt-oss|llama-3\.[13]/;

const RULES: readonly Rule[] = [
  {
    rule: 'unknown fields',
    source: 'Groq, OpenAI compatibility: unsupported fields give a 400',
    problem: ({ body }) => {
      const field = unknownField(body, TOP);
      return field && `property '${field}' is unsupported`;
    },
  },
  {
    rule: 'roles and unknown fields of messages',
    source: API,
    problem: (request) =>
      firstOf(messagesOf(request), (message, at) => {
        const role = textOf(message.role);
        const known = MESSAGE_FIELDS[role];
        if (!known) return `'messages.${at}' : discriminator property 'role' has invalid value`;
        const field = unknownField(message, known);
        return (
          field &&
          `'messages.${at}' : for 'role:${role}' the following must be satisfied[('messages.${at}' : property '${field}' is unsupported)]`
        );
      }),
  },
  ...pairing,
  {
    rule: 'contents of user messages',
    source: `${API}; Groq, vision: text and pictures, the latter for models that see`,
    problem: (request) =>
      firstOf(messagesOf(request), ({ content }, at) =>
        firstOf(objectsOf(content), ({ type }, index) => {
          const taken = BLIND.test(request.model) ? ['text'] : ['text', 'image_url'];
          if (taken.includes(textOf(type))) return undefined;
          return `'messages.${at}.content.${index}.type' : value is not one of the allowed values ${JSON.stringify(taken)}`;
        }),
      ),
  },
  {
    rule: 'contents of tool messages',
    source: 'design/pitfalls B13',
    problem: (request) =>
      firstOf(messagesOf(request), ({ role, content }, at) =>
        role === 'tool' && typeof content !== 'string'
          ? `'messages.${at}' : for 'role:tool' the following must be satisfied[('messages.${at}.content' : value must be a string)]`
          : undefined,
      ),
  },
  {
    rule: 'the limit of output',
    source: 'Groq, models: llama-3.3-70b-versatile gives at most 32768 tokens',
    problem: ({ body, model }) =>
      /^llama-3\.3-70b/.test(model) && Number(body.max_completion_tokens ?? body.max_tokens ?? 1) > 32_768
        ? '`max_tokens` must be less than or equal to `32768`, the maximum value for `max_tokens` is less than the `context_window` for this model'
        : undefined,
  },
  {
    rule: 'reasoning on models that do not reason',
    source: 'Groq, reasoning',
    problem: ({ body, model }) =>
      body.reasoning_effort !== undefined && !/gpt-oss|qwen/.test(model)
        ? '`reasoning_effort` is not supported with this model'
        : undefined,
  },
  {
    rule: 'hosted tools',
    source: API,
    problem: ({ body }) =>
      firstOf(objectsOf(body.tools), ({ type }, at) =>
        type === 'function' || type === 'mcp'
          ? undefined
          : `'tools.${at}.type' : value must be one of "function", "mcp"`,
      ),
  },
  schemasFor('groq'),
];

export const strictGroq: StrictApi = { rules: RULES, refusal: openAiRefusal, ...chatAnswers('grq', 'reasoning') };
