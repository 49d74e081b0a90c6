import type { Origin } from '../model/content.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { objectOf } from './members.ts';

/** Values of fields that settings hold only where they know the value: ways to think, and forms of the answer. */
const KNOWN: Readonly<Record<string, ReadonlySet<unknown>>> = {
  'thinking.type': new Set(['enabled', 'adaptive', 'disabled']),
  'generationConfig.responseMimeType': new Set(['application/json', 'text/plain']),
  'response_format.type': new Set(['json_schema', 'json_object', 'text']),
  'text.format.type': new Set(['json_schema', 'json_object', 'text']),
};

/** Fields of a client's body that choose something of which the model of requests has no word. */
export function unknownChoices({ block }: Origin): string[] {
  const fields = Object.entries(KNOWN).flatMap(([path, known]) => {
    const value = valueAt(block, path.split('.'));
    return value === undefined || value === null || known.has(value) ? [] : [path];
  });
  // a schema of a form that is not told is not told either
  const { responseMimeType, responseSchema } = objectOf(block.generationConfig);
  const hasLostSchema = responseSchema !== undefined && responseMimeType !== 'application/json';
  return hasLostSchema ? [...fields, 'generationConfig.responseSchema'] : fields;
}

function valueAt(block: JsonObject, [step = '', ...rest]: readonly string[]): unknown {
  const value = block[step];
  return rest.length === 0 || !isObject(value) ? (rest.length === 0 ? value : undefined) : valueAt(value, rest);
}
