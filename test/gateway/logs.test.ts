import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { dialects } from '../support/dialects.ts';
import { eventually, type Gateway, impatient, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { type HttpServer, startHttpServer } from '../support/mcp-servers/http.mjs';

const KEY = 'sk-very-secret-provider-key-1';
const TOKEN = 'Bearer very-secret-mcp-token-2';
const EXTRA = 'very-secret-extra-header-3';
const CALLER = 'sk-bf-very-secret-caller-key-4';

let upstream: ChatUpstream;
let http: HttpServer;
let gateway: Gateway;
let discreet: Gateway;

beforeAll(async () => {
  upstream = await startChatUpstream((body) => {
    const asked = JSON.stringify(body.messages);
    if (asked.includes('refuse')) return { status: 400, error: 'that will not do' };
    if (asked.includes('unauthorised')) return { status: 401, error: 'Incorrect API key provided' };
    if (asked.includes('cut')) return { text: 'half of it', cut: true };
    if (asked.includes('forever')) return { text: 'and on it goes', open: true };
    const hasResult = body.messages.some(({ role }) => role === 'tool');
    if (asked.includes('use a tool') && !hasResult) {
      return { calls: [{ id: 'call_1', name: 'ref-echo', input: { value: 'spoken to the tool' } }] };
    }
    return { text: 'spoken by the model' };
  });
  http = await startHttpServer();
  const config = {
    providers: {
      openai: {
        ...keyed(upstream.url, KEY),
        network_config: { base_url: upstream.url, extra_headers: { 'x-extra': EXTRA } },
      },
      oak: { ...keyed(upstream.url, KEY), custom_provider_config: { base_provider_type: 'openai' } },
    },
    mcp: {
      client_configs: [
        testServer(),
        {
          ...testServer('remote'),
          connection_type: 'http',
          stdio_config: undefined,
          connection_string: `http://127.0.0.1:${http.port}/mcp`,
          headers: { Authorization: TOKEN },
        },
      ],
    },
  };
  gateway = await startGatewayHere(config, { keepAlive: impatient() });
  discreet = await startGatewayHere({
    ...config,
    mcp: { client_configs: [testServer()] },
    client: { disable_content_logging: true },
  });
});

afterAll(async () => {
  await Promise.all([gateway.stop(), discreet.stop()]);
  await Promise.all([upstream.close(), http.close()]);
});

const get = async (path: string, from = gateway): Promise<JsonObject> => {
  const body: unknown = await (await fetch(`${from.url}${path}`)).json();
  if (!isObject(body)) throw new Error(`no object at ${path}`);
  return body;
};

/** The row of one call, once it is in the log. */
const rowOf = (id: string, from = gateway): Promise<JsonObject> =>
  eventually(
    () => get(`/api/logs/${id}`, from),
    ({ id: found }) => found === id,
  );

let asked = 0;

/** Asks with an id of its own, which is the id of the log row. */
async function ask(
  path: string,
  body: object,
  to = gateway,
  signal?: AbortSignal,
): Promise<{ id: string; text: string }> {
  const id = `test-${++asked}`;
  const answer = await post(`${to.url}${path}`, body, { 'x-request-id': id, 'user-agent': 'test/1' }, signal);
  return { id: answer.headers.get('x-bifrost-request-id') ?? id, text: await answer.text() };
}

describe.each(dialects)('$name: the log', (dialect) => {
  const saying = (content: string, more: object = {}) =>
    dialect.question('openai/gpt-4o', { messages: [{ role: 'user', content }], ...more });

  test.each([false, true])('has a row for each call with its figures and words (streamed: %s)', async (stream) => {
    const { id } = await ask(dialect.path, saying('spoken by the user', { stream }));
    const row = await rowOf(id);
    expect(row).toMatchObject({
      provider: 'openai',
      model: 'gpt-4o',
      alias: 'openai/gpt-4o',
      status: 'success',
      stream,
      token_usage: { prompt_tokens: 1000, completion_tokens: 20, total_tokens: 1020 },
      cost: expect.any(Number),
      latency: expect.any(Number),
      time_to_first_token: expect.any(Number),
      user_agent: 'test/1',
      selected_key_name: 'test',
      parent_request_id: null,
    });
    expect(Number(row.cost)).toBeGreaterThan(0);
    expect(Number(row.time_to_first_token)).toBeLessThanOrEqual(Number(row.latency));
    expect(JSON.stringify(row.input_history)).toContain('spoken by the user');
    expect(JSON.stringify(row.output_message)).toContain('spoken by the model');
  });

  test('tells an unknown price from nothing to pay', async () => {
    const { id } = await ask(dialect.path, dialect.question('oak/nobody-knows-this-model'));
    expect(await rowOf(id)).toMatchObject({ status: 'success', cost: null });
  });

  test('names what failed', async () => {
    const { id } = await ask(dialect.path, saying('refuse'));
    const row = await rowOf(id);
    expect(JSON.stringify(row.attempt_trail)).not.toContain('"started_at":"1970');
    expect(row).toMatchObject({
      status: 'error',
      token_usage: null,
      cost: null,
      error_details: { error: { message: 'that will not do' } },
    });
  });

  test('calls a stream that was cut an error, with what had come', async () => {
    const { id } = await ask(dialect.path, saying('cut', { stream: true }));
    const row = await rowOf(id);
    expect(row).toMatchObject({ status: 'error', stream: true });
    expect(JSON.stringify(row.error_details)).toMatch(/cut|closed/);
    expect(JSON.stringify(row.output_message)).toContain('half of it');
  });

  test.each([false, true])('calls a request that its client left cancelled (streamed: %s)', async (stream) => {
    const abort = new AbortController();
    const id = `left-${dialect.name.length}-${stream}`;
    const open = fetch(`${gateway.url}${dialect.path}`, {
      method: 'POST',
      headers: { 'x-request-id': id },
      body: JSON.stringify(saying('forever', { stream })),
      signal: abort.signal,
    });
    const seen = upstream.bodies.length;
    await eventually(
      async () => upstream.bodies.length,
      (count) => count > seen,
    );
    abort.abort();
    await open.catch(() => {});
    expect(await rowOf(id)).toMatchObject({ status: 'cancelled', stream });
  });

  test('has a row for a request that never found a provider', async () => {
    const { id } = await ask(dialect.path, dialect.question('mistral/m'));
    expect(await rowOf(id)).toMatchObject({ status: 'error', provider: null, model: 'mistral/m' });
  });

  test('shows the tools that ran, each linked to the call that asked for it', async () => {
    const { id } = await ask(dialect.path, saying('use a tool'));
    await rowOf(id);
    const { logs } = await eventually(
      () => get('/api/mcp-logs?limit=100'),
      (page) => JSON.stringify(page).includes(id),
    );
    const run = (Array.isArray(logs) ? logs : []).find((log) => isObject(log) && log.llm_request_id === id);
    expect(run).toMatchObject({
      server_label: 'ref',
      tool_name: 'echo',
      status: 'success',
      latency: expect.any(Number),
    });
    const shown = await get(`/api/mcp-logs/${isObject(run) ? String(run.id) : ''}`);
    expect(shown.arguments).toEqual({ value: 'spoken to the tool' });
    expect(JSON.stringify(shown.result)).toContain('spoken to the tool');
    const children = await eventually(
      () => get('/api/logs?limit=100'),
      (page) => JSON.stringify(page).includes(`"parent_request_id":"${id}"`),
    );
    const second = (Array.isArray(children.logs) ? children.logs : []).find(
      (log) => isObject(log) && log.parent_request_id === id,
    );
    const answer = await rowOf(isObject(second) ? String(second.id) : '');
    expect(JSON.stringify(answer.output_message)).toContain('spoken by the model');
    expect(JSON.stringify(answer.input_history)).toContain('spoken to the tool');
  });

  test('keeps figures and no words where contents are not to be logged', async () => {
    const { id } = await ask(dialect.path, saying('use a tool'), discreet);
    const row = await rowOf(id, discreet);
    expect(row).toMatchObject({ status: 'success', token_usage: { prompt_tokens: 1000 } });
    const runs = await eventually(
      () => get('/api/mcp-logs', discreet),
      (page) => JSON.stringify(page).includes(id),
    );
    expect(JSON.stringify([row, await get('/api/logs', discreet), runs])).not.toContain('spoken');
  });
});

test('two requests under one id of their client are two rows', async () => {
  const before = await get('/api/logs?limit=1');
  const total = (page: JsonObject) => (isObject(page.pagination) ? Number(page.pagination.total_count) : 0);
  for (let index = 0; index < 2; index++) {
    await post(
      `${gateway.url}/v1/chat/completions`,
      { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'twice' }] },
      { 'x-request-id': 'the-same' },
    );
  }
  const after = await eventually(
    () => get('/api/logs?limit=1'),
    (page) => total(page) >= total(before) + 2,
  );
  expect(total(after)).toBe(total(before) + 2);
});

