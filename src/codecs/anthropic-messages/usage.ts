import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { Usage } from '../../model/usage.ts';
import { objectOf } from './wire.ts';

/** input_tokens leaves cached tokens out (Anthropic Messages API, usage); our totals contain them. */
export function usageOf(wire: JsonObject): Usage {
  const cacheRead = count(wire.cache_read_input_tokens);
  const cacheWrite = count(wire.cache_creation_input_tokens);
  return {
    input: count(wire.input_tokens) + cacheRead + cacheWrite,
    output: count(wire.output_tokens),
    cacheRead,
    cacheWrite,
    reasoning: count(objectOf(wire.output_tokens_details).thinking_tokens),
  };
}

/** `later` over `earlier`, as message_delta corrects message_start: what it leaves out or null keeps its value. */
export function mergedUsage(earlier: JsonObject, later: JsonObject): JsonObject {
  const merged = { ...earlier };
  for (const field in later) {
    const value = later[field];
    if (value !== null && value !== undefined) merged[field] = value;
  }
  return merged;
}

/** Our counts in this format's arithmetic; fields that only this format has are kept from `own`. */
export function wireUsage(usage: Usage, own: JsonObject = {}): JsonObject {
  const wire: JsonObject = {
    ...own,
    input_tokens: Math.max(0, usage.input - usage.cacheRead - usage.cacheWrite),
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
  };
  if (usage.reasoning > 0) {
    wire.output_tokens_details = { ...objectOf(own.output_tokens_details), thinking_tokens: usage.reasoning };
  }
  return wire;
}

const count = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0);
