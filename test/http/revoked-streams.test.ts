import { afterEach, describe, expect, test } from 'vitest';
import { WatchedStreams } from '../../src/http/watched-streams.ts';
import { HandClient } from '../support/consent.ts';
import { type Gateway, post, startGatewayHere, testServer } from '../support/gateway.ts';

const KEY = 'sk-bf-watched';
const CONFIG = {
  version: 2,
  providers: {},
  client: { mcp_server_auth_mode: 'both' },
  governance: {
    virtual_keys: [
      { id: 'vk-1', name: 'Alpha', value: KEY, mcp_configs: [{ mcp_client_name: 'ref', tools_to_execute: ['*'] }] },
    ],
  },
  mcp: { client_configs: [testServer('ref')] },
};

const MODERN = {
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'subscriptions/listen',
};
const LISTEN = {
  jsonrpc: '2.0',
  id: 1,
  method: 'subscriptions/listen',
  params: {
    notifications: { toolsListChanged: true },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
};
const BOTH = { accept: 'application/json, text/event-stream' };

let gateway: Gateway | undefined;
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

async function sessionOf(url: string, authorization: string): Promise<string> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params };
  const response = await post(`${url}/mcp`, hello, { authorization });
  return response.headers.get('mcp-session-id') ?? '';
}

/** Everything of a stream, once it has ended. */
async function ended(response: Response): Promise<string> {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  return response.text();
}

describe('a grant that is revoked', () => {
  test('ends the open streams of its tokens at once, of both eras, and those of no other grant', async () => {
    gateway = await startGatewayHere(CONFIG);
    const { url } = gateway;
    const client = await HandClient.register(url);
    const [first, second] = [
      await client.signIn({ mode: 'vk', virtual_key: KEY }),
      await client.signIn({ mode: 'session' }),
    ];
    const authorization = `Bearer ${first.access_token}`;
    const session = await sessionOf(url, authorization);
    const open = [
      fetch(`${url}/mcp`, { headers: { accept: 'text/event-stream', authorization } }),
      fetch(`${url}/mcp`, { headers: { accept: 'text/event-stream', authorization, 'mcp-session-id': session } }),
      post(`${url}/mcp`, LISTEN, { ...BOTH, ...MODERN, authorization }),
    ];
    const streams = (await Promise.all(open)).map(ended);
    const bystander = await fetch(`${url}/mcp`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${second.access_token}` },
    });
    const other = ended(bystander);

    const { sessions } = JSON.parse(await (await fetch(`${url}/api/oauth2/sessions?bf_mode=vk`)).text());
    expect((await fetch(`${url}/api/oauth2/sessions/${sessions[0].id}`, { method: 'DELETE' })).status).toBe(204);
    await Promise.all(streams);
    const isOpen = await Promise.race([other, Promise.resolve('open')]);
    expect(isOpen).toBe('open');
    expect((await post(`${url}/mcp`, LISTEN, { ...BOTH, ...MODERN, authorization })).status).toBe(401);
  });

  test('ends the stream of a call under way, and the call', async () => {
    gateway = await startGatewayHere(CONFIG);
    const { url } = gateway;
    const client = await HandClient.register(url);
    const { access_token: token } = await client.signIn({ mode: 'session' });
    const call = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'ref-progress', arguments: { steps: 1_000, everyMs: 20 }, _meta: { progressToken: 'p' } },
    };
    const response = await post(`${url}/mcp`, call, { ...BOTH, authorization: `Bearer ${token}` });
    const text = ended(response);
    await fetch(`${url}/oauth2/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ client_id: client.id, token }),
    });
    expect(await text).not.toContain('"result"');
  });
});

describe('a virtual key', () => {
  test('that expires ends the streams it opened', async () => {
    let isGood = true;
    const streams = new WatchedStreams(() => () => isGood, 5);
    const over = new Promise<void>((resolve) => void streams.watch({}, resolve));
    isGood = false;
    await expect(over).resolves.toBeUndefined();
    streams.close();
  });

  test('that cannot be shut out is not watched, and what has ended is not ended again', () => {
    const streams = new WatchedStreams(() => undefined);
    let count = 0;
    streams.watch({}, () => (count += 1));
    streams.check();
    const strict = new WatchedStreams(() => () => false);
    strict.watch({}, () => (count += 1))();
    strict.check();
    expect(count).toBe(0);
    strict.watch({}, () => (count += 1));
    strict.check();
    strict.check();
    expect(count).toBe(1);
    strict.close();
  });
});
