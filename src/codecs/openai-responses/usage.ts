import { isObject, type JsonObject } from '../../model/json.ts';
import { sameUsage, type Usage } from '../../model/usage.ts';
import { objectOf } from './wire.ts';

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

/** Token counts of a `usage` object; undefined when there are none. Totals include their details, as ours do. */
export function usageOf(wire: unknown): Usage | undefined {
  if (!isObject(wire) || typeof wire.input_tokens !== 'number') return undefined;
  const details = objectOf(wire.input_tokens_details);
  const input = count(wire.input_tokens);
  const cacheRead = Math.min(count(details.cached_tokens), input);
  const output = count(wire.output_tokens);
  return {
    input,
    output,
    cacheRead,
    cacheWrite: Math.min(count(details.cache_write_tokens), input - cacheRead),
    reasoning: Math.min(count(objectOf(wire.output_tokens_details).reasoning_tokens), output),
  };
}

/** The `usage` object of an answer; other counts of the upstream's own (`theirs`) stay while it says the same. */
export function wireUsage(usage: Usage, theirs?: unknown): JsonObject {
  const told = usageOf(theirs);
  if (told && isObject(theirs) && sameUsage(told, usage)) return theirs;
  return {
    input_tokens: usage.input,
    input_tokens_details: {
      cached_tokens: usage.cacheRead,
      ...(usage.cacheWrite > 0 && { cache_write_tokens: usage.cacheWrite }),
    },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
  };
}
