import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';

const KEYS = [
  {
    id: 'vk-1',
    name: 'Alpha',
    value: 'sk-bf-alpha',
    mcp_configs: [{ mcp_client_name: 'ref', tools_to_execute: ['echo'] }],
  },
  { id: 'vk-2', name: 'Off', value: 'sk-bf-off', is_active: false },
  { id: 'vk-3', name: 'Old', value: 'sk-bf-old', expires_at: '2020-01-01T00:00:00Z' },
  { id: 'vk-4', name: 'Narrow', value: 'sk-bf-narrow', provider_configs: [{ provider: 'openai' }] },
];

let upstream: ChatUpstream;
let enforced: Gateway;
let open: Gateway;
beforeAll(async () => {
  upstream = await startChatUpstream(() => ({ text: 'hello' }));
  const config = (client: object) => ({
    providers: { openai: keyed(upstream.url) },
    client,
    governance: { virtual_keys: KEYS },
    mcp: { client_configs: [testServer('ref'), testServer('other')] },
  });
  enforced = await startGatewayHere(config({ enforce_auth_on_inference: true }));
  open = await startGatewayHere(config({}));
});
afterAll(async () => {
  await Promise.all([enforced.stop(), open.stop()]);
  await upstream.close();
});

const HEADERS: readonly (readonly [string, (key: string) => Record<string, string>])[] = [
  ['x-bf-vk', (key) => ({ 'x-bf-vk': key })],
  ['a bearer token', (key) => ({ authorization: `Bearer ${key}` })],
  ['x-api-key', (key) => ({ 'x-api-key': key })],
  ['x-goog-api-key', (key) => ({ 'x-goog-api-key': key })],
];

async function atMcp(
  gateway: Gateway,
  headers: Record<string, string>,
  path = '/mcp',
  method = 'tools/list',
  params = {},
) {
  const response = await post(`${gateway.url}${path}`, { jsonrpc: '2.0', id: 1, method, params }, headers);
  const body = JSON.parse(await response.text());
  const names: string[] | undefined = body.result?.tools?.map(({ name }: { name: string }) => name);
  return { status: response.status, challenge: response.headers.get('www-authenticate'), body, names };
}

