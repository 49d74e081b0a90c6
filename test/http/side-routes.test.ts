import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { chat, dialects } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';

let upstream: ChatUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startChatUpstream(() => ({ text: 'fine' }));
  gateway = await startGatewayHere({
    providers: { openai: keyed(upstream.url) },
    mcp: {
      client_configs: [
        testServer('ref', { tools_to_execute: ['echo', 'fail', 'hang', 'slow'], tools_to_auto_execute: ['echo'] }),
        testServer('hasty', { tool_execution_timeout: '100ms' }),
      ],
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const execute = async (body: unknown, query = '', headers: Record<string, string> = {}) => {
  const answer = await post(`${gateway.url}/v1/mcp/tool/execute${query}`, body, headers);
  return { status: answer.status, body: (await answer.json()) as unknown };
};

const called = (name: string, args: unknown = { value: 'v' }) => ({
  id: 'call_1',
  type: 'function',
  function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
});

describe('a tool run by hand', () => {
  test.each(['', '?format=chat', '?format=', '?format=CHAT'])('answers a chat tool message (%s)', async (query) => {
    expect(await execute(called('ref-echo'), query)).toEqual({
      status: 200,
      body: { role: 'tool', content: 'v', tool_call_id: 'call_1' },
    });
  });

  test('answers a Responses item where that is asked for', async () => {
    const item = { type: 'function_call', call_id: 'call_2', name: 'ref-echo', arguments: '{"value":"w"}' };
    expect(await execute(item, '?format=responses')).toEqual({
      status: 200,
      body: { type: 'function_call_output', call_id: 'call_2', output: 'w' },
    });
  });

  test.each(['', ' \n', undefined, null])('without arguments (%j) is run without any', async (args) => {
    const { status, body } = await execute({ id: 'x', function: { name: 'ref-echo', arguments: args } });
    expect({ status, body }).toMatchObject({ status: 200, body: { role: 'tool' } });
  });

  test('may be one that does not run by itself', async () => {
    const { body } = await execute(called('ref-slow', { ms: 1, value: 'asked for' }));
    expect(body).toMatchObject({ content: 'asked for' });
  });

  test('that fails is an answer with what the tool said', async () => {
    expect(await execute(called('ref-fail'))).toEqual({
      status: 200,
      body: { role: 'tool', content: 'it went wrong', tool_call_id: 'call_1', is_error: true },
    });
  });

  test.each<[string, unknown, string, number, RegExp]>([
    ['another format', called('ref-echo'), '?format=xml', 400, /Invalid format value, must be 'chat' or 'responses'/],
    ['broken JSON', '{"id":', '', 400, /Invalid request format: /],
    ['a list', [], '', 400, /a JSON object was expected/],
    ['no name', { id: 'x', function: {} }, '', 400, /Tool function name is required/],
    ['no function', { id: 'x' }, '', 400, /Tool function name is required/],
    ['a Responses item without a name', { call_id: 'x' }, '?format=responses', 400, /Tool function name is required/],
    [
      'arguments that are no JSON',
      called('ref-echo', 'no JSON'),
      '',
      400,
      /failed to parse tool arguments for 'ref-echo'/,
    ],
    ['arguments that are no object', called('ref-echo', '[1]'), '', 400, /arguments for 'ref-echo': not a JSON object/],
    ['a tool that nobody has', called('nobody-echo'), '', 404, /nobody-echo/],
    ['a tool that is not allowed', called('ref-big'), '', 403, /ref-big/],
    ['a tool that hangs', called('hasty-hang'), '', 504, /timed out after 100ms: hasty-hang/],
  ])('%s is refused', async (_, body, query, status, message) => {
    const answer = await execute(body, query);
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(chat.errorOf(answer.body).message).toMatch(message);
  });

  test('obeys the filters of the request', async () => {
    const { status, body } = await execute(called('ref-echo'), '', { 'x-bf-mcp-include-clients': 'hasty' });
    expect(status).toBe(403);
    expect(chat.errorOf(body).message).toMatch(/ref-echo/);
  });
});

describe('models', () => {
  const list = async (path: string) => (await (await fetch(`${gateway.url}${path}`)).json()) as Record<string, unknown>;

  test('are listed in the shape of each API', async () => {
    expect(await list('/v1/models')).toEqual({
      object: 'list',
      data: [{ id: 'openai/gpt-4o', object: 'model', created: 1, owned_by: 'openai' }],
    });
    expect(await list('/anthropic/v1/models?limit=1000')).toMatchObject({
      data: [{ type: 'model', id: 'openai/gpt-4o', display_name: 'openai/gpt-4o' }],
      has_more: false,
    });
    expect(await list('/v1/models?provider=anthropic')).toEqual({ object: 'list', data: [] });
  });

  test.each(dialects)('$name: are listed although a provider cannot be asked', async ({ listPath }) => {
    const own = await startGatewayHere({
      providers: {
        openai: keyed(upstream.url),
        groq: { ...keyed('http://127.0.0.1:1/v1'), keys: [{ value: 'k', models: ['llama-named'] }] },
      },
    });
    const answer = await (await fetch(`${own.url}${listPath}`)).text();
    expect(answer).toContain('openai/gpt-4o');
    expect(answer).toContain('groq/llama-named');
    expect(own.output()).toMatch(/the models of groq could not be listed: could not reach/);
    await own.stop();
  });
});

test('token counting of a request that cannot be read is refused in its own dialect', async () => {
  const answer = await post(`${gateway.url}/anthropic/v1/messages/count_tokens`, { model: 'openai/m', messages: 'x' });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
});

test('the health report says what runs', async () => {
  expect(await (await fetch(`${gateway.url}/health`)).json()).toEqual({
    status: 'ok',
    version: '0.0.0-test',
    mcp_clients: 2,
    tools: expect.any(Number),
  });
  expect((await fetch(`${gateway.url}/health`, { method: 'HEAD' })).status).toBe(200);
});

test('the metrics count requests, model calls, tokens and tool runs', async () => {
  await post(`${gateway.url}/v1/chat/completions`, chat.question('openai/gpt-4o'));
  await post(`${gateway.url}/v1/chat/completions`, '{');
  await fetch(`${gateway.url}/made/up/by/a/client`);
  const answer = await fetch(`${gateway.url}/metrics`);
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(text).toMatch(/http_requests_total\{.*path="\/v1\/chat\/completions".*status="400".*\} 1/);
  expect(text).toMatch(/provider="openai"/);
  expect(text).toMatch(/echo/);
  expect(text).not.toContain('made/up');
});

test('a browser at / finds the addresses and the commands, and no script', async () => {
  const answer = await fetch(`${gateway.url}/`);
  const page = await answer.text();
  expect(answer.headers.get('content-type')).toContain('text/html');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page).toContain(`claude mcp add --transport http bifrost ${gateway.url}/mcp`);
  expect(page).not.toContain('<script');
});

test.each(['/.well-known/oauth-protected-resource', '/register', '/nowhere', '/api/nowhere'])(
  '%s is a 404 in JSON that names it, never a page',
  async (path) => {
    const answer = await fetch(`${gateway.url}${path}?with=query`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(await answer.text()).toContain(`"GET ${path} is not served here"`);
  },
);

test.each([
  ['/anthropic/v1/v1/messages', 'POST /anthropic/v1/messages'],
  ['/v1/v1/chat/completions', 'POST /v1/chat/completions'],
])('a base URL that leads to %s is told %s', async (path, meant) => {
  const answer = await fetch(`${gateway.url}${path}`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(404);
  expect(await answer.text()).toContain(`POST ${path} is not served here; did you mean ${meant}?`);
});

test('a path that cannot be decoded is a 400', async () => {
  const answer = await fetch(`${gateway.url}/api/logs/%zz`);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('the path is not valid');
});
