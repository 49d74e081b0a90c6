import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { upgraded } from './swagger.ts';

const MAX_DOCUMENT_BYTES = 5 * 1024 * 1024;

const invalidDocument = (why: string, cause?: unknown): GatewayError =>
  new GatewayError('invalid-request', `Invalid OpenAPI spec: ${why}`, { cause });

/** Throws GatewayError('too-large') for more than anybody should send to a model. */
export function checkSize(bytes: number): void {
  if (bytes <= MAX_DOCUMENT_BYTES) return;
  throw new GatewayError('too-large', `the OpenAPI document is larger than ${MAX_DOCUMENT_BYTES / 1024 / 1024} MiB`);
}

/** The text of a document (JSON or YAML) as OpenAPI 3; Swagger 2.0 is brought into that form. Throws GatewayError. */
export async function readDocument(text: string): Promise<JsonObject> {
  checkSize(Buffer.byteLength(text));
  if (text.trim() === '') throw invalidDocument('the document is empty');
  const parsed = /^\s*\{/.test(text) ? fromJson(text) : await fromYaml(text);
  if (!isObject(parsed)) throw invalidDocument('the document is no object');
  if (parsed.swagger !== undefined) return upgraded(parsed);
  const version = parsed.openapi;
  if (typeof version !== 'string' || !/^3\.\d/.test(version)) {
    throw invalidDocument('it has neither "openapi": "3.x" nor "swagger": "2.0"');
  }
  return parsed;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidDocument(`it is not JSON (${(cause as SyntaxError).message})`, cause);
  }
}

/** Aliases are bounded: a few lines of them can stand for gigabytes. */
async function fromYaml(text: string): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  try {
    const document = parseDocument(text, { logLevel: 'silent', uniqueKeys: false, merge: true });
    const [error] = document.errors;
    if (error) throw error;
    // Keys that are no text (response codes) become text, and dates stay text, as JSON has them.
    return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 1_000 })));
  } catch (cause) {
    const [line] = cause instanceof Error ? cause.message.split('\n') : [];
    throw invalidDocument(`it is neither JSON nor YAML (${line})`, cause);
  }
}
