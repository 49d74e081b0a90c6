import type { JsonObject } from '../../model/json.ts';
import { lookFor } from '../../model/marks.ts';
import type { HistoryRules } from '../codec.ts';
import { holdsLongName, LONGEST_NAME } from '../wire-names.ts';
import { camelCased } from './casing.ts';
import { traitsOf } from './models.ts';
import { objectsOf, textOf } from './wire.ts';

const mayHaveCalled = lookFor('"functionCall"');

/**
 * Gemini 3 wants the first call of each step of the turn under way to be signed (Gemini API, thought signatures), and no
 * model takes names of tools that are longer than FunctionDeclaration.name allows.
 */
export const thoughtHistory: HistoryRules = {
  // calls that stand beside a signed one need no signature, so fewer signatures than calls may still be enough
  mayLack: (bytes) =>
    holdsLongName(bytes) || (mayHaveCalled(bytes) && occurrences(bytes, '"thoughtSignature"') < calls(bytes)),
  lacks(body, { model }) {
    const { tools, contents } = camelCased(body);
    const names = objectsOf(tools).flatMap((entry) => objectsOf(entry.functionDeclarations).map(({ name }) => name));
    if (names.some((name) => textOf(name).length > LONGEST_NAME)) return true;
    return traitsOf(model).generation >= 3 && stepsOf(objectsOf(contents)).some(isUnsigned);
  },
};

const calls = (bytes: Buffer): number => occurrences(bytes, '"functionCall"');

function occurrences(bytes: Buffer, text: string): number {
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) count++;
  return count;
}

/** Contents of the turn under way: behind the last thing that the user said. */
function stepsOf(contents: readonly JsonObject[]): readonly JsonObject[] {
  const asked = contents.findLastIndex(
    ({ role, parts }) => role !== 'model' && objectsOf(parts).some((part) => !part.functionResponse),
  );
  return contents.slice(asked + 1);
}

function isUnsigned({ role, parts }: JsonObject): boolean {
  if (role !== 'model') return false;
  const first = objectsOf(parts).find((part) => part.functionCall);
  return first !== undefined && textOf(first.thoughtSignature) === '';
}
