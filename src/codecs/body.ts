import type { CodecId } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject, type JsonValue, ownValue } from '../model/json.ts';
import type { BodySource, RequestHead } from '../model/request.ts';
import { refuseImmense } from './measure.ts';
import { type Member, topLevelMembers } from './scan.ts';

/** Small bodies are parsed at once: it costs next to nothing and finds every syntax error. */
const PARSE_AT_ONCE_BELOW = 4_096;

/** It is told in headers of the answer, in logs and in errors; ARNs, the longest there are, end at 2,048. */
const LONGEST_MODEL = 2_048;

/** Fields that only we understand; they never travel on, but where Anthropic's own field of that name is meant. */
const GATEWAY_ONLY: ReadonlySet<string> = new Set(['fallbacks']);

export interface ReadBody {
  readonly head: RequestHead;
  readonly source: BodySource;
}

/** Where the URL names model and verb (Google), the body says neither and travels on without such fields. */
export type SaidByUrl = Pick<RequestHead, 'model' | 'stream'>;

const SAID_BY_URL: ReadonlySet<string> = new Set([...GATEWAY_ONLY, 'model', 'stream']);

/** Azure's API: a name without a provider is a deployment there, and one in the URL goes above the body's. */
export interface NamedByAzure {
  readonly deployment?: string;
}

/** Reads what routing needs from a client's body. Throws GatewayError('invalid-request') that says what is wrong. */
export function readBody(codec: CodecId, bytes: Buffer, said?: SaidByUrl, azure?: NamedByAzure): ReadBody {
  const source = new ScannedBody(codec, bytes, said ? SAID_BY_URL : GATEWAY_ONLY);
  return { head: source.head(said, azure), source };
}

/** Throws GatewayError('invalid-request') for a name that no model has. */
export function refuseLongModel(model: string): void {
  if (model.length <= LONGEST_MODEL) return;
  const told = `model is ${model.length} characters long; name one of at most ${LONGEST_MODEL}`;
  throw new GatewayError('invalid-request', told, { param: 'model' });
}

/** The model that a client of Azure's API means by what its body names. */
export function azureModel<Named>({ deployment }: NamedByAzure, named: Named): Named | string {
  const model = deployment ?? named;
  return typeof model === 'string' && model !== '' && !model.includes('/') ? `azure/${model}` : model;
}

class ScannedBody implements BodySource {
  readonly codec: CodecId;
  readonly bytes: Buffer;
  /** Fields that never travel on. */
  readonly #cut: ReadonlySet<string>;
  #parsed: JsonObject | undefined;
  #scanned: readonly Member[] | undefined;

  constructor(codec: CodecId, bytes: Buffer, cut: ReadonlySet<string>) {
    this.codec = codec;
    this.#cut = cut;
    this.bytes = bytes;
    if (bytes.length < PARSE_AT_ONCE_BELOW) this.#parsed = parseObject(bytes);
  }

  get body(): JsonObject {
    this.#parsed ??= parseObject(this.bytes);
    return this.#parsed;
  }

  has(field: string): boolean {
    return this.#parsed ? Object.hasOwn(this.#parsed, field) : this.#member(field) !== undefined;
  }

  head(said?: SaidByUrl, azure?: NamedByAzure): RequestHead {
    if (said) return { ...said, fallbacks: this.#fallbacks };
    const named = this.member('model');
    const model = azure ? azureModel(azure, named) : named;
    if (typeof model !== 'string' || model === '') {
      throw new GatewayError('invalid-request', 'model is required: write provider/model, for example openai/gpt-4o', {
        param: 'model',
      });
    }
    refuseLongModel(model);
    const stream = this.member('stream');
    if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
      throw new GatewayError('invalid-request', `stream must be true or false, not ${JSON.stringify(stream)}`, {
        param: 'stream',
      });
    }
    return { model, stream: stream === true, fallbacks: this.#fallbacks };
  }

  get #fallbacks(): string[] {
    const given = this.member('fallbacks');
    return areAnthropics(this.codec, given) ? [] : fallbacksOf(given);
  }

