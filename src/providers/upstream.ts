import { GatewayError } from '../model/errors.ts';
import { type Cancellation, cancelledBy, type FetchWishes } from './cancellation.ts';
import type { NetworkOptions } from './connections.ts';
import { type DirectResponse, responseOf } from './direct-response.ts';
import type { Identity } from './identity.ts';

/** What carries a call: a vendor's SDK, in the variant that a cloud wants. */
export type Sdk =
  | 'openai'
  | 'anthropic'
  | 'google'
  | 'azure-openai'
  | 'azure-anthropic'
  | 'vertex-google'
  | 'vertex-anthropic'
  | 'vertex-openai'
  | 'bedrock'
  | 'bedrock-openai'
  | 'bedrock-mantle';

/** Where a key of a provider leads. One SDK client belongs to each. */
export interface UpstreamTarget extends NetworkOptions {
  readonly provider: string;
  readonly sdk: Sdk;
  /** As the SDK wants it. */
  readonly baseUrl: string;
  /** Absent for servers that take no key. */
  readonly apiKey?: string;
  /** In place of a key: who we are, for a token. */
  readonly identity?: Identity;
  /** What a cloud's SDK asks for beside the address. */
  readonly cloud?: { readonly apiVersion?: string; readonly project?: string; readonly region?: string };
  readonly headers: Readonly<Record<string, string>>;
  /** Time until the headers of a stream, or all of any other answer, must have come. */
  readonly timeoutMs: number;
}

export interface UpstreamCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly cancellation?: Cancellation;
  /** Counts together with a cancellation only. */
  readonly wishes?: FetchWishes;
}

/** A call as options of either SDK. */
export const sdkOptions = ({ headers, signal, cancellation, wishes }: UpstreamCall) => ({
  headers,
  ...(signal && { signal }),
  ...(cancellation && { fetchOptions: cancelledBy(cancellation, wishes) }),
});

/** A provider seen through its vendor's SDK. Answers of any status resolve; GatewayError says why none came. */
export interface Upstream {
  post(path: string, body: string | Uint8Array, call: UpstreamCall): Promise<DirectResponse>;
  get(path: string, call: UpstreamCall): Promise<DirectResponse>;
  /** Absent where nothing is kept that could be deleted. */
  delete?(path: string, call: UpstreamCall): Promise<DirectResponse>;
}

/** The error classes of a vendor's SDK that mean something to us. */
export interface SdkErrors {
  readonly timeout: abstract new (...given: never[]) => Error;
  readonly aborted: abstract new (...given: never[]) => Error;
}

export const tooLate = ({ provider, timeoutMs }: UpstreamTarget, cause?: unknown): GatewayError =>
  new GatewayError(
    'timeout',
    `${provider} did not answer within ${timeoutMs / 1_000} s; raise network_config.default_request_timeout_in_seconds if it needs longer`,
    { provider, ...(cause !== undefined && { cause }) },
  );

/** An error status is an answer too: what an SDK threw, back as the response it threw it for. Throws GatewayError. */
export function answerBehind(thrown: unknown, errors: SdkErrors, target: UpstreamTarget): DirectResponse {
  const answer = thrown instanceof Error && 'headers' in thrown ? responseOf(thrown.headers) : undefined;
  if (answer) return answer;
  const details = { provider: target.provider, cause: thrown };
  if (thrown instanceof errors.aborted) throw new GatewayError('cancelled', 'the request was cancelled', details);
  if (thrown instanceof errors.timeout) throw tooLate(target, thrown);
  const told = thrown instanceof GatewayError || !(thrown instanceof Error) ? thrown : thrown.cause;
  if (told instanceof GatewayError) {
    throw new GatewayError(told.kind, told.message, { ...told.details, provider: target.provider });
  }
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  throw new GatewayError('network', `the request to ${target.provider} failed: ${why}`, details);
}
