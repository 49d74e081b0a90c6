import { createServer } from 'node:http';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { newModernServer } from './modern-tools.mjs';

/** The server of the newer era over HTTP on 127.0.0.1, at /mcp. `requests` holds what came in. */
export async function startModernHttpServer({ port = 0 } = {}) {
  const state = { extra: [] };
  const requests = [];
  const handler = createMcpHandler(() => newModernServer(state, () => handler.notify), { legacy: 'reject' });
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    requests.push({ method: incoming.method, headers: incoming.headers, rpc: rpcMethod(body) });
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method,
      headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      ...(body.length > 0 && { body }),
      signal: gone.signal,
    });
    try {
      await answer(await handler.fetch(request), outgoing);
    } catch {
      outgoing.destroy();
    }
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    requests,
    close: async () => {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(response, outgoing) {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.flushHeaders();
  if (response.body) for await (const chunk of response.body) outgoing.write(chunk);
  outgoing.end();
}

function rpcMethod(body) {
  try {
    return JSON.parse(body.toString()).method;
  } catch {
    return undefined;
  }
}
