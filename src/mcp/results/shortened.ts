import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { wholeCharacters } from './kept-results.ts';
import { lengthWithin } from './result-size.ts';

/** Ever less of a value: characters of each text, items of each list. */
const STEPS = [
  { text: 2_000, items: 50 },
  { text: 500, items: 20 },
  { text: 200, items: 5 },
  { text: 100, items: 1 },
] as const;

/**
 * A value of the same shape with its long texts and lists cut, within `max` characters of JSON; undefined when its shape
 * alone is larger. `mark` stands at the end of each text that was cut.
 */
export function shortened(value: JsonObject, mark: string, max: number): JsonObject | undefined {
  for (const step of STEPS) {
    const cut = cutValue(value, step, mark);
    if (isObject(cut) && lengthWithin(cut, max) <= max) return cut;
  }
  return undefined;
}

function cutValue(value: JsonValue | undefined, step: (typeof STEPS)[number], mark: string): JsonValue | undefined {
  if (typeof value === 'string') {
    return value.length > step.text ? `${value.slice(0, wholeCharacters(value, step.text))}${mark}` : value;
  }
  if (Array.isArray(value)) return value.slice(0, step.items).map((item) => cutValue(item, step, mark) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, cutValue(member, step, mark)]));
}

/** Whether a value is what a JSON schema says; a schema that cannot be read is not met. */
export async function meets(schema: JsonObject, value: JsonObject): Promise<boolean> {
  const { AjvJsonSchemaValidator } = await import('@modelcontextprotocol/sdk/validation/ajv-provider.js');
  try {
    return new AjvJsonSchemaValidator().getValidator(schema)(value).valid;
  } catch {
    return false;
  }
}
