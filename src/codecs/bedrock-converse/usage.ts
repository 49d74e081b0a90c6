import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { sameUsage, type Usage } from '../../model/usage.ts';

/** `inputTokens` leaves cached tokens out (Bedrock API, TokenUsage and prompt caching); our totals contain them. */
export function usageOf(wire: JsonObject): Usage {
  const cacheRead = count(wire.cacheReadInputTokens);
  const cacheWrite = count(wire.cacheWriteInputTokens);
  return {
    input: count(wire.inputTokens) + cacheRead + cacheWrite,
    output: count(wire.outputTokens),
    cacheRead,
    cacheWrite,
    reasoning: 0,
  };
}

/** Our counts in this format's arithmetic; `own` is the upstream's object, shown as it came while it says the same. */
export function wireUsage(usage: Usage, own?: JsonValue): JsonObject {
  if (isObject(own) && sameUsage(usageOf(own), { ...usage, reasoning: 0 })) return own;
  const wire: JsonObject = {
    inputTokens: Math.max(0, usage.input - usage.cacheRead - usage.cacheWrite),
    outputTokens: usage.output,
    totalTokens: usage.input + usage.output,
  };
  if (usage.cacheRead > 0) wire.cacheReadInputTokens = usage.cacheRead;
  if (usage.cacheWrite > 0) wire.cacheWriteInputTokens = usage.cacheWrite;
  return wire;
}

const count = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0);
