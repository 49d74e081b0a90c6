import { GatewayError } from '../../model/errors.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { OperationRequest, PayloadFile } from '../../model/operation.ts';
import type { Ledger } from '../ledger.ts';
import type { Measured } from './usage.ts';

/** A provider's whole answer. */
export interface ProviderAnswer {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly receivedAtMs: number;
  /** Tokens of the request as a header counts them (Amazon Bedrock). */
  readonly inputTokens?: number | undefined;
  /** Whatever JSON it is. Throws GatewayError('bad-response') when it is none. */
  readonly value: JsonValue;
  /** Throws GatewayError('bad-response') when it is no JSON object. */
  readonly body: JsonObject;
}

/** A body that is no JSON: a file for a provider, by itself. */
export class SentFile {
  readonly contentType: string;
  readonly bytes: Uint8Array;

  constructor(contentType: string, bytes: Uint8Array) {
    this.contentType = contentType;
    this.bytes = bytes;
  }
}

/** A form for a provider. */
export class SentForm extends SentFile {
  /** The boundary is given, because nothing here may be made up at random: the same form is the same bytes. */
  constructor(boundary: string, fields: Readonly<Record<string, string>>, file: PayloadFile) {
    const pieces = Object.entries(fields).map(([name, value]) =>
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
    );
    const { field, fileName, mediaType, bytes } = file;
    const head = `content-disposition: form-data; name="${field}"; filename="${fileName}"\r\ncontent-type: ${mediaType}`;
    pieces.push(Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`));
    const form = Buffer.concat([...pieces, bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
    super(`multipart/form-data; boundary=${boundary}`, form);
  }
}

/** A body for a provider. */
export type SentBody = JsonObject | SentFile;

/** An answer for a client: JSON, or bytes with their type. */
export type ClientAnswer =
  | ({ readonly body: JsonObject } & Measured)
  | ({ readonly contentType: string; readonly bytes: Uint8Array } & Measured);

/** Several bodies where a provider takes less at once than the client asked for. */
export type SentBodies = readonly [SentBody, ...SentBody[]];

/** One operation between a client's format and a provider's. Pure; throws GatewayError('invalid-request'). */
export interface Translation {
  request(request: OperationRequest, model: string, ledger: Ledger): SentBody | SentBodies;
  /** Absent where the answer needs none: its bytes are what the client asked for. `others`: to the bodies behind the first. */
  answer?(answer: ProviderAnswer, request: OperationRequest, others: readonly ProviderAnswer[]): ClientAnswer;
  /** Where at the provider's root to ask again for an answer that is not complete yet; undefined once it is. */
  pendingAt?(answer: ProviderAnswer): string | undefined;
}

/** Throws GatewayError('invalid-request') that names a field and says what belongs there. */
export function refuse(field: string, why: string): never {
  throw new GatewayError('invalid-request', `${field} ${why}`, { param: field });
}

export function requiredText(fields: JsonObject, field: string): string {
  const value = fields[field];
  return typeof value === 'string' && value !== '' ? value : refuse(field, 'is required');
}

export const textOrNothing = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** A text that may be left out, also as null or nothing. Throws GatewayError('invalid-request') for anything else. */
export function textIfGiven(fields: JsonObject, field: string): string | undefined {
  const value = fields[field] ?? '';
  if (typeof value !== 'string') return refuse(field, 'must be one text');
  return value === '' ? undefined : value;
}

/** A count that may be left out; a form writes it as text. Throws GatewayError('invalid-request') for anything else. */
export function countIfGiven(fields: JsonObject, field: string): number | undefined {
  const value = fields[field] ?? '';
  if (value === '') return undefined;
  const count = numberOrNothing(value);
  return count !== undefined && Number.isSafeInteger(count) && count > 0
    ? count
    : refuse(field, 'must be a whole number, 1 or more');
}

/** A number, also where a form wrote it as text. */
export function numberOrNothing(value: JsonValue | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);

/** Registers every field of the client's body that the other format has no word for. */
export function dropOthers(fields: JsonObject, known: ReadonlySet<string>, ledger: Ledger): void {
  for (const field of Object.keys(fields)) {
    if (!known.has(field)) ledger.dropped(field, 'the provider has no such field');
  }
}

export const malformed = (what: string): GatewayError =>
  new GatewayError('bad-response', `the provider's answer holds no ${what}`);
