import { type AskedCompat, COMPAT_FEATURES, type CompatFeature } from '../model/compat.ts';
import { GatewayError } from '../model/errors.ts';
import { parsedJson } from '../model/json.ts';

const ALL: AskedCompat = new Set(COMPAT_FEATURES);
const NONE: AskedCompat = new Set();

/** Words for everything, and for nothing. */
const WHOLE: ReadonlyMap<string, AskedCompat> = new Map([
  ['true', ALL],
  ['*', ALL],
  ['false', NONE],
  ['', NONE],
]);

/**
 * What the header `x-bf-compat` asks for: everything (`true`), or names as a JSON list or between commas (Bifrost,
 * header overrides). Throws GatewayError('invalid-request') where something else stands there.
 */
export function askedCompat(header: string): AskedCompat {
  const text = header.trim();
  const whole = WHOLE.get(text.toLowerCase());
  if (whole) return whole;
  const names = text.startsWith('[') ? listed(text) : text.split(',').map((name) => name.trim());
  if (names.includes('*')) return ALL;
  const unknown = names.filter((name) => !isFeature(name));
  if (unknown.length > 0)
    throw refusal(`names ${unknown.map((name) => JSON.stringify(name)).join(', ')}, unknown here`);
  return new Set(names.filter(isFeature));
}

function listed(text: string): string[] {
  const names = parsedJson(text);
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  throw refusal('is no list of names');
}

const isFeature = (name: string): name is CompatFeature => (COMPAT_FEATURES as readonly string[]).includes(name);

const refusal = (what: string): GatewayError =>
  new GatewayError(
    'invalid-request',
    `x-bf-compat ${what}: write true, or a list of ${COMPAT_FEATURES.join(', ')}, for example ["convert_text_to_chat"]`,
  );
