import type { JsonObject } from '../../model/json.ts';
import { lookFor } from '../../model/marks.ts';
import type { HistoryRules } from '../codec.ts';
import { holdsLongId, LONGEST_ID } from '../openai-names.ts';
import { holdsLongName, LONGEST_NAME } from '../wire-names.ts';
import { holdsOtherForms } from './tool-forms.ts';
import { objectOf, objectsOf, textOf } from './wire.ts';

/** Where answers of this format and its clones show thinking. */
const holdsThinking = lookFor('"reasoning_content"', '"reasoning":"', '"reasoning_details"', '"extra_content"');
const mayHaveCalled = lookFor('"tool_calls"');

/**
 * Some providers want the thinking back that led to a call of tools (DeepSeek API, thinking mode: tool calls), and ids
 * that another model's calls had, or names of tools that other formats take, may be too long. Some know no tools but functions.
 */
export const reasoningHistory: HistoryRules = {
  mayLack: (bytes) =>
    holdsLongName(bytes) ||
    (mayHaveCalled(bytes) && (!holdsThinking(bytes) || holdsLongId(bytes, 'tool_call_id', LONGEST_ID.chat))),
  lacks: (body, { reasoningField, functionsOnly }) =>
    (functionsOnly === true && holdsOtherForms(body)) ||
    objectsOf(body.tools).some(isNamedTooLong) ||
    objectsOf(body.messages).some((message) => {
      const calls = objectsOf(message.tool_calls);
      if (calls.some(({ id }) => textOf(id).length > LONGEST_ID.chat)) return true;
      return reasoningField !== undefined && calls.length > 0 && typeof message[reasoningField] !== 'string';
    }),
};

const isNamedTooLong = (tool: JsonObject): boolean => textOf(objectOf(tool.function).name).length > LONGEST_NAME;
