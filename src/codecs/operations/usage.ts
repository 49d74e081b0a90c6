import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { NO_USAGE, type Usage } from '../../model/usage.ts';
import { topLevelMembers } from '../scan.ts';

const count = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' && value >= 0 ? value : undefined;

const first = (wire: JsonObject, ...names: readonly string[]): number | undefined =>
  names.map((name) => count(wire[name])).find((value) => value !== undefined);

/**
 * Token counts in any provider's words: `prompt_tokens` (embeddings, completions), `input_tokens` (images, audio),
 * Google's `promptTokenCount`, Cohere's `billed_units`. Undefined where nothing is counted in tokens.
 */
export function usageFrom(wire: JsonValue | undefined): Usage | undefined {
  if (!isObject(wire)) return undefined;
  if (isObject(wire.billed_units)) return usageFrom(wire.billed_units);
  const total = first(wire, 'total_tokens', 'totalTokenCount');
  const input = first(wire, 'prompt_tokens', 'input_tokens', 'promptTokenCount') ?? total;
  if (input === undefined) return undefined;
  const thoughts = count(wire.thoughtsTokenCount) ?? 0;
  const output =
    first(wire, 'completion_tokens', 'output_tokens') ?? (count(wire.candidatesTokenCount) ?? 0) + thoughts;
  const reasoning = detail(wire, 'reasoning_tokens', 'completion_tokens_details', 'output_tokens_details') ?? thoughts;
  const cacheRead = detail(wire, 'cached_tokens', ...INPUT_DETAILS) ?? count(wire.cachedContentTokenCount) ?? 0;
  return { ...NO_USAGE, input, output, cacheRead, reasoning };
}

/** `input_token_details` are those of transcripts. */
const INPUT_DETAILS = ['prompt_tokens_details', 'input_tokens_details', 'input_token_details'] as const;

/** A part of the counts, in whichever of the members that break them down. */
function detail(wire: JsonObject, name: string, ...members: readonly string[]): number | undefined {
  const broken = members.map((member) => wire[member]).find(isObject);
  return broken && count(broken[name]);
}

/** What a provider says that an answer took: tokens, or seconds of sound. */
export interface Measured {
  readonly usage?: Usage | undefined;
  readonly seconds?: number | undefined;
}

/** Seconds are `seconds` in OpenAI's words (audio/transcriptions, `usage` of type `duration`) and `prompt_audio_seconds` in Mistral's. */
export function measuredFrom(wire: JsonValue | undefined): Measured {
  const usage = usageFrom(wire);
  const seconds = isObject(wire) ? first(wire, 'seconds', 'prompt_audio_seconds') : undefined;
  return { ...(usage && { usage }), ...(seconds !== undefined && { seconds }) };
}

/** Where tokens of the input are all that is counted. */
export const inputUsage = (input: number | undefined): Usage | undefined =>
  input === undefined ? undefined : { ...NO_USAGE, input };

const USAGE_MEMBERS: ReadonlySet<string> = new Set(['usage', 'usageMetadata', 'meta']);

/** The counts of a whole JSON answer, without a parse of the vectors or images beside them. */
export function measuredInJson(bytes: Uint8Array): Measured {
  try {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const member = topLevelMembers(body).find(({ key }) => USAGE_MEMBERS.has(key));
    return member ? measuredFrom(JSON.parse(body.toString('utf8', member.valueStart, member.valueEnd))) : {};
  } catch {
    // no JSON, or one that is cut: whoever reads the answer will say so
    return {};
  }
}

/** In OpenAI's words, which its SDKs expect to be there; what nobody counted is 0. */
export const openAiUsage = (usage: Usage | undefined): JsonObject => ({
  prompt_tokens: usage?.input ?? 0,
  total_tokens: (usage?.input ?? 0) + (usage?.output ?? 0),
});
