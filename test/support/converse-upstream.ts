import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { bodyOf, onLoopback } from './loopback.ts';

/** One answer of the script: JSON whole, or frames as a stream; `cut` breaks the connection behind them. */
export interface ConverseAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly frames?: readonly Buffer[];
  readonly cut?: boolean;
}

export interface ConverseRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface ConverseUpstream {
  readonly url: string;
  readonly requests: ConverseRequest[];
  close(): Promise<void>;
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
);

function encoded(headers: Readonly<Record<string, string>>, payload: unknown): Buffer {
  const typed = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }]),
  );
  return Buffer.from(codec.encode({ headers: typed, body: Buffer.from(JSON.stringify(payload)) }));
}

/** A frame as AWS's own library writes it. */
export const frame = (type: string, payload: unknown): Buffer =>
  encoded({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, payload);

export const exception = (type: string, message: string): Buffer =>
  encoded({ ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' }, { message });

/** An event of Anthropic's stream in a frame of InvokeModelWithResponseStream. */
export const chunk = (event: unknown): Buffer =>
  frame('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abcdefg' });

/** Bedrock on loopback: answers by what it is asked. */
export async function startConverseUpstream(
  answer: (request: ConverseRequest) => ConverseAnswer,
): Promise<ConverseUpstream> {
  const requests: ConverseRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      text: (await bodyOf(incoming)).toString(),
    };
    requests.push(request);
    await write(answer(request), response);
  });
  return { ...(await onLoopback(server)), requests };
}

async function write({ status = 200, headers = {}, body, frames, cut }: ConverseAnswer, response: ServerResponse) {
  const type = frames ? 'application/vnd.amazon.eventstream' : 'application/json';
  response.writeHead(status, { 'content-type': type, 'x-amzn-requestid': 'aws-1', ...headers });
  if (!frames) {
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
    return;
  }
  for (const bytes of frames) await new Promise((resolve) => response.write(bytes, resolve));
  if (cut) response.destroy();
  else response.end();
}
