import type { JsonObject } from '../../model/json.ts';

/** Answers kept for schemas that came as text; the oldest goes when one more would be too many. */
const MOST_TEXTS = 2_000;
/** A longer schema is derived anew: remembering it would cost more than it saves. */
const LONGEST_TEXT = 65_536;

/**
 * The same derivation, each answer remembered: by the object, since the tools of MCP servers are the same objects in
 * every request, and by the object's JSON, since a client sends the same catalog again with every turn.
 */
export function memoised<Derived>(derive: (schema: JsonObject) => Derived): (schema: JsonObject) => Derived {
  const byObject = new WeakMap<JsonObject, Derived>();
  const byText = new Map<string, Derived>();
  return (schema) => {
    const known = byObject.get(schema);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema);
    const derived = byText.get(text) ?? derive(schema);
    byObject.set(schema, derived);
    if (text.length <= LONGEST_TEXT && !byText.has(text)) {
      const [oldest] = byText.size >= MOST_TEXTS ? byText.keys() : [];
      if (oldest !== undefined) byText.delete(oldest);
      byText.set(text, derived);
    }
    return derived;
  };
}
