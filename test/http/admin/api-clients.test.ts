import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type Gateway, post, startGatewayHere, testServer } from '../../support/gateway.ts';
import { serverFile } from '../../support/mcp-clients.ts';
import { type HttpServer, startHttpServer } from '../../support/mcp-servers/http.mjs';

let gateway: Gateway | undefined;
let server: HttpServer | undefined;

afterEach(async () => {
  await gateway?.stop();
  await server?.close();
  gateway = undefined;
  server = undefined;
});

async function startWith(rules: object, fileClients: object[] = []): Promise<string> {
  gateway = await startGatewayHere({ mcp: { api_clients: rules, client_configs: fileClients } });
  return gateway.url;
}

async function made(url: string, client: object): Promise<{ status: number; message: string }> {
  const response = await post(`${url}/api/mcp/client`, client);
  const { error, message } = (await response.json()) as { error?: { message: string }; message?: string };
  return { status: response.status, message: error?.message ?? message ?? '' };
}

async function statesAt(url: string): Promise<string[]> {
  const { clients } = (await (await fetch(`${url}/api/mcp/clients`)).json()) as {
    clients: { config: { name: string }; state: string }[];
  };
  return clients.map(({ config, state }) => `${config.name} ${state}`);
}

const local = (args: readonly string[], envs: readonly string[] = []) =>
  testServer('local', { stdio_config: { command: process.execPath, args, envs } });
const allowed = { allowed_commands: [`${process.execPath} ${serverFile('stdio.mjs')}`] };

describe('G15 a command that the API may start', () => {
  test('begins with the words of an entry', async () => {
    const url = await startWith(allowed);
    expect(await made(url, local([serverFile('stdio.mjs')]))).toMatchObject({ status: 200 });
  });

  test.each([
    ['other arguments', local(['-e', 'process.exit()'])],
    ['another program', testServer('local', { stdio_config: { command: '/bin/sh', args: ['-c', 'true'] } })],
    ['a longer name', testServer('local', { stdio_config: { command: `${process.execPath}x` } })],
  ])('has not %s', async (_, client) => {
    const url = await startWith(allowed);
    const { status, message } = await made(url, client);
    expect(status).toBe(403);
    expect(message).toContain('is not in mcp.api_clients.allowed_commands');
  });

  test.each(['NODE_OPTIONS=--import=/tmp/x.mjs', 'PATH=/tmp', 'LD_PRELOAD=/tmp/x.so', 'npm_config_registry=http://x'])(
    'is not led elsewhere by %s',
    async (variable) => {
      const url = await startWith(allowed);
      const { status, message } = await made(url, local([serverFile('stdio.mjs')], [variable]));
      expect(status).toBe(403);
      expect(message).toContain('can make an allowed command run another one');
    },
  );

  test('is none where the list is empty, by the import route too, and the config file still has its own', async () => {
    const url = await startWith({ allowed_commands: [] }, [testServer('ours')]);
    expect(await made(url, local([serverFile('stdio.mjs')]))).toMatchObject({ status: 403 });
    const imported = await post(`${url}/api/mcp/import`, { mcpServers: { x: { command: '/bin/true' } } });
    expect(await imported.json()).toMatchObject({ added: 0, skipped: 1 });
    await eventually(
      () => statesAt(url),
      (states) => states.join() === 'ours healthy',
    );
  });

  test('is any where nothing is said', async () => {
    const url = await startWith({});
    expect(await made(url, local([serverFile('stdio.mjs')]))).toMatchObject({ status: 200 });
  });
});

describe('G15 an address that the API may give', () => {
  const web = (url: string, more: object = {}) => ({
    name: 'web',
    connection_type: 'http',
    connection_string: url,
    ...more,
  });

  test('is not inside, by number or by name, where that is not allowed', async () => {
    server = await startHttpServer();
    const url = await startWith({ allow_private_addresses: false });
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433']) {
      const { status, message } = await made(url, web(`http://${host}:${server.port}/mcp`));
      expect([host, status]).toEqual([host, 403]);
      expect(message).toContain('where clients made through the API may not lead');
    }
    expect(server.requests).toEqual([]);
  });

  test('does not get inside by a redirect either', async () => {
    server = await startHttpServer();
    const { port } = server;
    const redirecting = createServer((_, response) => {
      response.writeHead(307, { location: `http://localhost:${port}/mcp` }).end();
    });
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
    const address = redirecting.address();
    const outside = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const url = await startWith({ allow_private_addresses: false, allowed_hosts: [outside] });
    const answer = await made(url, web(`http://${outside}/mcp`));
    await new Promise((resolve) => redirecting.close(resolve));
    expect(answer.status).toBe(500);
    expect(server.requests).toEqual([]);
  });

  test('may be inside at a host that is allowed, and always for clients of the config file', async () => {
    server = await startHttpServer();
    const address = `http://127.0.0.1:${server.port}/mcp`;
    const url = await startWith({ allow_private_addresses: false, allowed_hosts: [`127.0.0.1:${server.port}`] }, [
      { ...web(`http://localhost:${server.port}/mcp`), name: 'ours' },
    ]);
    expect(await made(url, web(address))).toMatchObject({ status: 200 });
    await eventually(
      () => statesAt(url),
      (states) => states.join() === 'ours healthy,web healthy',
    );
  });
});
