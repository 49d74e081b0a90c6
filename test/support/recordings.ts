import { readFileSync } from 'node:fs';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { shared, sharedPath } from './shared.ts';

/** An answer as the provider gave it: one of `sse` (exact text of the stream), `body` (JSON), `text` (anything else). */
export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly sse?: string;
  readonly body?: JsonObject;
  readonly text?: string;
}

/** What the vendor's official SDK makes of the answer; counts follow that vendor's own usage semantics. */
export interface Digest {
  readonly finish?: string | null;
  readonly text?: string;
  readonly thinking?: string;
  readonly blocks?: readonly string[];
  readonly items?: readonly string[];
  readonly refusal?: string;
  /** Why a Responses answer is incomplete. */
  readonly incomplete?: string;
  /** Why Gemini refused the prompt itself. */
  readonly block?: string;
  /** Calls streamed in pieces that Gemini's SDK leaves to its user; not in `toolCalls`. */
  readonly partialToolCalls?: boolean;
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  readonly usage?: Readonly<Record<string, number | undefined>>;
  readonly error?: { readonly status?: number | null; readonly name: string; readonly message: string };
}

export interface Recording {
  readonly id: string;
  readonly provider: string;
  /** `anthropic.messages`, `openai.chat`, ... */
  readonly endpoint: string;
  /** The place in a conversation of several requests, each of which holds the answer before it. */
  readonly scenario?: { readonly id: string; readonly step: number; readonly of: number };
  readonly stream: boolean;
  readonly status: number;
  readonly tags: readonly string[];
  /** `body` is null where the source kept none. */
  readonly request: { readonly method: string; readonly path: string; readonly body: JsonObject | null };
  readonly response: RecordedResponse;
  readonly digest: Digest;
}

export interface RecordingFilter {
  /** `anthropic.messages`, `openai.chat`, ... */
  readonly endpoint: string;
  /** Only providers whose name begins so. */
  readonly providerPrefix?: string;
}

interface IndexEntry {
  readonly id: string;
  readonly file: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly stream: boolean;
  readonly status: number;
  readonly tags: readonly string[];
  readonly scenario?: Recording['scenario'];
}

// The recordings describe their own shape in a README beside them; tests fail loudly where a file departs from it.
const readJson = <Shape>(...path: string[]): Shape =>
  JSON.parse(readFileSync(sharedPath('recordings', ...path), 'utf8')) as Shape;

/** Recorded traffic of one endpoint with what it means; empty where the recordings are absent. */
export function cases({ endpoint, providerPrefix = '' }: RecordingFilter): Recording[] {
  if (!shared) return [];
  const digests = readJson<Record<string, Digest>>('digests.json');
  return readJson<{ cases: IndexEntry[] }>('index.json')
    .cases.filter((entry) => entry.endpoint === endpoint && entry.provider.startsWith(providerPrefix))
    .map((entry) => recordingOf(entry, digests[entry.id]));
}

function recordingOf(entry: IndexEntry, digest: Digest | undefined): Recording {
  const { id, provider, endpoint, stream, status, tags, scenario } = entry;
  const file = readJson<Pick<Recording, 'request' | 'response'>>(entry.file);
  if (!digest || !isObject(file.request) || !isObject(file.response)) throw new Error(`recording ${id} is incomplete`);
  const { request, response } = file;
  return { id, provider, endpoint, stream, status, tags, ...(scenario && { scenario }), request, response, digest };
}