test('secrets stand nowhere: not in answers, logs, the database or what the process writes', async () => {
  const caller = { 'x-bf-vk': CALLER };
  const texts: string[] = [];
  for (const content of ['unauthorised', 'refuse', 'use a tool', 'hello']) {
    for (const dialect of dialects) {
      const question = dialect.question('openai/gpt-4o', { messages: [{ role: 'user', content }] });
      const answer = await post(`${gateway.url}${dialect.path}`, question, caller);
      texts.push(await answer.text(), JSON.stringify([...answer.headers]));
    }
  }
  http.refuse(401, `no: ${TOKEN}`);
  const body = { id: 'x', function: { name: 'remote-echo', arguments: '{"value":"v"}' } };
  texts.push(await (await post(`${gateway.url}/v1/mcp/tool/execute`, body, caller)).text());
  http.refuse(0);
  for (const path of [
    '/api/config',
    '/api/providers',
    '/api/mcp/clients',
    '/api/logs?limit=100',
    '/api/mcp-logs?limit=100',
    '/health',
    '/metrics',
    '/v1/models',
  ]) {
    texts.push(await (await fetch(`${gateway.url}${path}`)).text());
  }
  const { logs } = await get('/api/logs?limit=100');
  for (const log of Array.isArray(logs) ? logs : []) {
    if (isObject(log)) texts.push(JSON.stringify(await get(`/api/logs/${String(log.id)}`)));
  }
  texts.push(gateway.output());
  const files = readdirSync(gateway.appDir, { recursive: true, encoding: 'utf8', withFileTypes: true });
  for (const file of files) {
    if (file.isFile() && file.name !== 'config.json')
      texts.push(readFileSync(join(file.parentPath, file.name), 'latin1'));
  }
  expect(upstream.headers.at(-1)?.authorization).toBe(`Bearer ${KEY}`);
  for (const secret of [KEY, TOKEN.slice(7), EXTRA, CALLER]) {
    expect(texts.filter((text) => text.includes(secret)).map((text) => text.slice(0, 300))).toEqual([]);
  }
});

