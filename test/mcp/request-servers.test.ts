import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestServers, toolManager } from '../../src/config/schema.ts';
import { isInsideAddress } from '../../src/mcp/address-guard.ts';
import { RequestServers } from '../../src/mcp/request-servers.ts';
import { eventually } from '../support/gateway.ts';
import { nobody } from '../support/mcp-clients.ts';
import { type HttpServer, startHttpServer } from '../support/mcp-servers/http.mjs';

let server: HttpServer;
let elsewhere: Server | undefined;
let servers: RequestServers | undefined;

beforeEach(async () => {
  server = await startHttpServer();
});

afterEach(async () => {
  await servers?.close();
  await server.close();
  elsewhere?.close();
});

function newServers(rules: object): RequestServers {
  servers = new RequestServers({
    rules: requestServers.parse(rules),
    toolManager: toolManager.parse({}),
    log: () => undefined,
    timing: { graceMs: 200 },
  });
  return servers;
}

const at = (path: string, headers = {}) => ({
  name: 'my-server',
  url: `http://127.0.0.1:${server.port}${path}`,
  headers,
});
const here = () => ({ allowed_hosts: [`127.0.0.1:${server.port}`] });
const echo = {
  name: 'my-server-echo',
  arguments: { value: 'cuckoo' },
  caller: nobody,
  signal: AbortSignal.timeout(9_000),
};

describe('an address', () => {
  test.each([
    ['127.0.0.1', true],
    ['10.9.8.7', true],
    ['172.31.0.1', true],
    ['192.168.1.1', true],
    ['169.254.169.254', true],
    ['100.64.0.1', true],
    ['0.0.0.0', true],
    ['::1', true],
    ['::', true],
    ['fd00::1', true],
    ['fe80::1', true],
    ['::ffff:10.0.0.1', true],
    ['::ffff:7f00:1', true],
    ['::7f00:1', true],
    ['64:ff9b::7f00:1', true],
    ['64:ff9b:1::a00:1', true],
    ['2001::1', true],
    ['fec0::1', true],
    ['93.184.216.34', false],
    ['172.32.0.1', false],
    ['2606:2800:220:1::1', false],
    ['::ffff:93.184.216.34', false],
  ])('%s leads inside: %s', (address, inside) => {
    expect(isInsideAddress(address)).toBe(inside);
  });
});

describe('servers that requests name', () => {
  test.each(['/mcp', '/sse'])('are called over the transport that they speak: %s', async (path) => {
    const open = await newServers(here()).open(at(path));
    expect(await open.call('echo', echo)).toMatchObject({ content: [{ text: 'cuckoo' }] });
  });

  test('are let go after a while without use, and dialled anew for the next request', async () => {
    const pool = newServers({ ...here(), idle_timeout: '30ms' });
    await pool.open(at('/mcp'));
    await eventually(
      async () => server.requests.filter(({ method }) => method === 'DELETE').length,
      (ended) => ended === 1,
    );
    const open = await pool.open(at('/mcp'));
    expect(await open.call('echo', echo)).toMatchObject({ content: [{ text: 'cuckoo' }] });
  });

  test('are refused inside, by name too, unless the config allows it', async () => {
    const pool = newServers({});
    await expect(pool.open(at('/mcp'))).rejects.toMatchObject({ kind: 'permission' });
    await expect(pool.open({ ...at('/mcp'), url: `http://localhost:${server.port}/mcp` })).rejects.toMatchObject({
      kind: 'permission',
    });
    expect(server.requests).toEqual([]);
    await pool.close();
    const open = await newServers({ allow_private_addresses: true }).open(at('/mcp'));
    expect(open.tools.length).toBeGreaterThan(5);
  });

  test('cannot lead inside by a redirect', async () => {
    elsewhere = createServer((_request, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${server.port}/mcp` }).end();
    });
    await new Promise<void>((resolve) => elsewhere?.listen(0, '127.0.0.1', resolve));
    // a listening TCP server has an address
    const { port } = elsewhere.address() as AddressInfo;
    const pool = newServers({ allowed_hosts: [`127.0.0.1:${port}`] });
    const asked = pool.open({ ...at('/mcp'), url: `http://127.0.0.1:${port}/mcp` });
    await expect(asked).rejects.toThrow('could not be reached');
    expect(server.requests).toEqual([]);
  });

  test('that refuse are told with their reason, never with the token', async () => {
    server.refuse(401, 'no such token: secret-token-0123456789');
    const asked = newServers(here()).open(at('/mcp', { authorization: 'Bearer secret-token-0123456789' }));
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('"my-server" could not be reached');
    expect(String(error)).not.toContain('secret-token');
  });

  test('can be switched off', async () => {
    await expect(newServers({ enabled: false }).open(at('/mcp'))).rejects.toThrow('mcp.request_servers.enabled');
  });
});
