import type { IncomingMessage, ServerResponse } from 'node:http';

/** Lets a page that has passed the origin check read the answer. Requests of other programs carry no Origin. */
export function applyCors(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
  response.setHeader('access-control-expose-headers', 'x-bifrost-request-id, x-bifrost-provider, retry-after');
}

export function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  applyCors(request, response);
  response.setHeader('access-control-allow-methods', 'GET, POST, PUT, DELETE, OPTIONS');
  const asked = request.headers['access-control-request-headers'];
  if (asked !== undefined) response.setHeader('access-control-allow-headers', asked);
  response.setHeader('access-control-max-age', '600');
  response.writeHead(204);
  response.end();
}
