import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { sameUsage, type Usage } from '../../model/usage.ts';

/**
 * `promptTokenCount` contains the cached tokens, `candidatesTokenCount` leaves thinking out (Gemini API,
 * UsageMetadata); our totals contain both.
 */
export function usageOf(wire: JsonObject): Usage {
  const input = count(wire.promptTokenCount);
  const reasoning = count(wire.thoughtsTokenCount);
  return {
    input,
    output: count(wire.candidatesTokenCount) + reasoning,
    cacheRead: Math.min(count(wire.cachedContentTokenCount), input),
    cacheWrite: 0,
    reasoning,
  };
}

/** `later` over `earlier`: counts are repeated with every chunk, and some chunks leave some out. */
export function mergedUsage(earlier: JsonObject, later: JsonValue | undefined): JsonObject {
  return isObject(later) ? { ...earlier, ...later } : earlier;
}

/** Our counts in this format's arithmetic; `own` is the upstream's object, shown as it came while it says the same. */
export function wireUsage(usage: Usage, own?: JsonValue): JsonObject {
  if (isObject(own) && sameUsage(usageOf(own), usage)) return own;
  const wire: JsonObject = {
    promptTokenCount: usage.input,
    candidatesTokenCount: Math.max(0, usage.output - usage.reasoning),
    totalTokenCount: usage.input + usage.output,
  };
  if (usage.cacheRead > 0) wire.cachedContentTokenCount = usage.cacheRead;
  if (usage.reasoning > 0) wire.thoughtsTokenCount = usage.reasoning;
  return wire;
}

const count = (value: JsonValue | undefined): number => (typeof value === 'number' && value > 0 ? value : 0);
