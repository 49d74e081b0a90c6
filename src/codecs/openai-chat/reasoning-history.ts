import type { HistoryRules } from '../codec.ts';
import { objectsOf } from './wire.ts';

/** Some providers want the thinking back that led to a call of tools (DeepSeek API, thinking mode: tool calls). */
export const reasoningHistory: HistoryRules = {
  mayLack: (bytes) =>
    bytes.includes('"tool_calls"') &&
    !['"reasoning_content"', '"reasoning":"', '"reasoning_details"', '"extra_content"'].some((field) =>
      bytes.includes(field),
    ),
  lacks: (body, { reasoningField }) =>
    reasoningField !== undefined &&
    objectsOf(body.messages).some(
      (message) =>
        message.role === 'assistant' &&
        objectsOf(message.tool_calls).length > 0 &&
        typeof message[reasoningField] !== 'string',
    ),
};
