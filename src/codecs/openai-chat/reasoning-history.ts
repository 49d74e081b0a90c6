import type { HistoryRules } from '../codec.ts';
import { holdsLongId, LONGEST_ID } from '../openai-names.ts';
import { objectsOf, textOf } from './wire.ts';

/** Where answers of this format and its clones show thinking. */
const THINKING = ['"reasoning_content"', '"reasoning":"', '"reasoning_details"', '"extra_content"'];

/**
 * Some providers want the thinking back that led to a call of tools (DeepSeek API, thinking mode: tool calls), and ids
 * that another model's calls had may be too long.
 */
export const reasoningHistory: HistoryRules = {
  mayLack: (bytes) =>
    bytes.includes('"tool_calls"') &&
    (!THINKING.some((field) => bytes.includes(field)) || holdsLongId(bytes, 'tool_call_id', LONGEST_ID.chat)),
  lacks: (body, { reasoningField }) =>
    objectsOf(body.messages).some((message) => {
      const calls = objectsOf(message.tool_calls);
      if (calls.some(({ id }) => textOf(id).length > LONGEST_ID.chat)) return true;
      return reasoningField !== undefined && calls.length > 0 && typeof message[reasoningField] !== 'string';
    }),
};
