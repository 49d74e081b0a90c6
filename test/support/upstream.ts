import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { bodyOf, onLoopback } from './loopback.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Resolves when the client has gone before the answer was complete, or when it was completed. */
  readonly closed: Promise<'cut' | 'complete'>;
}

/** One answer of the script. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void | Promise<void>;

export interface Upstream {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Adds answers to the end of the script. */
  answers(...script: readonly Answer[]): void;
  /** Throws when a request came that the script did not expect, or when an answer was not asked for. */
  close(): Promise<void>;
}

/** An upstream on loopback that plays a script, an answer for each request in order. */
export async function startUpstream(...script: readonly Answer[]): Promise<Upstream> {
  const waiting = [...script];
  const requests: ReceivedRequest[] = [];
  const unexpected: string[] = [];
  const server = createServer(async (incoming, response) => {
    const body = await bodyOf(incoming);
    const request: ReceivedRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body,
      closed: new Promise((resolve) => {
        response.on('close', () => resolve(response.writableFinished ? 'complete' : 'cut'));
      }),
    };
    const answer = waiting.shift();
    if (!answer) {
      unexpected.push(`${request.method} ${request.path}`);
      response.writeHead(501).end('no answer is left in the script');
      return;
    }
    requests.push(request);
    await answer(response, request);
  });
  const { url, close } = await onLoopback(server);
  return {
    url,
    requests,
    answers: (...more) => waiting.push(...more),
    close: async () => {
      await close();
      if (unexpected.length > 0) throw new Error(`requests beyond the script: ${unexpected.join(', ')}`);
      if (waiting.length > 0) throw new Error(`${waiting.length} answers of the script were not asked for`);
    },
  };
}

interface Head {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export const json =
  (body: unknown, { status = 200, headers = {} }: Head = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** An event stream, one write for each piece; `end` says whether it is closed, cut off or left open. */
export const sse =
  (pieces: readonly string[], end: 'close' | 'cut' | 'open' = 'close'): Answer =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
    if (end === 'close') response.end();
    if (end === 'cut') response.destroy();
  };

/** Takes the request and never answers. */
export const silence: Answer = () => undefined;

/** Breaks the connection without an answer. */
export const hangUp: Answer = (response) => {
  response.destroy();
};
