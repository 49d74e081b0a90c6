import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../../src/model/json.ts';

export interface PlainServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** An MCP server in a few lines, whose tools are whatever `toolsFor` gives at that moment; a call tells what it was. */
export async function startPlainServer(
  toolsFor: (headers: IncomingHttpHeaders) => readonly JsonObject[],
  { port = 0, deny }: { port?: number; deny?: (name: string) => JsonObject | undefined } = {},
): Promise<PlainServer> {
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method, params } = await bodyOf(request);
    if (id === undefined) return void response.writeHead(202).end();
    const denied = method === 'tools/call' ? deny?.(String(params.name)) : undefined;
    const result = resultOf(method, params, toolsFor(request.headers));
    const answer = denied ?? (result ? { result } : { error: { code: -32601, message: `no ${method}` } });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  // a listening TCP server has an address
  const { port: bound } = server.address() as AddressInfo;
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}/mcp`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function resultOf(method: string, params: JsonObject, tools: readonly JsonObject[]): JsonObject | undefined {
  if (method === 'initialize') {
    const serverInfo = { name: 'plain', version: '1' };
    return { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo };
  }
  if (method === 'ping') return {};
  if (method === 'tools/list') {
    return { tools: tools.map((tool) => ({ inputSchema: { type: 'object', properties: {} }, ...tool })) };
  }
  if (method !== 'tools/call') return undefined;
  return { content: [{ type: 'text', text: `ran ${params.name}\u200b` }] };
}

async function bodyOf(request: IncomingMessage): Promise<{ id?: number; method: string; params: JsonObject }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string; params: JsonObject };
}
