import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface OwnNames {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The gateway's /mcp for callers that know the tools of one client by its server's own names, as the suite does: puts the
 * client's name before the names in calls. Everything else passes as it is, the host that is asked for included.
 */
export async function startOwnNames(gateway: string, client: string): Promise<OwnNames> {
  const target = new URL(gateway);
  const server = createServer(async (request, response) => {
    const body = withPrefix(await text(request), client);
    const onward = send(`${gateway}/mcp`, { method: request.method, headers: headersOf(request, target, body) });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function headersOf({ headers, socket }: IncomingMessage, target: URL, body: string) {
  const own = `127.0.0.1:${socket.localPort}`;
  const isOwn = headers.host === own || headers.host === `localhost:${socket.localPort}`;
  return {
    ...headers,
    ...(isOwn && { host: target.host }),
    ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
  };
}

/** The suite sends plain JSON with the name as the first member of `params`. */
function withPrefix(body: string, client: string): string {
  if (!body.includes('"tools/call"')) return body;
  const message = JSON.parse(body) as { params: { name: string } };
  return JSON.stringify({ ...message, params: { ...message.params, name: `${client}-${message.params.name}` } });
}
