import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';

const HEADER = 'x-bf-disable-content-logging';
const WORDS = 'the words of this call';

let upstream: ChatUpstream;
let trusting: Gateway;
let discreet: Gateway;
let strict: Gateway;

beforeAll(async () => {
  upstream = await startChatUpstream(({ messages = [] }: Partial<ChatBody>) => {
    const calls = JSON.stringify(messages).includes('use a tool') && messages.every(({ role }) => role !== 'tool');
    return calls ? { calls: [{ id: 'call_1', name: 'ref-echo', input: { value: WORDS } }] } : { text: WORDS };
  });
  const config = (client: object) => ({
    client,
    providers: { openai: keyed(upstream.url), groq: keyed(upstream.url) },
    mcp: { client_configs: [testServer()] },
  });
  const allowed = { allow_per_request_content_storage_override: true };
  trusting = await startGatewayHere(config(allowed));
  discreet = await startGatewayHere(config({ ...allowed, disable_content_logging: true }));
  strict = await startGatewayHere(config({}));
});

afterAll(async () => {
  await Promise.all([trusting.stop(), discreet.stop(), strict.stop()]);
  await upstream.close();
});

const bodyOf = async (answer: Response): Promise<JsonObject> => {
  const body: unknown = await answer.json();
  return isObject(body) ? body : {};
};

/** The rows that a query of the log finds, once there are so many. */
async function rows(gateway: Gateway, path: string, count: number): Promise<JsonObject[]> {
  const { logs } = await eventually(
    async () => (await bodyOf(await fetch(`${gateway.url}/api/${path}`))) as { logs?: JsonObject[] },
    (page) => page.logs?.length === count,
  );
  return logs ?? [];
}

let asked = 0;

/** The log's row of a call that was asked with such headers. */
async function logged(
  gateway: Gateway,
  headers: Record<string, string>,
  path = '/v1/chat/completions',
  body: object = { messages: [{ role: 'user', content: WORDS }] },
): Promise<JsonObject> {
  const id = `call-${++asked}`;
  const answer = await post(
    `${gateway.url}${path}`,
    { model: 'openai/gpt-4o', ...body },
    {
      ...headers,
      'x-request-id': id,
    },
  );
  await answer.text();
  return eventually(
    async () => bodyOf(await fetch(`${gateway.url}/api/logs/${id}`)),
    (row) => row.id === id,
  );
}

const holdsWords = (row: unknown): boolean => JSON.stringify(row).includes(WORDS);

test.each<[gateway: string, value: string, keeps: boolean]>([
  ['trusting', 'true', false],
  ['trusting', 'TRUE', false],
  ['trusting', 'false', true],
  ['trusting', 'perhaps', true],
  ['discreet', 'false', true],
  ['discreet', 'true', false],
  ['discreet', 'perhaps', false],
  ['strict', 'true', true],
])('%s gateway, header %s: contents are kept: %s', async (name, value, keeps) => {
  const gateway = { trusting, discreet, strict }[name] ?? strict;
  const row = await logged(gateway, { [HEADER]: value });
  expect(holdsWords(row)).toBe(keeps);
  expect(row).toMatchObject({ status: 'success', token_usage: { prompt_tokens: 1_000 }, content_dropped: false });
});

test('no format, stream or operation keeps what the caller wants left out', async () => {
  const off = { [HEADER]: 'true' };
  const messages = [{ role: 'user', content: WORDS }];
  const found = [
    await logged(trusting, off, '/v1/chat/completions', { messages, stream: true }),
    await logged(trusting, off, '/anthropic/v1/messages', { messages, max_tokens: 9 }),
    await logged(trusting, off, '/v1/responses', { model: 'groq/m', input: WORDS }),
    await logged(trusting, off, '/v1/embeddings', { input: WORDS }),
  ];
  expect(found.filter(holdsWords)).toEqual([]);
});

test('the tools that run for such a call keep nothing either, and those of the next call do', async () => {
  const chat = { messages: [{ role: 'user', content: 'use a tool' }] };
  const left = await logged(trusting, { [HEADER]: 'true' }, '/v1/chat/completions', chat);
  const kept = await logged(trusting, {}, '/v1/chat/completions', chat);
  const [without] = await rows(trusting, `mcp-logs?llm_request_ids=${left.id}`, 1);
  expect(without).toMatchObject({ tool_name: 'echo', status: 'success' });
  expect(without).not.toHaveProperty('arguments');
  expect(without).not.toHaveProperty('result');
  const [withWords] = await rows(trusting, `mcp-logs?llm_request_ids=${kept.id}`, 1);
  expect(withWords).toMatchObject({ arguments: { value: WORDS } });
});

test('at /mcp and by hand the header says the same', async () => {
  const before = (await rows(trusting, 'mcp-logs', 2)).length;
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'ref-echo', arguments: { value: WORDS } },
  };
  const headers = { [HEADER]: 'true', accept: 'application/json, text/event-stream' };
  await (await post(`${trusting.url}/mcp`, call, headers)).text();
  const byHand = {
    id: 'c',
    type: 'function',
    function: { name: 'ref-echo', arguments: JSON.stringify({ value: WORDS }) },
  };
  await (await post(`${trusting.url}/v1/mcp/tool/execute`, byHand, headers)).text();
  const all = await rows(trusting, 'mcp-logs', before + 2);
  // the newest come first
  expect(all.slice(0, 2).filter(holdsWords)).toEqual([]);
});