describe('the loss ledger in the log', () => {
  const lossy = { system: [{ type: 'text', text: 'be brief', cache_control: { type: 'ephemeral' } }], top_k: 5 };
  const messages = Array.from({ length: 40 }, (_, place) => ({
    role: place % 2 === 0 ? 'user' : 'assistant',
    content: [{ type: 'text', text: `said ${place}`, cache_control: { type: 'ephemeral' } }],
  })).slice(0, 39);

  test.each([false, true])('tells of a translated call, once for each kind of loss; streamed: %s', async (stream) => {
    const body = { model: 'openai/m', max_tokens: 9, messages, stream, ...lossy };
    const { losses } = await rowOf((await ask('/anthropic/v1/messages', body)).id);
    expect(losses).toContainEqual(expect.objectContaining({ field: 'top_k', action: 'dropped' }));
    expect(losses).toContainEqual(
      expect.objectContaining({ field: 'messages.*.content.*.cache_control', action: 'dropped', count: 40 }),
    );
    expect(Array.isArray(losses) && losses.length).toBeLessThan(8);
  });

  test('is empty for a call that travelled as it came', async () => {
    const body = { model: 'openai/m', messages: [{ role: 'user', content: 'hello' }] };
    expect((await rowOf((await ask('/v1/chat/completions', body)).id)).losses).toEqual([]);
  });
});
