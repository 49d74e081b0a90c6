import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callerOf } from '../../src/http/caller.ts';
import { filteringHeaders, requiring } from '../../src/http/header-rules.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

const SENT = {
  'x-bf-eh-trace': 't',
  'x-bf-eh-secret': 's',
  'x-tenant': 'acme',
  'anthropic-beta': 'b',
  authorization: 'Bearer sk',
  'content-type': 'application/json',
  'x-bf-vk': 'sk-bf-1',
};

test.each<[what: string, filter: { allowlist?: string[]; denylist?: string[] }, forwarded: object]>([
  ['nothing is said', {}, { trace: 't', secret: 's', 'anthropic-beta': 'b' }],
  ['what is denied stays here', { denylist: ['Secret'] }, { trace: 't', 'anthropic-beta': 'b' }],
  ['what the Messages API says may be denied', { denylist: ['anthropic-*', 'secret'] }, { trace: 't' }],
  ['what is allowed is all that travels', { allowlist: ['trace'] }, { trace: 't', 'anthropic-beta': 'b' }],
  [
    'what is allowed travels without the prefix too',
    { allowlist: ['X-Tenant'] },
    { 'x-tenant': 'acme', 'anthropic-beta': 'b' },
  ],
  ['a beginning', { allowlist: ['x-ten*', 'tr*'] }, { 'x-tenant': 'acme', trace: 't', 'anthropic-beta': 'b' }],
  [
    'denied goes above allowed',
    { allowlist: ['*'], denylist: ['x-tenant', 'secret'] },
    { trace: 't', 'anthropic-beta': 'b' },
  ],
  [
    'keys and what speaks of this hop never travel, whatever is allowed',
    { allowlist: ['authorization', 'x-bf-vk', 'content-type', 'cookie'] },
    { 'anthropic-beta': 'b' },
  ],
])('header_filter_config: %s', (_what, { allowlist = [], denylist = [] }, forwarded) => {
  expect(filteringHeaders({ allowlist, denylist })(callerOf(SENT), SENT).forwardHeaders).toEqual(forwarded);
});

test('required_headers are looked for in any case, and an empty one is none', () => {
  const step = requiring(['X-Team', 'x-user']);
  const caller = callerOf({});
  expect(step(caller, { 'x-team': 'a', 'x-user': 'b' })).toBe(caller);
  expect(() => step(caller, { 'x-team': 'a', 'x-user': '' })).toThrow('missing required headers: x-user;');
});

describe('a gateway with rules for headers', () => {
  let upstream: Upstream;
  let gateway: Gateway;

  beforeAll(async () => {
    upstream = await startUpstream();
    gateway = await startGatewayHere({
      client: {
        required_headers: ['X-Team'],
        header_filter_config: { allowlist: ['x-tenant'] },
        dump_errors_in_console_logs: true,
      },
      providers: { openai: keyed(`${upstream.url}/v1`) },
    });
  });

  afterAll(async () => {
    await gateway.stop();
    await upstream.close();
  });

  const chat = { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'Hi' }] };
  const answer = {
    object: 'chat.completion',
    choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }],
  };
  const greeting = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };

  test.each([
    ['/v1/chat/completions', chat],
    ['/v1/embeddings', { model: 'openai/e', input: 'x' }],
    ['/mcp', greeting],
  ])('who leaves out what is required is refused at %s', async (path, body) => {
    const response = await post(`${gateway.url}${path}`, body, { accept: 'application/json, text/event-stream' });
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain('missing required headers: x-team');
    expect(text).toContain('missing_required_headers');
  });

  test('who sends it comes in, and the provider gets what is allowed', async () => {
    upstream.answers(json(answer));
    const headers = { 'x-team': 'a', 'x-tenant': 'acme', 'x-bf-eh-other': 'o' };
    expect((await post(`${gateway.url}/v1/chat/completions`, chat, headers)).status).toBe(200);
    const received = upstream.requests.at(-1)?.headers;
    expect(received).toMatchObject({ 'x-tenant': 'acme' });
    expect(received).not.toHaveProperty('other');
    expect(received).not.toHaveProperty('x-team');
    const mcp = await post(`${gateway.url}/mcp`, greeting, {
      ...headers,
      accept: 'application/json, text/event-stream',
    });
    expect(mcp.status).toBe(200);
  });

  test('errors stand in the process’s own log where that is wanted', async () => {
    upstream.answers(json({ error: { message: 'no such model' } }, { status: 404 }));
    await post(`${gateway.url}/v1/chat/completions`, chat, { 'x-team': 'a', 'x-request-id': 'told-1' });
    const output = await eventually(
      async () => gateway.output(),
      (text) => text.includes('told-1'),
    );
    expect(output).toMatch(/^error request told-1 failed: .*no such model.*"provider":"openai"/m);
  });

  test('headers may take as much as server.read_buffer_size says, 64 KB by default', async () => {
    upstream.answers(json(answer));
    const headers = { 'x-team': 'a', 'x-long': 'x'.repeat(40_000) };
    expect((await post(`${gateway.url}/v1/chat/completions`, chat, headers)).status).toBe(200);
    const over = { ...headers, 'x-long': 'x'.repeat(70_000) };
    expect((await post(`${gateway.url}/v1/chat/completions`, chat, over)).status).toBe(431);
  });
});
