import { callsOf, chatAnswers, jsonWord, messagesOf, openAiRefusal, pairing } from './strict-openai-chat.ts';
import { firstOf, objectOf, type Rule, type StrictApi, textOf } from './strict-server.ts';

const RULES: readonly Rule[] = [
  {
    rule: 'roles',
    source: 'DeepSeek API reference',
    problem: (request) =>
      firstOf(messagesOf(request), ({ role }, at) =>
        ['system', 'user', 'assistant', 'tool'].includes(textOf(role))
          ? undefined
          : `Failed to deserialize the JSON body into the target type: messages[${at}].role: unknown variant \`${textOf(role)}\`, expected one of \`system\`, \`user\`, \`assistant\`, \`tool\``,
      ),
  },
  {
    rule: 'contents are texts',
    source: 'DeepSeek API reference',
    problem: (request) =>
      firstOf(messagesOf(request), ({ content }, at) =>
        Array.isArray(content)
          ? `Failed to deserialize the JSON body into the target type: messages[${at}]: invalid type: sequence, expected a string`
          : undefined,
      ),
  },
  ...pairing,
  {
    rule: 'answers are bound to no schema',
    source: 'DeepSeek API reference, response_format; reported by users',
    problem: ({ body }) =>
      objectOf(body.response_format).type === 'json_schema'
        ? 'This response_format type is unavailable now'
        : undefined,
  },
  jsonWord('messages', ({ body }) => objectOf(body.response_format)),
  {
    rule: 'thinking must come back with the calls that it led to',
    source: 'DeepSeek API, thinking mode: tool calls; DeepSeek-V3 #1053',
    problem: (request) => {
      const isThinking = /reasoner|v4/.test(request.model) || objectOf(request.body.thinking).type === 'enabled';
      if (!isThinking) return undefined;
      const messages = messagesOf(request);
      const asked = messages.findLastIndex(({ role }) => role === 'user');
      return firstOf(messages, (message, at) =>
        at > asked && callsOf(message).length > 0 && typeof message.reasoning_content !== 'string'
          ? `Missing \`reasoning_content\` field in the assistant message at message index ${at}.`
          : undefined,
      );
    },
  },
];

export const strictDeepSeek: StrictApi = {
  rules: RULES,
  refusal: openAiRefusal,
  ...chatAnswers('dsk', 'reasoning_content'),
};
