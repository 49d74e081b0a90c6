import type { EncodeTarget } from '../codecs/codec.ts';
import type { NetworkConfig, ProviderKey } from '../config/schema.ts';
import type { CodecId } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import type { OperationFormat, OperationKind, OperationName, OperationRequest } from '../model/operation.ts';
import type { BodySource, ChatRequest } from '../model/request.ts';
import type { Sdk, UpstreamTarget } from './upstream.ts';

/** What a deployment changes in a body before it leaves, with an account of it. Pure: returns a new body or the same. */
export type Adjust = (body: JsonObject, model: string) => { body: JsonObject; losses: readonly Loss[] };

/** What of an upstream target says where an operation is asked for. */
export type OperationPlace = Pick<UpstreamTarget, 'baseUrl' | 'cloud'>;

/** How a deployment is asked for one operation that is not a chat. */
export interface OperationWire {
  readonly format: OperationFormat;
  /** Below the base URL, or at the server's root; a whole URL where another API of the same cloud serves it. Throws GatewayError. */
  readonly path: (model: string, request: OperationRequest, target: OperationPlace) => string;
  readonly atRoot?: boolean;
  readonly headers?: (target: OperationPlace) => Readonly<Record<string, string>>;
  /** Absent = every model of the provider. */
  readonly serves?: (model: string) => boolean;
  /** False where the operation gives whole answers only. */
  readonly streams?: boolean;
}

/** What a deployment can do beside chats; of several formats for one operation, the best first. */
export type OperationTable = Readonly<Partial<Record<OperationKind, readonly [OperationWire, ...OperationWire[]]>>>;

/** A place where codecs are deployed. An OpenAI-compatible provider is one of these and nothing else. */
export interface Deployment {
  readonly name: string;
  /** Formats it speaks, best first. The client's own wins when it is in the list, so nothing is translated twice. */
  readonly speaks: readonly [CodecId, ...CodecId[]];
  /** Which vendor SDK carries the call. */
  readonly sdk: Sdk;
  /** As the SDK wants it (with `/v1` for `openai`, without for `anthropic`, with `/v1beta` for `google`); absent = every key or config must say. */
  readonly baseUrl?: string;
  /** Environment variables that hold a key for it, best first. */
  readonly keyVariables: readonly string[];
  /** True where a key needs no value: servers that take none (ollama), clouds that ask who we are. */
  readonly keyless?: boolean;
  /** How `encodeRequest` should write bodies for it. */
  readonly wire: Partial<Omit<EncodeTarget, 'model' | 'stream'>>;
  /** Absent = same-format bodies travel byte for byte. */
  readonly adjust?: Adjust;
  /** False when the client's bytes show that `adjust` has nothing to do, so that they may travel as they are. */
  readonly mayAdjust?: (source: BodySource, model: string) => boolean;
  /** False where `stream_options` is refused; usage then comes in the last chunk by itself or not at all. */
  readonly streamOptions?: boolean;
  /** Where chats go, when not to the usual path of their format. */
  readonly chatPath?: (format: CodecId, model: string, stream: boolean) => string;
  /** Where its models are listed, when not on the usual path of its first format. */
  readonly modelsPath?: string;
  /** What a key's own configuration says of its way in; absent = a base URL and the key's value. Throws GatewayError. */
  readonly access?: (key: ProviderKey, network: NetworkConfig) => Access;
  /** A key as this deployment understands it; absent = as configured. */
  readonly readsKey?: (key: ProviderKey) => ProviderKey;
  /** Whether an `anthropic-beta` flag is known there; absent = all are sent. */
  readonly takesBeta?: (flag: string) => boolean;
  /** A host of several families of models: what serves this one. `family` is the model's name, or what its alias says of it. */
  readonly hosts?: (family: string, key: ProviderKey) => Deployment;
  /** Absent = chats only. */
  readonly operations?: OperationTable;
  /** The header that holds the key, where it is no bearer token and not the SDK's own. */
  readonly keyHeader?: string;
  /** True where the API itself runs MCP servers and tool searches that a request names. */
  readonly runsServerTools?: boolean;
  /** True for providers that have no chat at all. */
  readonly chatless?: boolean;
  /** With more tools than that it refuses a request; absent = nothing is known. */
  readonly mostTools?: number;
}

/** The part of an upstream target that a key decides. */
export type Access = Pick<UpstreamTarget, 'baseUrl' | 'apiKey' | 'identity' | 'cloud'>;

/** A model that never leaves the process: a script answers in place of an upstream. */
export interface ScriptedDeployment {
  readonly name: string;
  readonly models: readonly string[];
  readonly scripted: (request: ChatRequest, model: string, signal: AbortSignal) => AsyncIterable<StreamEvent>;
}

export type Operation = 'chat_completion' | 'chat_completion_stream' | 'list_models' | 'count_tokens' | OperationName;

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
  /** The same for operations that are no chat; absent = all go to their usual path. */
  readonly operationUrl?: (operation: OperationName) => string | undefined;
  /** Where one name hosts several families of models: who serves this one, with the key as its alias changes it. */
  readonly placeOf?: (key: ProviderKey, model: string) => Place;
  /** Whether an `anthropic-beta` flag may be sent; absent = all may. */
  readonly takesBeta?: (flag: string) => boolean;
  /** What of the exchange with it callers see; absent = nothing. */
  readonly sendsBackRaw?: { readonly request: boolean; readonly response: boolean };
  /** Whether the log keeps the exchange with it as it travelled. */
  readonly storesRaw?: true;
  allows(operation: Operation): boolean;
  /** Throws GatewayError when nothing says where the provider is. */
  upstreamOf(key: ProviderKey): UpstreamTarget;
}

/** The providers that can be asked, by lower-case name. */
export interface ConfiguredProviders extends ReadonlyMap<string, Provider> {
  /** Why others that the config names cannot be asked, a sentence each: what is meant for them goes to no one else. */
  readonly leftOut?: ReadonlyMap<string, string>;
}

export interface Place {
  readonly provider: Provider;
  readonly key: ProviderKey;
}

export const isScripted = (deployment: Deployment | ScriptedDeployment): deployment is ScriptedDeployment =>
  'scripted' in deployment;
