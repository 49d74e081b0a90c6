import { lookFor } from '../../model/marks.ts';
import type { HistoryRules } from '../codec.ts';
import { holdsLongId, LONGEST_ID } from '../openai-names.ts';
import { objectsOf, textOf } from './wire.ts';

/** Where answers of this format and its clones show thinking. */
const holdsThinking = lookFor('"reasoning_content"', '"reasoning":"', '"reasoning_details"', '"extra_content"');
const mayHaveCalled = lookFor('"tool_calls"');

/**
 * Some providers want the thinking back that led to a call of tools (DeepSeek API, thinking mode: tool calls), and ids
 * that another model's calls had may be too long.
 */
export const reasoningHistory: HistoryRules = {
  mayLack: (bytes) =>
    mayHaveCalled(bytes) && (!holdsThinking(bytes) || holdsLongId(bytes, 'tool_call_id', LONGEST_ID.chat)),
  lacks: (body, { reasoningField }) =>
    objectsOf(body.messages).some((message) => {
      const calls = objectsOf(message.tool_calls);
      if (calls.some(({ id }) => textOf(id).length > LONGEST_ID.chat)) return true;
      return reasoningField !== undefined && calls.length > 0 && typeof message[reasoningField] !== 'string';
    }),
};
