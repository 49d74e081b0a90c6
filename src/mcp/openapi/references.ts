import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

const MAX_CHAIN = 50;

/** A reference that leads nowhere we go: to another document, or to nothing. */
export class UnresolvedReference extends Error {}

/** What stands behind `value` when it is a reference, however many there are in a row. Throws UnresolvedReference. */
export function dereferenced(root: JsonObject, value: JsonValue | undefined): JsonObject {
  let found = value;
  for (let steps = 0; steps <= MAX_CHAIN; steps += 1) {
    if (!isObject(found)) return {};
    const { $ref: reference } = found;
    if (typeof reference !== 'string') return found;
    found = target(root, reference);
  }
  throw new UnresolvedReference('references lead in a circle');
}

/** Other documents are not fetched: what a document names must not send the gateway anywhere. */
export function target(root: JsonObject, reference: string): JsonValue {
  if (!reference.startsWith('#')) throw new UnresolvedReference(`'${reference}' is in another document`);
  let found: JsonValue | undefined = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = unescaped(step);
    found = Array.isArray(found)
      ? found[Number(key)]
      : isObject(found) && Object.hasOwn(found, key)
        ? found[key]
        : undefined;
    if (found === undefined) throw new UnresolvedReference(`'${reference}' is not in the document`);
  }
  return found;
}

/** JSON Pointer in a URI fragment (RFC 6901, section 6). */
function unescaped(step: string): string {
  let text = step;
  try {
    text = decodeURIComponent(step);
  } catch {
    // a stray % stands for itself
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}
