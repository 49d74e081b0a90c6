import type { EncodeTarget } from '../codecs/codec.ts';
import type { CodecId } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';

/** What a deployment changes in a body before it leaves, with an account of it. Pure: returns a new body or the same. */
export type Adjust = (body: JsonObject, model: string) => { body: JsonObject; losses: readonly Loss[] };

/** A place where codecs are deployed. An OpenAI-compatible provider is one of these and nothing else. */
export interface Deployment {
  readonly name: string;
  /** Formats it speaks, best first. The client's own wins when it is in the list, so nothing is translated twice. */
  readonly speaks: readonly [CodecId, ...CodecId[]];
  /** Which vendor SDK carries the call. */
  readonly sdk: 'openai' | 'anthropic';
  /** As the SDK wants it (with `/v1` for `openai`, without for `anthropic`); absent = every key or config must say. */
  readonly baseUrl?: string;
  /** Environment variables that hold a key for it, best first. */
  readonly keyVariables: readonly string[];
  /** True for servers that take no key (ollama, vllm, sgl). */
  readonly keyless?: boolean;
  /** How `encodeRequest` should write bodies for it. */
  readonly wire: Partial<Omit<EncodeTarget, 'model' | 'stream'>>;
  /** Absent = same-format bodies travel byte for byte. */
  readonly adjust?: Adjust;
  /** False where `stream_options` is refused; usage then comes in the last chunk by itself or not at all. */
  readonly streamOptions?: boolean;
}
