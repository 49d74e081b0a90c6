import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { type Answer, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;
let quiet: Gateway;
let keeping: Gateway;

const SECRET = 'sk-very-secret';

beforeAll(async () => {
  upstream = await startUpstream();
  const at = (url: string, more: object = {}) => ({
    keys: [{ name: 'test', value: SECRET, models: ['*'] }],
    network_config: { base_url: url },
    ...more,
  });
  const both = { send_back_raw_request: true, send_back_raw_response: true };
  gateway = await startGatewayHere({
    client: { allow_per_request_raw_override: true },
    providers: {
      groq: at(`${upstream.url}/v1`, both),
      openai: at(`${upstream.url}/v1`, { send_back_raw_request: true }),
      xai: at(`${upstream.url}/v1`),
      anthropic: at(upstream.url, both),
    },
  });
  quiet = await startGatewayHere({ providers: { groq: keyed(`${upstream.url}/v1`) } });
  keeping = await startGatewayHere({
    client: { allow_per_request_content_storage_override: true },
    providers: {
      groq: at(`${upstream.url}/v1`, { store_raw_request_response: true }),
      openai: at(`${upstream.url}/v1`),
      anthropic: at(upstream.url, { store_raw_request_response: true }),
    },
  });
});

afterAll(async () => {
  await Promise.all([gateway.stop(), quiet.stop(), keeping.stop()]);
  await upstream.close();
});

const MESSAGE: JsonObject = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'fine' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 2 },
};
const COMPLETION: JsonObject = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
};
const RESPONSE: JsonObject = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'm',
  output: [
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'fine', annotations: [] }],
    },
  ],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
};

const chunk = (delta: JsonObject, reason: string | null = null): JsonObject => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: reason }],
});
const CHUNKS = [chunk({ role: 'assistant', content: 'fi' }), chunk({ content: 'ne 🙂' }), chunk({}, 'stop')].map(
  (data) => `data: ${JSON.stringify(data)}\n\n`,
);

const whole =
  (body: object, status = 200): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** In pieces that end nowhere in particular. */
const streamed =
  (text: string, size = 50): Answer =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) {
      await new Promise((resolve) => response.write(bytes.subarray(at, at + size), resolve));
    }
    response.end();
  };

const asked = (model: string, more: object = {}) => ({
  model,
  messages: [{ role: 'user', content: 'hello' }],
  ...more,
});

const fieldsIn = (body: unknown): JsonObject =>
  isObject(body) && isObject(body.extra_fields) ? body.extra_fields : {};

const chunksOf = (text: string): JsonObject[] =>
  [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data = '']): JsonObject => JSON.parse(data));

async function ask(model: string, headers: Record<string, string> = {}, at = gateway): Promise<JsonObject> {
  const response = await post(`${at.url}/v1/chat/completions`, asked(model), headers);
  const text = await response.text();
  expect(text).not.toContain(SECRET);
  return fieldsIn(JSON.parse(text));
}

