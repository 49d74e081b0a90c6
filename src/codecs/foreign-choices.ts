import type { Origin } from '../model/content.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { objectOf } from './members.ts';

interface Choice {
  /** The members that lead to it, outermost first. */
  readonly steps: readonly string[];
  readonly known: ReadonlySet<unknown>;
}

const FORMATS: ReadonlySet<unknown> = new Set(['json_schema', 'json_object', 'text']);

/** Fields that settings hold only where they know the value: ways to think, and forms of the answer. */
const CHOICES: readonly Choice[] = [
  { steps: ['thinking', 'type'], known: new Set(['enabled', 'adaptive', 'disabled']) },
  { steps: ['generationConfig', 'responseMimeType'], known: new Set(['application/json', 'text/plain']) },
  { steps: ['response_format', 'type'], known: FORMATS },
  { steps: ['text', 'format', 'type'], known: FORMATS },
];

/** Fields of a client's body that choose something of which the model of requests has no word. */
export function unknownChoices({ block }: Origin): string[] {
  const fields: string[] = [];
  for (const { steps, known } of CHOICES) {
    const value = valueAt(block, steps);
    if (value !== undefined && value !== null && !known.has(value)) fields.push(steps.join('.'));
  }
  // a schema of a form that is not told is not told either
  const { responseMimeType, responseSchema } = objectOf(block.generationConfig);
  const hasLostSchema = responseSchema !== undefined && responseMimeType !== 'application/json';
  if (hasLostSchema) fields.push('generationConfig.responseSchema');
  return fields;
}

function valueAt(block: JsonObject, steps: readonly string[]): unknown {
  let value: unknown = block;
  for (const step of steps) {
    if (!isObject(value)) return undefined;
    value = value[step];
  }
  return value;
}
