import { lookFor } from '../../model/marks.ts';
import type { HistoryRules } from '../codec.ts';
import { holdsLongId, LONGEST_ID } from '../openai-names.ts';
import { holdsLongName, LONGEST_NAME } from '../wire-names.ts';
import { objectsOf, textOf } from './wire.ts';

const mayHaveCalled = lookFor('"function_call"');
const holdsThinking = lookFor('"encrypted_content"');

/**
 * Encrypted thinking makes answers better, but nothing is refused for its lack (Responses API, reasoning items); ids
 * that another model's calls had, or names of tools that other formats take, may be too long.
 */
export const reasoningHistory: HistoryRules = {
  mayLack: (bytes) =>
    holdsLongName(bytes) ||
    (mayHaveCalled(bytes) && (!holdsThinking(bytes) || holdsLongId(bytes, 'call_id', LONGEST_ID.responses))),
  lacks: (body) =>
    objectsOf(body.tools).some(({ type, name }) => type === 'function' && textOf(name).length > LONGEST_NAME) ||
    objectsOf(body.input).some((item) => textOf(item.call_id).length > LONGEST_ID.responses),
};
