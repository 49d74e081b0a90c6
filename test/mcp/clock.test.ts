import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { McpClients } from '../../src/mcp/clients.ts';
import { CredentialError } from '../../src/mcp/failures.ts';
import { DEFAULT_TIMING } from '../../src/mcp/timing.ts';
import { callOf, clientConfig, firstText, newClients } from '../support/mcp-clients.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
});

const open: McpClients[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((clients) => clients.close()));
});

/** A server over HTTP that answers in no time; `refuse` says what it does instead for a method. */
class TimelessServer {
  readonly asked: { readonly method: string; readonly atS: number }[] = [];
  refuse: (method: string, id: unknown) => Response | undefined = () => undefined;
  readonly #startedAtMs = performance.now();

  readonly fetch: FetchLike = async (_url, init) => {
    if (init?.method !== 'POST') return new Response(null, { status: init?.method === 'GET' ? 405 : 200 });
    // the SDK writes JSON text
    const { id, method } = JSON.parse(String(init.body));
    if (method === 'server/discover') return answer({ id, error: { code: -32601, message: 'Method not found' } });
    if (id === undefined) return new Response(null, { status: 202 });
    this.asked.push({ method, atS: Math.round((performance.now() - this.#startedAtMs) / 100) / 10 });
    return this.refuse(method, id) ?? answer({ id, result: RESULTS[method] ?? {} });
  };

  /** Seconds at which a method was asked for. */
  times(method: string): number[] {
    return this.asked.filter((one) => one.method === method).map(({ atS }) => atS);
  }
}

const answer = (message: object): Response =>
  new Response(JSON.stringify({ jsonrpc: '2.0', ...message }), { headers: { 'content-type': 'application/json' } });

const RESULTS: Record<string, object> = {
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'timeless', version: '1' },
  },
  'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [{ type: 'text', text: 'called' }] },
};

const status = (code: number) => (): Response => new Response('no', { status: code });

/** What a fetch does when nobody listens. */
const nobodyThere = (): never => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });
};

function connected(server: TimelessServer, input: Record<string, unknown> = {}): McpClients {
  const config = clientConfig({
    name: 'web',
    client_id: 'web-id',
    connection_type: 'http',
    connection_string: 'http://127.0.0.1/mcp',
    ...input,
  });
  const { clients } = newClients([config], { fetch: server.fetch, timing: DEFAULT_TIMING });
  open.push(clients);
  void clients.start();
  return clients;
}

const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1_000);

const only = (clients: McpClients) => clients.statuses()[0];

const isoIn = (secondsFromStart: number): string => new Date(startedAt + secondsFromStart * 1_000).toISOString();
let startedAt = 0;
beforeEach(() => {
  startedAt = Date.now();
});

describe('dials', () => {
  test('a server that fails is dialled after 1, 2, 4, 8 and 16 s, and then every 10 s', async () => {
    const server = new TimelessServer();
    server.refuse = status(500);
    const clients = connected(server);
    await seconds(55);
    expect(server.times('initialize')).toEqual([0, 1, 3, 7, 15, 31, 41, 51]);
    expect(only(clients)).toMatchObject({ state: 'unstable', tools: [] });
    expect(only(clients)?.lastFailure).toMatchObject({ stage: 'connect', at: isoIn(51), since: isoIn(0) });
    server.refuse = () => undefined;
    await seconds(10);
    expect(only(clients)).toMatchObject({ state: 'healthy', tools: [{ name: 'web-echo' }] });
  });

  test.each([400, 401, 403, 404, 405, 422])('HTTP %d is permanent: one dial a minute', async (code) => {
    const server = new TimelessServer();
    server.refuse = status(code);
    const clients = connected(server);
    await seconds(130);
    expect(server.times('initialize')).toEqual([0, 60, 120]);
    expect(only(clients)?.state).toBe('error');
  });

  test('a dial whose list fails is a failed dial, and says so', async () => {
    const server = new TimelessServer();
    server.refuse = (method) => (method === 'tools/list' ? status(500)() : undefined);
    const clients = connected(server);
    await seconds(0.5);
    expect(only(clients)).toMatchObject({ state: 'unstable', lastFailure: { stage: 'list_tools' } });
  });

  test('a server that does not answer is given up after 30 s', async () => {
    const server = new TimelessServer();
    const clients = connected({ ...server, fetch: () => new Promise(() => {}) } as unknown as TimelessServer);
    await seconds(29);
    expect(only(clients)).not.toHaveProperty('lastFailure');
    await seconds(2);
    expect(only(clients)?.lastFailure?.message).toContain('the server did not answer initialize within 30 s');
  });

  test('G18 calls do not hammer a server that has just refused', async () => {
    const server = new TimelessServer();
    server.refuse = nobodyThere;
    const clients = connected(server);
    await seconds(0.1);
    const calls = Array.from({ length: 50 }, () => clients.call(callOf('web-echo')));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
    expect(server.times('initialize')).toEqual([0]);
  });
});