describe('/mcp', () => {
  test('without a key nobody comes in where one is required, and everybody where none is', async () => {
    const { status, body, challenge } = await atMcp(enforced, {});
    expect([status, challenge]).toEqual([401, null]);
    expect(body.error.message).toBe(
      'virtual key required to access mcp server; set one of x-bf-vk, Authorization: Bearer <vk>, x-api-key, or x-goog-api-key in your MCP client config',
    );
    expect((await atMcp(open, {})).names).toEqual(expect.arrayContaining(['ref-echo', 'other-echo']));
  });

  test.each(HEADERS)('a key in %s sees and calls what it may, and nothing else', async (_, shown) => {
    const headers = shown('sk-bf-alpha');
    expect((await atMcp(enforced, headers)).names).toEqual(['ref-echo']);
    const call = (name: string) => atMcp(enforced, headers, '/mcp', 'tools/call', { name, arguments: { value: 'hi' } });
    expect((await call('ref-echo')).body.result).toEqual({ content: [{ type: 'text', text: 'hi' }] });
    for (const name of ['ref-add_tool', 'other-echo']) {
      expect(JSON.stringify((await call(name)).body)).toContain(
        `MCP tool '${name}' is not allowed for virtual key 'Alpha'`,
      );
    }
  });

  test("a key cannot be widened by the request's own filters, only narrowed", async () => {
    const headers = { 'x-bf-vk': 'sk-bf-alpha' };
    const tools = { ...headers, 'x-bf-mcp-include-tools': 'other-*,ref-echo' };
    expect((await atMcp(open, tools)).names).toEqual(['ref-echo']);
    expect((await atMcp(open, { ...headers, 'x-bf-mcp-include-clients': 'other' })).names).toEqual([]);
  });

  test('at the address of one server a key sees its part of it, or no server at all', async () => {
    const headers = { 'x-bf-vk': 'sk-bf-alpha' };
    expect((await atMcp(enforced, headers, '/mcp/ref')).names).toEqual(['echo']);
    const { status, body } = await atMcp(enforced, headers, '/mcp/other');
    expect([status, body.error.type]).toEqual([403, 'access_denied']);
  });

  test.each([
    ['sk-bf-unknown', 401, 'virtual key not found'],
    ['sk-bf-off', 403, 'virtual key is inactive'],
    ['sk-bf-old', 403, 'virtual key has expired'],
  ])('%s is answered with %d, whether a key is required or not', async (key, status, message) => {
    for (const gateway of [enforced, open]) {
      const answer = await atMcp(gateway, { 'x-bf-vk': key });
      expect([answer.status, answer.body.error.message]).toEqual([status, message]);
    }
  });

  test('the log names the key, and nothing holds its value', async () => {
    await atMcp(enforced, { 'x-bf-vk': 'sk-bf-alpha' }, '/mcp', 'tools/call', {
      name: 'ref-echo',
      arguments: { value: 'logged' },
    });
    const { logs } = await eventually(
      async () => (await fetch(`${enforced.url}/api/mcp-logs`)).json() as Promise<{ logs: object[] }>,
      ({ logs }) => logs.length > 0,
    );
    expect(logs[0]).toMatchObject({ virtual_key_id: 'vk-1', virtual_key_name: 'Alpha' });
    expect(enforced.output()).not.toContain('sk-bf-');
    expect(await (await fetch(`${enforced.url}/api/config`)).text()).not.toContain('sk-bf-alpha');
  });

  test('the catalog is inspected under the key', async () => {
    const response = await fetch(`${open.url}/api/mcp/catalog/inspect`, { headers: { 'x-bf-vk': 'sk-bf-alpha' } });
    const { tools }: { tools: { name: string; visible: boolean; reason?: string }[] } = JSON.parse(
      await response.text(),
    );
    expect(tools.filter(({ visible }) => visible).map(({ name }) => name)).toEqual(['ref-echo']);
    expect(tools.find(({ name }) => name === 'other-echo')?.reason).toBe('not-allowed-for-key');
  });
});

describe('models', () => {
  const chat = { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'hi' }] };
  const ASKED: readonly (readonly [string, object])[] = [
    ['/v1/chat/completions', chat],
    ['/v1/responses', { model: 'openai/gpt-4o', input: 'hi' }],
    ['/anthropic/v1/messages', { ...chat, max_tokens: 10 }],
    ['/genai/v1beta/models/openai/gpt-4o:generateContent', { contents: [{ parts: [{ text: 'hi' }] }] }],
    ['/v1/embeddings', { model: 'openai/small', input: 'hi' }],
    ['/v1/mcp/tool/execute', { id: '1', type: 'function', function: { name: 'ref-echo', arguments: '{}' } }],
  ];

  test.each(ASKED)('%s asks for a key, in its own dialect', async (path, body) => {
    for (const [headers, status] of [
      [{}, 401],
      [{ 'x-bf-vk': 'sk-bf-unknown' }, 401],
      [{ 'x-bf-vk': 'sk-bf-off' }, 403],
    ] as const) {
      const response = await post(`${enforced.url}${path}`, body, headers);
      expect(response.status).toBe(status);
      const { error } = JSON.parse(await response.text());
      expect(error.message).toContain('virtual key');
    }
  });

  test('GET /v1/models asks for a key', async () => {
    expect((await fetch(`${enforced.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${enforced.url}/v1/models`, { headers: { 'x-bf-vk': 'sk-bf-alpha' } })).status).toBe(200);
  });

  test.each(HEADERS)('a key in %s lets in, gives its tools to the model, and goes no further', async (_, shown) => {
    const before = upstream.bodies.length;
    const response = await post(`${enforced.url}/v1/chat/completions`, chat, {
      ...shown('sk-bf-alpha'),
      'x-bf-eh-x-own': 'yes',
    });
    expect(response.status).toBe(200);
    const [body] = upstream.bodies.slice(before);
    expect(body?.tools?.map((tool) => tool.function.name)).toEqual(['ref-echo']);
    const sent = upstream.headers.at(-1);
    expect(sent?.['x-own']).toBe('yes');
    expect(JSON.stringify(sent)).not.toContain('sk-bf-');
  });

  test('a key whose providers nobody would check asks no model, and uses its tools', async () => {
    const headers = { 'x-bf-vk': 'sk-bf-narrow' };
    for (const gateway of [enforced, open]) {
      const before = upstream.bodies.length;
      const response = await post(`${gateway.url}/v1/chat/completions`, chat, headers);
      expect(response.status).toBe(403);
      expect(await response.text()).toContain('does not enforce');
      expect(upstream.bodies.length).toBe(before);
      expect((await atMcp(gateway, headers)).status).toBe(200);
    }
    expect(enforced.output()).toContain("virtual key 'Narrow' may ask no model");
  });
});

