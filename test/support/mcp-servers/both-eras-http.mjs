import { createServer, request as send } from 'node:http';
import { startLegacyHttpServer } from './legacy-http.mjs';
import { startModernHttpServer } from './modern-http.mjs';

/** A server that speaks both eras at one address on 127.0.0.1, in the older one with sessions; told apart by the header. */
export async function startBothErasServer() {
  const older = await startLegacyHttpServer();
  const newer = await startModernHttpServer();
  const server = createServer((request, response) => {
    const isNewer = request.headers['mcp-protocol-version'] === '2026-07-28';
    const { port } = isNewer ? newer : older;
    const { method, url, headers } = request;
    const onward = send({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    older: older.requests,
    newer: newer.requests,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await older.close();
      await newer.close();
    },
  };
}