describe('checks', () => {
  test('a healthy server is asked for a ping and its tools every ten minutes', async () => {
    const server = new TimelessServer();
    connected(server);
    await seconds(1_900);
    expect(server.times('ping')).toEqual([600, 1_200, 1_800]);
    expect(server.times('tools/list')).toEqual([0, 600, 1_200, 1_800]);
    expect(server.times('initialize')).toEqual([0]);
  });

  test('a client may have an interval of its own, or none', async () => {
    const often = new TimelessServer();
    connected(often, { tool_sync_interval: '60s' });
    const never = new TimelessServer();
    connected(never, { tool_sync_interval: -1 });
    await seconds(130);
    expect(often.times('ping')).toEqual([60, 120]);
    await seconds(1_000);
    expect(never.times('ping')).toEqual([]);
  });

  test('without ping the tools are asked for', async () => {
    const server = new TimelessServer();
    connected(server, { is_ping_available: false });
    await seconds(700);
    expect(server.times('ping')).toEqual([]);
    expect(server.times('tools/list')).toEqual([0, 600]);
  });

  test('G9 a check that fails is repeated after 0.5, 1 and 2 s; then a new connection is made, and no tool is lost', async () => {
    const server = new TimelessServer();
    const clients = connected(server);
    await seconds(1);
    const { catalog } = clients;
    server.refuse = (method) => (method === 'ping' ? status(500)() : undefined);
    await seconds(602);
    expect(server.times('ping')).toEqual([600, 600.5, 601.5]);
    expect(only(clients)?.state).toBe('healthy');
    await seconds(2);
    expect(server.times('ping')).toEqual([600, 600.5, 601.5, 603.5]);
    expect(server.times('initialize')).toEqual([0, 603.5]);
    expect(only(clients)).toMatchObject({ state: 'healthy', restarts: 1, lastFailure: { stage: 'ping' } });
    expect(clients.catalog).toBe(catalog);
  });

  test('G9 a server that stays away is unstable and looked at every 10 s, its tools stay, and it heals at once', async () => {
    const server = new TimelessServer();
    const clients = connected(server);
    await seconds(1);
    const { catalog } = clients;
    server.refuse = status(500);
    await seconds(640);
    expect(only(clients)).toMatchObject({ state: 'unstable', lastFailure: { since: isoIn(603.5) } });
    expect(clients.catalog).toBe(catalog);
    server.refuse = () => undefined;
    await seconds(15);
    expect(only(clients)?.state).toBe('healthy');
    expect(clients.catalog).toBe(catalog);
  });

  test.each([
    ['no list at all', {}, 1],
    ['an empty list', { tools: [] }, 0],
  ])('G9 an answer with %s is taken for what it is', async (_, result, tools) => {
    const server = new TimelessServer();
    const clients = connected(server);
    await seconds(1);
    server.refuse = (method, id) => (method === 'tools/list' ? answer({ id, result }) : undefined);
    await seconds(610);
    expect(clients.catalog.tools).toHaveLength(tools);
  });
});

describe('credentials', () => {
  test('a client that needs a new login is neither dialled nor called, until there is one', async () => {
    const server = new TimelessServer();
    const clients = connected(server);
    await seconds(1);
    clients.connection('web-id')?.needsReauth('the refresh token was revoked');
    const { length } = server.asked;
    await seconds(7_200);
    expect(server.asked).toHaveLength(length);
    expect(only(clients)).toMatchObject({
      state: 'needs_reauth',
      tools: [{ name: 'web-echo' }],
      lastFailure: { stage: 'credential', message: 'the refresh token was revoked' },
    });
    await expect(clients.call(callOf('web-echo'))).rejects.toMatchObject({
      kind: 'authentication',
      message: 'MCP tool call failed for web-echo: MCP client web needs a new login: the refresh token was revoked',
    });
    clients.connection('web-id')?.credentialRenewed();
    await seconds(1);
    expect(only(clients)?.state).toBe('healthy');
    const called = clients.call(callOf('web-echo'));
    await seconds(0.1);
    expect(firstText(await called)).toBe('called');
  });

  test('a client that was never logged in waits for that', async () => {
    const server = new TimelessServer();
    server.refuse = () => {
      throw new CredentialError('pending_verification', 'nobody has logged in yet');
    };
    const clients = connected(server);
    await seconds(3_600);
    expect(server.times('initialize')).toEqual([0]);
    expect(only(clients)).toMatchObject({ state: 'pending_verification', lastFailure: { stage: 'credential' } });
  });

  test('G12 a network failure while fetching a credential is none of the credential', async () => {
    const server = new TimelessServer();
    server.refuse = nobodyThere;
    const clients = connected(server);
    await seconds(8);
    expect(server.times('initialize')).toEqual([0, 1, 3, 7]);
    expect(only(clients)?.state).toBe('unstable');
  });
});
