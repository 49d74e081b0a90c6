import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { callOf, clientConfig, firstText, newClients } from '../support/mcp-clients.ts';
import { startHttpServer } from '../support/mcp-servers/http.mjs';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** A proxy that leads every host to one port of this machine, and notes which were asked for. */
async function startProxy(port: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy: Server = createServer();
  proxy.on('connect', (request, socket) => {
    asked.push(String(request.url));
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [upstream, socket]) end.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  opened.push({ close: () => new Promise((resolve) => proxy.close(resolve)) });
  // a listening TCP server has an address
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

test.each([
  ['of another machine goes through it', (_port: number) => 'http://mcp.example/mcp', ['mcp.example:80']],
  ['of this machine does not', (port: number) => `http://127.0.0.1:${port}/mcp`, []],
])('G14 with a proxy in the environment a server %s', async (_, urlOf, expected) => {
  const server = await startHttpServer();
  opened.push(server);
  const proxy = await startProxy(server.port);
  const config = clientConfig({ name: 'web', connection_type: 'http', connection_string: urlOf(server.port) });
  const { clients } = newClients([config], { environment: { HTTP_PROXY: proxy.url } });
  opened.push(clients);
  await clients.start();
  expect(firstText(await clients.call(callOf('web-echo', { value: 'through' })))).toBe('through');
  expect([...new Set(proxy.asked)]).toEqual(expected);
});