  /** Whether a member stays here. */
  #cuts({ key }: Member): boolean {
    return this.#cut.has(key) && !(key === 'fallbacks' && areAnthropics(this.codec, this.member(key)));
  }

  withModel(model: string, given = ''): Buffer {
    const extraMembers = this.#namesNone ? [`"model":${JSON.stringify(model)}`, given].filter(Boolean).join() : given;
    const named = this.#members.filter((member) => member.key === 'model' || this.#cuts(member));
    const [only] = named;
    if (only === undefined && this.#cut.has('model') && extraMembers === '') return this.bytes;
    if (named.length !== 1 || only?.key !== 'model' || this.#cut.has('model'))
      return this.#rebuiltWith(model, extraMembers);
    const opening = this.bytes.indexOf('{') + 1;
    return spliced(this.bytes, [
      [opening, opening, extraMembers === '' ? '' : `${extraMembers},`],
      [only.valueStart, only.valueEnd, JSON.stringify(model)],
    ]);
  }

  get #members(): readonly Member[] {
    this.#scanned ??= topLevelMembers(this.bytes);
    return this.#scanned;
  }

  /** The URL named the model of a body that has to name it. */
  get #namesNone(): boolean {
    return !this.#cut.has('model') && !this.has('model');
  }

  #rebuiltWith(model: string, extraMembers: string): Buffer {
    const pieces: Uint8Array[] = [Buffer.from(`{${extraMembers}`)];
    let separator = extraMembers === '' ? '' : ',';
    for (const member of this.#members) {
      if (this.#cuts(member)) continue;
      const value = this.bytes.subarray(member.valueStart, member.valueEnd);
      pieces.push(Buffer.from(separator), this.bytes.subarray(member.keyStart, member.valueStart));
      pieces.push(member.key === 'model' ? Buffer.from(JSON.stringify(model)) : value);
      separator = ',';
    }
    pieces.push(Buffer.from('}'));
    return Buffer.concat(pieces);
  }

  /** The last of equal keys wins, as in JSON.parse. */
  #member(field: string): Member | undefined {
    return this.#members.findLast((member) => member.key === field);
  }

  member(field: string): JsonValue | undefined {
    if (this.#parsed) return ownValue(this.#parsed, field);
    const member = this.#member(field);
    return member && parse(this.bytes.subarray(member.valueStart, member.valueEnd));
  }
}

/** The bytes with each `[from, to)` replaced by a text; ranges in order, not overlapping. */
function spliced(bytes: Buffer, changes: readonly (readonly [from: number, to: number, text: string])[]): Buffer {
  const growth = changes.reduce((sum, [from, to, text]) => sum + Buffer.byteLength(text) - (to - from), 0);
  const result = Buffer.allocUnsafe(bytes.length + growth);
  let read = 0;
  let written = 0;
  for (const [from, to, text] of changes) {
    written += bytes.copy(result, written, read, from);
    written += result.write(text, written);
    read = to;
  }
  bytes.copy(result, written, read);
  return result;
}

function parse(bytes: Buffer): JsonValue {
  refuseImmense(bytes);
  try {
    // JSON.parse gives nothing but JSON
    return JSON.parse(bytes.toString('utf8')) as JsonValue;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('invalid-request', `the request body is not valid JSON: ${why}`, { cause });
  }
}

function parseObject(bytes: Buffer): JsonObject {
  if (bytes.length === 0) throw new GatewayError('invalid-request', 'the request body is empty; send a JSON object');
  const value = parse(bytes);
  if (!isObject(value)) throw new GatewayError('invalid-request', 'the request body must be a JSON object');
  return value;
}

/**
 * Whether `fallbacks` are those of the Messages API itself: "default", or models without a provider (Anthropic SDK,
 * BetaFallbacksParam). Ours name providers.
 */
export const areAnthropics = (codec: CodecId, fallbacks: JsonValue | undefined): boolean =>
  codec === 'anthropic-messages' &&
  (fallbacks === 'default' ||
    (Array.isArray(fallbacks) &&
      fallbacks.length > 0 &&
      fallbacks.every((entry) => isObject(entry) && typeof entry.model === 'string' && entry.provider === undefined)));

/** Strings `provider/model` or objects `{provider, model}`; entries that lack either are dropped, as the original does. */
function fallbacksOf(value: JsonValue | undefined): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new GatewayError('invalid-request', 'fallbacks must be a list of "provider/model" or {provider, model}', {
      param: 'fallbacks',
    });
  }
  return value.flatMap((entry) => {
    if (typeof entry === 'string') return entry.includes('/') ? [entry] : [];
    if (!isObject(entry) || typeof entry.model !== 'string' || typeof entry.provider !== 'string') return [];
    return entry.provider && entry.model ? [`${entry.provider}/${entry.model}`] : [];
  });
}