test('who requires keys and has none lets nobody in, and says so', async () => {
  const gateway = await startGatewayHere({ providers: {}, client: { enforce_auth_on_inference: true } });
  expect((await atMcp(gateway, {})).status).toBe(401);
  expect((await atMcp(gateway, { 'x-bf-vk': 'sk-bf-any' })).status).toBe(401);
  expect(gateway.output()).toContain('nobody may call');
  await gateway.stop();
});

describe('a request to a model that asks for tools by header', () => {
  const blocked = (...names: string[]) => ({
    is_bifrost_error: true,
    status_code: 403,
    type: 'mcp_tool_blocked',
    error: { message: `MCP tools not allowed for virtual key 'Alpha': ${names.join(', ')}` },
  });
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGatewayHere({
      version: 1,
      providers: { openai: keyed(upstream.url) },
      governance: { virtual_keys: KEYS },
      mcp: {
        client_configs: [
          testServer('ref'),
          testServer('other', { tools_to_execute: ['echo', 'hang'] }),
          testServer('coded', { tool_mode: 'code', tools_to_execute: ['echo'] }),
        ],
      },
    });
  });
  afterAll(() => gateway.stop());

  async function asked(tools: string | undefined, more: object = {}) {
    const before = upstream.bodies.length;
    const headers = { 'x-bf-vk': 'sk-bf-alpha', ...(tools !== undefined && { 'x-bf-mcp-include-tools': tools }) };
    const body = { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'hi' }], ...more };
    const response = await post(`${gateway.url}/v1/chat/completions`, body, headers);
    const sent = upstream.bodies.slice(before).map((each) => each.tools?.map((tool) => tool.function.name));
    return { status: response.status, answer: JSON.parse(await response.text()) as object, sent };
  }

  test.each([
    ['without the header what the key lets through is offered', undefined, ['ref-echo']],
    ['what the key lets through is offered', 'ref-echo', ['ref-echo']],
    ['a tool that no server has is nobody’s', 'ref-echo,ref-nothing', ['ref-echo']],
    ['nothing may be asked for', '', undefined],
  ])('%s', async (_, tools, names) => {
    expect(await asked(tools)).toMatchObject({ status: 200, sent: [names] });
  });

  test.each([
    ['one tool of another client', 'ref-echo,other-echo', ['other-echo']],
    ['all tools of another client', 'other-*', ['other-echo', 'other-hang']],
  ])('%s: the whole request is refused, and no model asked', async (_, tools, names) => {
    const { status, answer, sent } = await asked(tools);
    expect([status, sent]).toEqual([403, []]);
    expect(answer).toMatchObject(blocked(...names));
  });

  test('a tool that the request has itself, or that stands behind meta tools, is no foreign one', async () => {
    const tool = { type: 'function', function: { name: 'other-echo', parameters: { type: 'object', properties: {} } } };
    expect(await asked('other-echo,coded-*', { tools: [tool] })).toMatchObject({ status: 200, sent: [['other-echo']] });
  });

  test('called by hand a tool that the key does not let through has the same name of its refusal', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'other-echo', arguments: '{}' } };
    const response = await post(`${gateway.url}/v1/mcp/tool/execute`, call, { 'x-bf-vk': 'sk-bf-alpha' });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      type: 'mcp_tool_blocked',
      error: { message: "MCP tool 'other-echo' is not allowed for virtual key 'Alpha'" },
    });
  });
});
