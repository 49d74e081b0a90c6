import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { newServer } from './tools.mjs';

/**
 * MCP over HTTP on 127.0.0.1: streamable at /mcp (`json`: answers as JSON instead of event streams), SSE at /sse. What a
 * test wants to break is a method here. `requests` holds what came in.
 */
export async function startHttpServer({ json = false, port = 0 } = {}) {
  const sessions = new Map();
  const requests = [];
  const sockets = new Set();
  let refusal;
  let getStatus;
  let cutsCalls = false;

  async function streamable(request, response, body) {
    const id = request.headers['mcp-session-id'];
    let transport = sessions.get(id);
    if (!transport && id) return end(response, 404, 'Session not found');
    if (!transport) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: json,
        onsessioninitialized: (session) => sessions.set(session, transport),
      });
      await newServer().connect(transport);
    }
    await transport.handleRequest(request, response, body);
  }

  async function sse(request, response, url, body) {
    if (request.method === 'POST') {
      const transport = sessions.get(url.searchParams.get('sessionId'));
      return transport ? transport.handlePostMessage(request, response, body) : end(response, 404, 'Session not found');
    }
    const transport = new SSEServerTransport('/sse', response);
    sessions.set(transport.sessionId, transport);
    await newServer().connect(transport);
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    requests.push({ method: request.method, path: url.pathname, headers: request.headers, rpc: body?.method });
    if (cutsCalls && body?.method === 'tools/call') return request.socket.destroy();
    if (refusal) return end(response, refusal.status, refusal.text);
    if (getStatus && request.method === 'GET') return end(response, getStatus, 'no stream');
    if (url.pathname === '/sse') return sse(request, response, url, body);
    return streamable(request, response, body);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    requests,
    forgetSessions: () => sessions.clear(),
    cutConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
    cutCalls: () => {
      cutsCalls = true;
    },
    refuse: (status, text = '') => {
      refusal = status ? { status, text } : undefined;
    },
    refuseStreams: (status) => {
      getStatus = status;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

const end = (response, status, text) => response.writeHead(status).end(text);

async function readJson(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}
