import type { Readable } from 'node:stream';

/** As much as a server on stdio may write in one line. */
const MOST_BYTES = 256 * 1024 * 1024;

const utf8 = new TextDecoder();

const tooLong = (mostBytes: number): Error => new Error(`the server answered with more than ${mostBytes} bytes`);

/** The text of an answer that is held whole. Throws when there is no end to it. */
export function textOf(
  body: Readable & { text(): Promise<string> },
  headers: Headers,
  mostBytes = MOST_BYTES,
): Promise<string> {
  // the parser holds an answer to the length that it told
  if (Number(headers.get('content-length') ?? Number.NaN) <= mostBytes) return body.text();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    body.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostBytes) body.destroy(tooLong(mostBytes));
      else chunks.push(chunk);
    });
    body.on('end', () => resolve(utf8.decode(Buffer.concat(chunks))));
    body.on('error', reject);
  });
}

/** The same answer, whose reader fails where there is no end to it. An event stream may go on for ever. */
export function bounded(response: Response, mostBytes = MOST_BYTES): Response {
  const { body, status, statusText, headers } = response;
  if (!body || headers.get('content-type')?.startsWith('text/event-stream')) return response;
  let size = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.byteLength;
      if (size > mostBytes) controller.error(tooLong(mostBytes));
      else controller.enqueue(chunk);
    },
  });
  return new Response(body.pipeThrough(counted), { status, statusText, headers: [...headers] });
}
