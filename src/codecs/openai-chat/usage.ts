import { isObject, type JsonObject } from '../../model/json.ts';
import { sameUsage, type Usage } from '../../model/usage.ts';

/** The first of these members that is a positive number, else 0. */
function count(from: unknown, ...names: readonly string[]): number {
  if (!isObject(from)) return 0;
  for (const name of names) {
    const value = from[name];
    if (typeof value === 'number' && value > 0) return value;
  }
  return 0;
}

/**
 * Token counts of a `usage` object; undefined when it counts nothing. Knows the names of OpenAI, DeepSeek
 * (`prompt_cache_hit_tokens`), Databricks (`cache_read_input_tokens`), Mistral and Bifrost for what came from caches.
 */
export function usageOf(wire: unknown): Usage | undefined {
  if (!isObject(wire)) return undefined;
  const counted = typeof wire.prompt_tokens === 'number' || typeof wire.completion_tokens === 'number';
  if (!counted) return undefined;
  const prompt = wire.prompt_tokens_details;
  const cacheRead =
    count(prompt, 'cached_tokens', 'cached_read_tokens') ||
    count(wire, 'prompt_cache_hit_tokens', 'cache_read_input_tokens', 'cached_tokens', 'num_cached_tokens');
  const cacheWrite =
    count(prompt, 'cache_write_tokens', 'cached_write_tokens') || count(wire, 'cache_creation_input_tokens');
  const { output, reasoning } = outputOf(wire);
  const prompted = count(wire, 'prompt_tokens');
  const apart = count(wire, 'total_tokens') >= prompted + output + cacheRead + cacheWrite;
  const input = apart ? prompted + cacheRead + cacheWrite : prompted;
  // providers report more cached tokens than tokens at times; a part is never larger than its whole
  const read = Math.min(cacheRead, input);
  return { input, output, cacheRead: read, cacheWrite: Math.min(cacheWrite, input - read), reasoning };
}

/** xAI leaves reasoning out of `completion_tokens` but not out of `total_tokens`; everybody else counts it in both. */
function outputOf(wire: JsonObject): Pick<Usage, 'output' | 'reasoning'> {
  const completion = count(wire, 'completion_tokens');
  const reasoning = count(wire.completion_tokens_details, 'reasoning_tokens');
  const total = count(wire, 'total_tokens');
  const apart = total > 0 ? total >= count(wire, 'prompt_tokens') + completion + reasoning : reasoning > completion;
  if (apart) return { output: completion + reasoning, reasoning };
  return { output: completion, reasoning: Math.min(reasoning, completion) };
}

/** The `usage` object of an answer; `theirs` is the upstream's own, shown as it came while it says the same. */
export function wireUsage(usage: Usage, theirs?: unknown): JsonObject {
  const told = usageOf(theirs);
  if (told && isObject(theirs) && sameUsage(told, usage)) return theirs;
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: {
      cached_tokens: usage.cacheRead,
      ...(usage.cacheWrite > 0 && { cache_write_tokens: usage.cacheWrite }),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}
