import { GatewayError } from '../../model/errors.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Payload, PayloadFile } from '../../model/operation.ts';

/** One part of a multipart body, as byte positions: it reaches from its delimiter to the next one. */
interface FormPart {
  readonly name: string;
  readonly fileName?: string;
  readonly mediaType: string;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');

/** Fields that only we understand; they never travel on. */
const GATEWAY_ONLY: ReadonlySet<string> = new Set(['fallbacks', 'provider']);

/**
 * A `multipart/form-data` body (RFC 7578) as the payload of an operation. Only where its parts stand is read: what
 * travels on are the client's own bytes, under the client's own boundary.
 */
export class FormPayload implements Payload {
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly #parts: readonly FormPart[];

  /** Throws GatewayError('invalid-request') that says what is wrong with the form. */
  constructor(contentType: string, bytes: Buffer) {
    this.contentType = contentType;
    this.bytes = bytes;
    this.#parts = partsOf(bytes, boundaryOf(contentType));
  }

  get fields(): JsonObject {
    return fieldsOf(this.bytes, this.#parts);
  }

  get files(): readonly PayloadFile[] {
    return this.#parts.flatMap(({ name, fileName, mediaType, valueStart, valueEnd }) =>
      fileName === undefined
        ? []
        : [
            {
              field: fieldName(name),
              fileName,
              mediaType,
              bytes: this.bytes.subarray(valueStart, valueEnd),
            },
          ],
    );
  }

  withModel(model: string): Uint8Array {
    return written(this.bytes, this.#parts, model);
  }
}

/** How a form begins, up to its first file. */
export interface FormBeginning {
  readonly fields: JsonObject;
  readonly file: Pick<PayloadFile, 'field' | 'fileName' | 'mediaType'>;
  /** All of the bytes, without what only the gateway understands. */
  readonly bytes: Buffer;
}

/** Undefined while no file is in sight. Throws GatewayError('invalid-request') when it can be no form. */
export function formBeginning(contentType: string, bytes: Buffer): FormBeginning | undefined {
  const delimiter = Buffer.from(`--${boundaryOf(contentType)}`);
  const parts: FormPart[] = [];
  for (let at = nextDelimiter(bytes, delimiter, 0); at >= 0; ) {
    const behind = at + delimiter.length;
    const headStart = bytes.indexOf(LINE_END, behind);
    const headEnd = bytes.indexOf(HEAD_END, headStart);
    if (headStart < 0 || headEnd < 0) return undefined;
    const head = headOf(bytes.toString('utf8', headStart, headEnd));
    const { name, fileName, mediaType } = head;
    if (fileName !== undefined) {
      const file = { field: fieldName(name), fileName, mediaType };
      return { fields: fieldsOf(bytes, parts), file, bytes: written(bytes, parts) };
    }
    const end = nextDelimiter(bytes, delimiter, behind);
    const valueStart = headEnd + HEAD_END.length;
    if (end < valueStart) return undefined;
    parts.push({ ...head, start: at, valueStart, valueEnd: Math.max(end - LINE_END.length, valueStart), end });
    at = end;
  }
  return undefined;
}

/** `field[]` is a field that may stand several times. */
const fieldName = (name: string): string => name.replace(/\[\]$/, '');

function fieldsOf(bytes: Buffer, parts: readonly FormPart[]): JsonObject {
  const fields: JsonObject = {};
  for (const part of parts) {
    if (part.fileName !== undefined) continue;
    const name = fieldName(part.name);
    const text = bytes.toString('utf8', part.valueStart, part.valueEnd);
    const known = fields[name];
    // a field that stands several times is a list, as is one named `field[]`
    if (known === undefined) fields[name] = name === part.name ? text : [text];
    else fields[name] = Array.isArray(known) ? [...known, text] : [known, text];
  }
  return fields;
}

/** The bytes without gateway-only fields, and with another model's name where one is given. */
function written(bytes: Buffer, parts: readonly FormPart[], model?: string): Buffer {
  const pieces: Uint8Array[] = [];
  let read = 0;
  for (const part of parts) {
    const isOurs = GATEWAY_ONLY.has(fieldName(part.name));
    if (!isOurs && (part.name !== 'model' || model === undefined)) continue;
    pieces.push(bytes.subarray(read, isOurs ? part.start : part.valueStart));
    if (!isOurs && model !== undefined) pieces.push(Buffer.from(model));
    read = isOurs ? part.end : part.valueEnd;
  }
  if (read === 0) return bytes;
  pieces.push(bytes.subarray(read));
  return Buffer.concat(pieces);
}

function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary !== undefined) return boundary;
  throw broken('its content-type names no boundary');
}

function partsOf(bytes: Buffer, boundary: string): FormPart[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: FormPart[] = [];
  let at = nextDelimiter(bytes, delimiter, 0);
  for (;;) {
    if (at < 0) throw broken('its closing boundary is missing');
    const behind = at + delimiter.length;
    if (bytes.toString('latin1', behind, behind + 2) === '--') return parts;
    const end = nextDelimiter(bytes, delimiter, behind);
    const headStart = bytes.indexOf(LINE_END, behind);
    const headEnd = bytes.indexOf(HEAD_END, headStart);
    if (end < 0 || headStart < 0 || headEnd < 0 || headEnd + HEAD_END.length > end) {
      throw broken(end < 0 ? 'its closing boundary is missing' : 'a part of it has no headers');
    }
    const head = headOf(bytes.toString('utf8', headStart, headEnd));
    // the line end in front of a delimiter belongs to the delimiter
    const valueEnd = Math.max(end - LINE_END.length, headEnd + HEAD_END.length);
    parts.push({ ...head, start: at, valueStart: headEnd + HEAD_END.length, valueEnd, end });
    at = end;
  }
}

/** What may follow a delimiter: the end of the form, or the end of the line (RFC 2046, 5.1.1). */
const BEHIND_DELIMITER = /^(?:--|[ \t]*\r\n)/;

/** Where the delimiter stands on a line of its own, from `from` on; below 0 when it does not. */
function nextDelimiter(bytes: Buffer, delimiter: Buffer, from: number): number {
  for (let at = bytes.indexOf(delimiter, from); at >= 0; at = bytes.indexOf(delimiter, at + 1)) {
    const behind = at + delimiter.length;
    const beginsLine = at === 0 || (bytes[at - 2] === 0x0d && bytes[at - 1] === 0x0a);
    if (beginsLine && BEHIND_DELIMITER.test(bytes.toString('latin1', behind, behind + 64))) return at;
  }
  return -1;
}

function headOf(head: string): Pick<FormPart, 'name' | 'fileName' | 'mediaType'> {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? '';
  const name = /[;\s]name="([^"]*)"/i.exec(disposition)?.[1] ?? /[;\s]name=([^;\s"]+)/i.exec(disposition)?.[1];
  if (name === undefined) throw broken('a part of it has no name');
  const fileName =
    /filename="((?:[^"\\]|\\.)*)"/i.exec(disposition)?.[1] ?? /filename\*?=([^;\s]+)/i.exec(disposition)?.[1];
  const mediaType = /^content-type:\s*(\S[^\r\n]*)$/im.exec(head)?.[1]?.trim() ?? 'application/octet-stream';
  return { name, mediaType, ...(fileName !== undefined && { fileName }) };
}

const broken = (why: string): GatewayError =>
  new GatewayError('invalid-request', `the request body is not a valid form: ${why}`);
