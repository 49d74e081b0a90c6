import type { FunctionTool, Origin } from '../model/content.ts';
import { isObject } from '../model/json.ts';

/** No function name on any wire holds it, so a name tells by itself what kind of tool it names. */
export const SEPARATOR = '::';

/** A custom tool of OpenAI's formats takes free text where a function takes JSON. Inside the gateway its name says so. */
export const customName = (name: string): string => `${SEPARATOR}${name}`;

/** The client's own name of a custom tool; undefined for the name of any other tool. */
export const customNameIn = (name: string): string | undefined =>
  name.startsWith(SEPARATOR) ? name.slice(SEPARATOR.length) : undefined;

/** Free text is the one argument of a function to models that know functions only. */
export function customTool(
  { name, description, grammar }: { readonly name: string; readonly description: string; readonly grammar: string },
  origin: Origin,
): FunctionTool {
  const rule = grammar === '' ? '' : `\n\nThe input must match this grammar:\n${grammar}`;
  return {
    type: 'function',
    name: customName(name),
    description: `${description}${rule}`.trim(),
    inputSchema: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] },
    owner: 'client',
    origin,
  };
}

/** What a model gave as the argument `input` of a custom tool; whatever else it wrote is taken as the text itself. */
export function freeText(input: string): string {
  try {
    const parsed: unknown = JSON.parse(input);
    if (isObject(parsed) && typeof parsed.input === 'string') return parsed.input;
  } catch {
    // not JSON: the model wrote the text by itself
  }
  return input;
}
