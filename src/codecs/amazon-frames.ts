import { crc32 } from 'node:zlib';
import { GatewayError } from '../model/errors.ts';

// application/vnd.amazon.eventstream: a prelude (total length, length of the headers, CRC of both), the headers, the
// payload, and a CRC of all before it; numbers are big-endian (AWS, event stream encoding).

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;
/** A payload has at most 16 MB, headers 128 KB. */
const MAX_FRAME_BYTES = 17 * 1024 * 1024;
const STRING_HEADER = 7;

export const AMAZON_FRAMES = 'application/vnd.amazon.eventstream';

export interface AmazonFrame {
  /** The headers that are texts; no other kind is used by Bedrock. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

/** Reads frames from bytes that come in any pieces. One reader a stream. */
export interface AmazonFrameReader {
  /** The frames that this piece completes. Throws GatewayError('bad-response') when the bytes are not frames. */
  push(chunk: Uint8Array): AmazonFrame[];
  /** True while a frame has begun and not ended. */
  readonly inside: boolean;
}

/** Pieces are joined once a frame is complete, so that a long frame in many small pieces stays linear. */
export function createAmazonFrameReader(): AmazonFrameReader {
  let pieces: Buffer[] = [];
  let held = 0;
  let wanted = PRELUDE_BYTES;
  return {
    get inside() {
      return held > 0;
    },
    push(chunk) {
      pieces.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      held += chunk.byteLength;
      const frames: AmazonFrame[] = [];
      if (held < wanted) return frames;
      let rest = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces);
      wanted = wantedOf(rest);
      while (rest.length >= wanted && rest.length > PRELUDE_BYTES) {
        frames.push(frameOf(rest.subarray(0, wanted)));
        rest = rest.subarray(wanted);
        wanted = wantedOf(rest);
      }
      pieces = rest.length > 0 ? [rest] : [];
      held = rest.length;
      return frames;
    },
  };
}

/** How many bytes the next frame takes, as far as its prelude tells. */
function wantedOf(bytes: Buffer): number {
  if (bytes.length < PRELUDE_BYTES) return PRELUDE_BYTES;
  if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) throw broken('the checksum of a prelude is wrong');
  const total = bytes.readUInt32BE(0);
  const smallest = PRELUDE_BYTES + bytes.readUInt32BE(4) + CRC_BYTES;
  if (total < smallest || total > MAX_FRAME_BYTES) throw broken(`a frame cannot have ${total} bytes`);
  return total;
}

function frameOf(bytes: Buffer): AmazonFrame {
  const end = bytes.length - CRC_BYTES;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) throw broken('the checksum of a frame is wrong');
  const payloadStart = PRELUDE_BYTES + bytes.readUInt32BE(4);
  return {
    headers: headersIn(bytes.subarray(PRELUDE_BYTES, payloadStart)),
    payload: bytes.subarray(payloadStart, end),
  };
}

/** Bytes of a header's value by its type; types 6 and 7 say their length themselves. */
const VALUE_BYTES: readonly (number | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];

function headersIn(bytes: Buffer): Record<string, string> {
  const headers: [name: string, value: string][] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const nameEnd = at + 1 + bytes.readUInt8(at);
      const type = bytes.readUInt8(nameEnd);
      if (type >= VALUE_BYTES.length) throw broken(`a header has the unknown type ${type}`);
      const fixed = VALUE_BYTES[type];
      const start = nameEnd + 1 + (fixed === undefined ? 2 : 0);
      const end = start + (fixed ?? bytes.readUInt16BE(nameEnd + 1));
      if (end > bytes.length) throw broken('a header is cut short');
      if (type === STRING_HEADER) {
        headers.push([bytes.toString('utf8', at + 1, nameEnd), bytes.toString('utf8', start, end)]);
      }
      at = end;
    }
  } catch (thrown) {
    throw thrown instanceof GatewayError ? thrown : broken('a header is cut short');
  }
  // entries, so that a header named __proto__ is a header
  return Object.fromEntries(headers);
}

const broken = (what: string): GatewayError =>
  new GatewayError('bad-response', `the provider's event stream cannot be read: ${what}`);

/** One frame; header values are texts of at most 32 KB. */
export function amazonFrame(headers: Readonly<Record<string, string>>, payload: Uint8Array | string): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => headerBytes(name, value)));
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const total = PRELUDE_BYTES + head.length + body.length + CRC_BYTES;
  const frame = Buffer.allocUnsafe(total);
  frame.writeUInt32BE(total, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  head.copy(frame, PRELUDE_BYTES);
  frame.set(body, PRELUDE_BYTES + head.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, total - CRC_BYTES)), total - CRC_BYTES);
  return frame;
}

function headerBytes(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(name) + Buffer.byteLength(value));
  const nameEnd = 1 + bytes.write(name, 1);
  bytes.writeUInt8(nameEnd - 1, 0);
  bytes.writeUInt8(STRING_HEADER, nameEnd);
  bytes.writeUInt16BE(Buffer.byteLength(value), nameEnd + 1);
  bytes.write(value, nameEnd + 3);
  return bytes;
}
