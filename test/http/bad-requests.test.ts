import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { chat, type Dialect, dialects, messages } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { type MessagesUpstream, startMessagesUpstream } from '../support/messages-upstream.ts';

/** Models of another format than the client's, so that the gateway itself must read the whole request. */
const MODEL_FOR: Readonly<Record<string, string>> = { [chat.name]: 'spruce/m', [messages.name]: 'oak/m' };

let oak: ChatUpstream;
let spruce: MessagesUpstream;
let gateway: Gateway;
let narrow: Gateway;

beforeAll(async () => {
  oak = await startChatUpstream(() => ({ text: 'fine' }));
  spruce = await startMessagesUpstream(() => [{ type: 'text', text: 'fine' }]);
  const providers = {
    oak: { ...keyed(oak.url), custom_provider_config: { base_provider_type: 'openai' } },
    spruce: { ...keyed(spruce.url), custom_provider_config: { base_provider_type: 'anthropic' } },
    groq: keyed(oak.url, 'env.GROQ_TEST_KEY'),
    deepseek: { keys: [] },
  };
  gateway = await startGatewayHere({ providers });
  narrow = await startGatewayHere({ providers, client: { max_request_body_size_mb: 1 } });
});

afterAll(async () => {
  await Promise.all([gateway.stop(), narrow.stop()]);
  await Promise.all([oak.close(), spruce.close()]);
});

const modelFor = ({ name }: Dialect): string => MODEL_FOR[name] ?? '';

/** The error of a request that must fail, once it is clear that the next request works. */
async function refused(dialect: Dialect, status: number, body: unknown, headers = {}, to = gateway): Promise<string> {
  const answer = await post(`${to.url}${dialect.path}`, body, headers);
  const text = await answer.text();
  expect([answer.status, answer.headers.get('content-type')], text).toEqual([status, 'application/json']);
  const next = await post(`${to.url}${dialect.path}`, dialect.question(modelFor(dialect)));
  expect(dialect.textOf(await next.json())).toBe('fine');
  return dialect.errorOf(JSON.parse(text)).message;
}

const LONG = 'x'.repeat(10_000);

describe.each(dialects)('$name: a request that cannot be read', (dialect) => {
  const question = dialect.question(modelFor(dialect));
  const whole = JSON.stringify(question);

  test.each<[string, unknown, RegExp]>([
    ['broken JSON', '{"model": "oak/m", "messages": [', /not valid JSON/],
    ['long broken JSON', whole.replace('hello', LONG).slice(0, -2), /not valid JSON/],
    ['long JSON that is broken inside a message', whole.replace('"hello"', `"${LONG}",,`), /not valid JSON/],
    ['long JSON with something behind its end', `${whole.replace('hello', LONG)}}`, /not valid JSON/],
    ['an empty body', '', /empty/],
    ['JSON that is no object', '[1]', /object/],
    ['null', 'null', /object/],
    ['a number for the model', { ...question, model: 7 }, /model/],
    ['no model', { ...question, model: undefined }, /model is required/],
    ['an empty model', { ...question, model: '' }, /model is required/],
    ['text for messages', { ...question, messages: 'hello' }, /messages/],
    ['no messages', { ...question, messages: undefined }, /messages/],
    ['a message that is text', { ...question, messages: ['hello'] }, /messages/],
    ['text for stream', { ...question, stream: 'yes' }, /stream must be true or false, not "yes"/],
    ['an object for tools', { ...question, tools: {} }, /tools/],
    ['text for fallbacks', { ...question, fallbacks: 'groq/llama' }, /fallbacks must be a list/],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00, 0x01]), /JSON/],
  ])('%s is a 400 that says so', async (_, body, message) => {
    expect(await refused(dialect, 400, body)).toMatch(message);
  });

  test.each<[string, string, RegExp]>([
    ['a bare name that nobody serves', 'marvin-7', /no configured provider is known to serve model "marvin-7"/],
    ['a provider that does not exist', 'nowhere/gpt-4o', /no configured provider .* "nowhere\/gpt-4o"/],
    ['a provider that is not configured', 'mistral/large', /provider "mistral" is not configured: set MISTRAL_API_KEY/],
    ['a provider that this gateway does not speak to', 'typesafe/claude', /"typesafe" is not among those/],
    ['a provider whose key variable is not set', 'groq/llama', /set GROQ_TEST_KEY/],
    ['a provider without keys', 'deepseek/chat', /no keys/],
  ])('%s is a 400 that says what to do', async (_, model, message) => {
    expect(await refused(dialect, 400, dialect.question(model))).toMatch(message);
  });

  test('a tool that is nested without end is a 400, too', async () => {
    const schema = `${'{"properties":{"a":'.repeat(20_000)}{}${'}}'.repeat(20_000)}`;
    const tool =
      dialect.name === chat.name
        ? `{"type":"function","function":{"name":"a","parameters":${schema}}}`
        : `{"name":"a","input_schema":${schema}}`;
    expect(await refused(dialect, 400, `${whole.slice(0, -1)},"tools":[${tool}]}`)).toMatch(/nested too deeply/);
  });

  test('20 MB are taken, and 1 MB where that is the limit', async () => {
    const large = dialect.question(modelFor(dialect), {
      messages: [{ role: 'user', content: 'x'.repeat(20 * 1024 * 1024) }],
    });
    const answer = await post(`${gateway.url}${dialect.path}`, large);
    expect(dialect.textOf(await answer.json())).toBe('fine');
    expect(await refused(dialect, 413, large, {}, narrow)).toMatch(/larger than 1 MB; .*max_request_body_size_mb/);
  });

  test('a body over the limit is refused when its length was not told', async () => {
    const piece = new Uint8Array(256 * 1024).fill(0x20);
    const stream = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 8; sent++) controller.enqueue(piece);
        controller.close();
      },
    });
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    const answer = await fetch(`${narrow.url}${dialect.path}`, init);
    expect(answer.status).toBe(413);
    expect(dialect.errorOf(await answer.json()).message).toMatch(/larger than 1 MB/);
  });

  test('a small gzip body that grows over the limit is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(5 * 1024 * 1024, 0x20));
    expect(await refused(dialect, 413, bomb, { 'content-encoding': 'gzip' }, narrow)).toMatch(/larger than 1 MB/);
  });

  test('gzip is understood, whatever the case of its name', async () => {
    const answer = await post(`${gateway.url}${dialect.path}`, gzipSync(whole), { 'content-encoding': 'GZip' });
    expect(dialect.textOf(await answer.json())).toBe('fine');
  });

  test('broken gzip is a 400, an unknown encoding a 415', async () => {
    expect(await refused(dialect, 400, whole, { 'content-encoding': 'gzip' })).toBe(
      'the request body is not valid gzip',
    );
    expect(await refused(dialect, 415, whole, { 'content-encoding': 'zstd' })).toMatch(/zstd is not understood; send/);
  });

  test.each(['GET', 'PUT', 'DELETE'])('%s is told which method is allowed', async (method) => {
    const answer = await fetch(`${gateway.url}${dialect.path}`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    const { message } = dialect.errorOf(await answer.json());
    expect(message).toBe(`${method} is not allowed at ${dialect.path}; send POST`);
  });

  test('an unknown path beside it is a 404 in the same dialect', async () => {
    const answer = await post(`${gateway.url}${dialect.path}/nothing`, {});
    expect(answer.status).toBe(404);
    expect(dialect.errorOf(await answer.json()).message).toContain('is not served here');
  });
});
