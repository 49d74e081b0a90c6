import type { EncodeTarget } from '../codecs/codec.ts';
import type { NetworkConfig, ProviderKey } from '../config/schema.ts';
import type { CodecId } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import type { BodySource, ChatRequest } from '../model/request.ts';
import type { UpstreamTarget } from './upstream.ts';

/** What a deployment changes in a body before it leaves, with an account of it. Pure: returns a new body or the same. */
export type Adjust = (body: JsonObject, model: string) => { body: JsonObject; losses: readonly Loss[] };

/** A place where codecs are deployed. An OpenAI-compatible provider is one of these and nothing else. */
export interface Deployment {
  readonly name: string;
  /** Formats it speaks, best first. The client's own wins when it is in the list, so nothing is translated twice. */
  readonly speaks: readonly [CodecId, ...CodecId[]];
  /** Which vendor SDK carries the call. */
  readonly sdk: 'openai' | 'anthropic' | 'google';
  /** As the SDK wants it (with `/v1` for `openai`, without for `anthropic`, with `/v1beta` for `google`); absent = every key or config must say. */
  readonly baseUrl?: string;
  /** Environment variables that hold a key for it, best first. */
  readonly keyVariables: readonly string[];
  /** True for servers that take no key (ollama, vllm, sgl). */
  readonly keyless?: boolean;
  /** How `encodeRequest` should write bodies for it. */
  readonly wire: Partial<Omit<EncodeTarget, 'model' | 'stream'>>;
  /** Absent = same-format bodies travel byte for byte. */
  readonly adjust?: Adjust;
  /** False when the client's bytes show that `adjust` has nothing to do, so that they may travel as they are. */
  readonly mayAdjust?: (source: BodySource, model: string) => boolean;
  /** False where `stream_options` is refused; usage then comes in the last chunk by itself or not at all. */
  readonly streamOptions?: boolean;
}

/** A model that never leaves the process: a script answers in place of an upstream. */
export interface ScriptedDeployment {
  readonly name: string;
  readonly models: readonly string[];
  readonly scripted: (request: ChatRequest, model: string, signal: AbortSignal) => AsyncIterable<StreamEvent>;
}

export type Operation = 'chat_completion' | 'chat_completion_stream' | 'list_models' | 'count_tokens';

/** A deployment as configured: with its keys, its address and its limits. */
export interface Provider {
  readonly name: string;
  readonly deployment: Deployment | ScriptedDeployment;
  readonly keys: readonly ProviderKey[];
  /** True when a key needs no value. */
  readonly keyless: boolean;
  readonly network: NetworkConfig;
  /** Where chat requests go when not to the SDK's usual path: a whole URL. */
  readonly chatUrl?: string;
  allows(operation: Operation): boolean;
  /** Throws GatewayError when nothing says where the provider is. */
  upstreamOf(key: ProviderKey): UpstreamTarget;
}

export const isScripted = (deployment: Deployment | ScriptedDeployment): deployment is ScriptedDeployment =>
  'scripted' in deployment;
