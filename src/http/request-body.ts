import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { GatewayError } from '../model/errors.ts';
import { ownValue } from '../model/json.ts';
import { atTurnEnd } from '../model/turn-end.ts';

const DECODERS: Readonly<Record<string, (bytes: Buffer, limits: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/**
 * The whole body of a request as one Buffer, decoded. Throws GatewayError('too-large') past `maxBytes` (of the decoded
 * body too) and 'cancelled' when the client goes away in the middle.
 */
export async function requestBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    // what is still coming is read away, so that the client can finish and see the answer
    request.resume();
    throw tooLarge(maxBytes);
  }
  const bytes = await collected(request, maxBytes);
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() || 'identity';
  return encoding === 'identity' ? bytes : decoded(bytes, encoding, maxBytes);
}

export const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError(
    'too-large',
    `the request body is larger than ${Math.round(maxBytes / 1024 / 1024)} MB; send less or raise client.max_request_body_size_mb`,
  );

/** Most bodies come together with their headers: at the end of the turn they are there, without a stream to listen to. */
function collected(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    atTurnEnd(() => {
      if (request.destroyed) reject(brokenOff());
      else if (!request.complete) listened(request, maxBytes).then(resolve, reject);
      else {
        const bytes: Buffer = request.read() ?? NOTHING;
        if (bytes.length > maxBytes) reject(tooLarge(maxBytes));
        else resolve(bytes);
      }
    });
  });
}

const NOTHING = Buffer.alloc(0);

const brokenOff = (cause?: unknown): GatewayError =>
  new GatewayError('cancelled', 'the client broke off its request', { cause });

function listened(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        chunks.length = 0;
        reject(tooLarge(maxBytes));
      } else chunks.push(chunk);
    });
    request.on('end', () =>
      atTurnEnd(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))),
    );
    request.on('error', (cause) => reject(brokenOff(cause)));
    request.on('close', () => {
      if (!request.complete) reject(brokenOff());
    });
  });
}

async function decoded(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const decode = ownValue(DECODERS, encoding);
  if (!decode) {
    const known = Object.keys(DECODERS).join(', ');
    throw new GatewayError('invalid-request', `content-encoding ${encoding} is not understood; send ${known} or none`, {
      status: 415,
    });
  }
  try {
    return await decode(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes);
    throw new GatewayError('invalid-request', `the request body is not valid ${encoding}`, { cause });
  }
}