describe('the raw exchange in extra_fields', () => {
  test('of a translated answer', async () => {
    upstream.answers(whole(MESSAGE));
    const fields = await ask('anthropic/claude-x');
    expect(fields.raw_response).toEqual(MESSAGE);
    expect(fields.raw_request).toMatchObject({ model: 'claude-x', messages: [{ role: 'user' }], max_tokens: 4_096 });
  });

  test('of an answer in the client’s own format, which is otherwise as it came', async () => {
    upstream.answers(whole(COMPLETION));
    const response = await post(`${gateway.url}/v1/chat/completions`, asked('groq/m'));
    const { extra_fields: fields, ...rest } = (await response.json()) as JsonObject;
    expect(rest).toEqual(COMPLETION);
    expect(fields).toMatchObject({ provider: 'groq', raw_request: asked('m'), raw_response: COMPLETION });
  });

  test('one half alone', async () => {
    upstream.answers(whole(COMPLETION));
    const fields = await ask('openai/gpt-4o');
    expect(fields.raw_request).toEqual(asked('gpt-4o'));
    expect(fields).not.toHaveProperty('raw_response');
  });

  test('of a translated stream: what came stands in its events, what was sent in the first and the last', async () => {
    const events = [
      { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'fine 🙂' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ];
    const text = events.map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`).join('');
    upstream.answers(streamed(text));
    const response = await post(`${gateway.url}/v1/chat/completions`, asked('anthropic/claude-x', { stream: true }));
    const fields = chunksOf(await response.text()).map(fieldsIn);
    expect(fields.map(({ raw_response: raw }) => raw ?? '').join('')).toBe(text);
    expect(fields[0]?.raw_request).toMatchObject({ model: 'claude-x', stream: true });
    expect(fields.at(-1)?.raw_request).toEqual(fields[0]?.raw_request);
  });

  test.each([7, 50, 10_000])('of a stream in the client’s own format, in pieces of %i bytes', async (size) => {
    upstream.answers(streamed(`${CHUNKS.join('')}data: [DONE]\n\n`, size));
    const response = await post(`${gateway.url}/v1/chat/completions`, asked('groq/m', { stream: true }));
    const text = await response.text();
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    const chunks = chunksOf(text);
    const bare = chunks.map(({ extra_fields: _, ...rest }) => `data: ${JSON.stringify(rest)}\n\n`);
    expect(bare).toEqual(CHUNKS);
    const raw = chunks.map((each) => fieldsIn(each).raw_response ?? '').join('');
    expect(`${CHUNKS.join('')}data: [DONE]\n\n`.startsWith(raw)).toBe(true);
    expect(raw).toContain('ne 🙂');
    expect(fieldsIn(chunks[0]).raw_request).toMatchObject({ model: 'm', stream: true });
  });

  test('of an error', async () => {
    upstream.answers(whole({ error: { message: 'no such model', type: 'invalid_request_error' } }, 404));
    const fields = await ask('groq/m');
    expect(fields.raw_request).toEqual(asked('m'));
    expect(fields.raw_response).toMatchObject({ error: { message: 'no such model' } });
  });

  test('keys of MCP servers that the request names are not shown', async () => {
    upstream.answers(whole(RESPONSE));
    const tool = {
      type: 'mcp',
      server_label: 'x',
      server_url: 'https://x.example/mcp',
      authorization: 'mcp-token',
      headers: { 'X-Key': 'mcp-key' },
    };
    const response = await post(`${gateway.url}/v1/responses`, { model: 'openai/gpt-4o', input: 'hi', tools: [tool] });
    const text = await response.text();
    expect(text).not.toMatch(/mcp-token|mcp-key/);
    expect(fieldsIn(JSON.parse(text)).raw_request).toMatchObject({
      tools: [{ server_label: 'x', authorization: '***', headers: { 'X-Key': '***' } }],
    });
  });

  test('native routes have no place for it', async () => {
    upstream.answers(whole(MESSAGE));
    const response = await post(`${gateway.url}/anthropic/v1/messages`, asked('anthropic/claude-x', { max_tokens: 9 }));
    expect(await response.json()).toEqual(MESSAGE);
  });
});

describe('callers ask for it by header', () => {
  const shown = (fields: JsonObject) => ['raw_request', 'raw_response'].filter((name) => name in fields);

  test.each<[model: string, headers: Record<string, string>, expected: readonly string[]]>([
    ['xai/m', {}, []],
    ['xai/m', { 'x-bf-send-back-raw-request': 'true' }, ['raw_request']],
    ['xai/m', { 'x-bf-send-back-raw-response': 'true' }, ['raw_response']],
    ['groq/m', { 'x-bf-send-back-raw-response': 'false' }, ['raw_request']],
    ['groq/m', { 'x-bf-send-back-raw-request': 'false', 'x-bf-send-back-raw-response': 'false' }, []],
    ['openai/gpt-4o', { 'x-bf-send-back-raw-response': 'TRUE' }, ['raw_request', 'raw_response']],
  ])('%s with %j', async (model, headers, expected) => {
    upstream.answers(whole(COMPLETION));
    expect(shown(await ask(model, headers))).toEqual(expected);
  });

  test('in vain where the configuration does not allow it', async () => {
    upstream.answers(whole(COMPLETION));
    const headers = { 'x-bf-send-back-raw-request': 'true', 'x-bf-send-back-raw-response': 'true' };
    expect(shown(await ask('groq/m', headers, quiet))).toEqual([]);
  });
});

describe('the raw exchange in the log', () => {
  let calls = 0;

  /** The row of one call, and what the caller was told. */
  async function logged(
    model: string,
    { headers = {}, at = keeping, ...more }: Ask = {},
  ): Promise<{ row: JsonObject; text: string }> {
    const id = `raw-${++calls}`;
    const answer = await post(`${at.url}/v1/chat/completions`, asked(model, more), { ...headers, 'x-request-id': id });
    const text = await answer.text();
    const row = await eventually(
      async () => (await (await fetch(`${at.url}/api/logs/${id}`)).json()) as JsonObject,
      (found) => found.id === id,
    );
    expect(JSON.stringify(row)).not.toContain(SECRET);
    return { row, text };
  }

  interface Ask {
    readonly headers?: Record<string, string>;
    readonly at?: Gateway;
    readonly stream?: boolean;
    readonly fallbacks?: readonly string[];
  }

  const jsonIn = (text: unknown): unknown => JSON.parse(String(text));

  test('of a translated answer: what the provider was sent and said, beside the words in the client’s terms', async () => {
    upstream.answers(whole(MESSAGE));
    const { row, text } = await logged('anthropic/claude-x');
    expect(jsonIn(row.raw_request)).toMatchObject({ model: 'claude-x', max_tokens: 4_096 });
    expect(jsonIn(row.raw_response)).toEqual(MESSAGE);
    expect(JSON.stringify(row.input_history)).toContain('hello');
    expect(row.output_message).toMatchObject({ content: 'fine' });
    expect(text).not.toContain('raw_re');
  });

  test('of an answer in the client’s own format, which stays byte for byte what it was', async () => {
    upstream.answers(whole(COMPLETION));
    const { row, text } = await logged('groq/m');
    expect(jsonIn(row.raw_request)).toEqual(asked('m'));
    expect(jsonIn(row.raw_response)).toEqual(COMPLETION);
    expect(text).toBe(JSON.stringify(COMPLETION));
  });

  test.each([7, 10_000])('of a stream, in pieces of %i bytes', async (size) => {
    const stream = `${CHUNKS.join('')}data: [DONE]\n\n`;
    upstream.answers(streamed(stream, size));
    const { row, text } = await logged('groq/m', { stream: true });
    expect(text).toBe(stream);
    expect(stream.startsWith(String(row.raw_response))).toBe(true);
    expect(row.raw_response).toContain('ne 🙂');
    expect(jsonIn(row.raw_request)).toMatchObject({ model: 'm', stream: true });
  });

  test('of an error, without the key that it repeats', async () => {
    upstream.answers(whole({ error: { message: `Incorrect API key: ${SECRET}` } }, 401));
    const { row } = await logged('groq/m');
    expect(row.status).toBe('error');
    expect(row.raw_response).toContain('Incorrect API key: [hidden]');
  });

  test('is cut where it is very long, and says so', async () => {
    const long = { ...COMPLETION, id: 'x'.repeat(2_000_000) };
    upstream.answers(whole(long));
    const { row } = await logged('groq/m');
    expect(String(row.raw_response)).toHaveLength(1024 * 1024);
    expect(row.content_truncated).toBe(true);
  });

  test('is that of the target that answered, not of one that failed before it', async () => {
    upstream.answers(whole({ error: { message: 'try elsewhere' } }, 500), whole(COMPLETION));
    const { row } = await logged('groq/m', { fallbacks: ['openai/gpt-4o'] });
    expect(row).toMatchObject({ provider: 'openai', status: 'success' });
    expect(jsonIn(row.raw_response)).toEqual(COMPLETION);
    // what the client sent
    expect(jsonIn(row.raw_request)).toMatchObject({ model: 'groq/m' });
  });

  test.each<[model: string, header: string, stores: boolean]>([
    ['openai/gpt-4o', 'true', true],
    ['openai/gpt-4o', 'perhaps', false],
    ['groq/m', 'false', false],
  ])('callers may say so where they are let: %s, %s', async (model, value, stores) => {
    upstream.answers(whole(COMPLETION));
    const { row } = await logged(model, { headers: { 'x-bf-store-raw-request-response': value } });
    // the provider's request names the model alone, the client's the provider as well
    expect(jsonIn(row.raw_request)).toMatchObject({ model: stores ? model.split('/')[1] : model });
  });

  test('nothing of it is kept of a call whose contents are not', async () => {
    upstream.answers(whole(COMPLETION));
    const { row } = await logged('groq/m', { headers: { 'x-bf-disable-content-logging': 'true' } });
    expect(row).not.toHaveProperty('raw_request');
    expect(row).not.toHaveProperty('raw_response');
  });

  test('callers ask in vain where the configuration does not let them', async () => {
    upstream.answers(whole(COMPLETION));
    const { row } = await logged('groq/m', { at: quiet, headers: { 'x-bf-store-raw-request-response': 'true' } });
    expect(jsonIn(row.raw_request)).toMatchObject({ model: 'groq/m' });
  });
});
