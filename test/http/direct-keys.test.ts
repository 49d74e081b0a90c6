import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';
import { wireAnswers } from '../support/wire-answers.ts';

const THEIRS = 'sk-their-very-own-key';
const DIRECT = { 'x-bf-direct-key': 'true' };

let upstream: Upstream;
let open: Gateway;
let closed: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const providers = {
    openai: keyed(`${upstream.url}/v1`, 'sk-ours'),
    anthropic: keyed(upstream.url, 'sk-ant-ours'),
    gemini: keyed(upstream.url, 'AIza-ours'),
    groq: { keys: [], network_config: { base_url: `${upstream.url}/v1` } },
    azure: {
      keys: [
        { name: 'resource', value: 'azure-ours', models: ['gpt-4o'], azure_key_config: { endpoint: upstream.url } },
      ],
    },
    bedrock: {
      keys: [
        { name: 'aws', bedrock_key_config: { access_key: 'AKIAOURS', secret_key: 'our-secret', region: 'eu-west-1' } },
      ],
      network_config: { base_url: upstream.url },
    },
  };
  open = await startGatewayHere({ providers, client: { allow_direct_keys: true } });
  closed = await startGatewayHere({ providers });
});

afterAll(async () => {
  await Promise.all([open.stop(), closed.stop()]);
  await upstream.close();
});

const wholeOf = (format: string) => json(wireAnswers.find((wire) => wire.format === format)?.whole);
const CHAT = wholeOf('openai-chat');

const said = () => {
  const request = upstream.requests.at(-1);
  if (!request) throw new Error('nothing was asked');
  return request;
};

const chat = (gateway: Gateway, headers: Record<string, string>, more: object = {}) =>
  post(
    `${gateway.url}/v1/chat/completions`,
    { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'Hi' }], ...more },
    headers,
  );

describe('a gateway that lets callers bring their keys', () => {
  test.each([
    ['authorization', `Bearer ${THEIRS}`],
    ['x-api-key', THEIRS],
    ['x-goog-api-key', THEIRS],
    ['api-key', THEIRS],
  ])('takes the key of %s', async (header, value) => {
    upstream.answers(CHAT);
    const answer = await chat(open, { ...DIRECT, [header]: value });
    expect(answer.status).toBe(200);
    expect(said().headers.authorization).toBe(`Bearer ${THEIRS}`);
    expect(JSON.stringify(said().headers)).not.toContain('x-bf-');
  });

  test('takes its own where nobody asks for the caller’s', async () => {
    for (const headers of [{}, { 'x-bf-direct-key': 'false' }]) {
      upstream.answers(CHAT);
      await chat(open, { ...headers, authorization: `Bearer ${THEIRS}` });
      expect(said().headers.authorization).toBe('Bearer sk-ours');
    }
  });

  test('serves the SDKs of every vendor with the keys they were given', async () => {
    upstream.answers(CHAT, wholeOf('anthropic-messages'), wholeOf('gemini'));
    const openai = new OpenAI({ baseURL: `${open.url}/v1`, apiKey: THEIRS, defaultHeaders: DIRECT, maxRetries: 0 });
    await openai.chat.completions.create({ model: 'openai/m', messages: [{ role: 'user', content: 'Hi' }] });
    expect(said().headers.authorization).toBe(`Bearer ${THEIRS}`);
    const anthropic = new Anthropic({
      baseURL: `${open.url}/anthropic`,
      apiKey: THEIRS,
      defaultHeaders: DIRECT,
      maxRetries: 0,
    });
    await anthropic.messages.create({
      model: 'anthropic/m',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(said().headers['x-api-key']).toBe(THEIRS);
    const body = { contents: [{ parts: [{ text: 'Hi' }] }] };
    await post(`${open.url}/genai/v1beta/models/gemini/m:generateContent`, body, {
      ...DIRECT,
      'x-goog-api-key': THEIRS,
    });
    expect(said().headers['x-goog-api-key']).toBe(THEIRS);
  });

  test('needs no key of its own then', async () => {
    upstream.answers(CHAT);
    const answer = await chat(open, { ...DIRECT, authorization: `Bearer ${THEIRS}` }, { model: 'groq/m' });
    expect(answer.status).toBe(200);
    expect(said().headers.authorization).toBe(`Bearer ${THEIRS}`);
  });

  test('sends it to the resource that the configuration or the caller names', async () => {
    upstream.answers(CHAT, CHAT);
    const headers = { ...DIRECT, 'api-key': THEIRS };
    await chat(open, headers, { model: 'azure/not-in-the-list' });
    expect(said().headers['api-key']).toBe(THEIRS);
    await chat(open, { ...headers, 'x-bf-azure-endpoint': `${upstream.url}/elsewhere` }, { model: 'azure/m' });
    expect(said().path).toMatch(/^\/elsewhere\/openai\/deployments\/m\//);
    const wrong = await chat(open, { ...headers, 'x-bf-azure-endpoint': 'file:///etc' }, { model: 'azure/m' });
    expect(wrong.status).toBe(400);
  });

  test('never signs with its own AWS credentials in its place', async () => {
    upstream.answers(wholeOf('bedrock-converse'));
    await chat(open, { ...DIRECT, authorization: `Bearer ${THEIRS}` }, { model: 'bedrock/amazon.nova-pro-v1:0' });
    expect(said().headers.authorization).toBe(`Bearer ${THEIRS}`);
  });

  test('is told when there is no key, or only one of the gateway', async () => {
    for (const headers of [DIRECT, { ...DIRECT, authorization: 'Bearer sk-bf-virtual' }]) {
      const answer = await chat(open, headers);
      expect([answer.status, await answer.json()]).toMatchObject([
        401,
        { error: { message: expect.stringContaining('x-bf-direct-key asks to use a provider key of your own') } },
      ]);
    }
  });

  test('shows it to no other provider, and falls back on none of its own', async () => {
    const before = upstream.requests.length;
    upstream.answers(json({ error: { message: `no such key: ${THEIRS}`, type: 'x' } }, { status: 401 }));
    const answer = await chat(open, { ...DIRECT, authorization: `Bearer ${THEIRS}` }, { fallbacks: ['anthropic/m'] });
    expect(answer.status).toBe(401);
    expect(upstream.requests.length).toBe(before + 1);
  });

  test('says it in no answer, no header and no log', async () => {
    upstream.answers(json({ error: { message: `no such key: ${THEIRS}`, type: 'x' } }, { status: 401 }));
    const answer = await chat(open, {
      ...DIRECT,
      authorization: `Bearer ${THEIRS}`,
      'x-request-id': 'direct-1',
    });
    const text = await answer.text();
    expect(JSON.parse(text).error.message).toBe('no such key: [hidden]');
    expect(`${text}${JSON.stringify([...answer.headers])}`).not.toContain(THEIRS);
    const row = await eventually(
      async () => (await fetch(`${open.url}/api/logs/direct-1`)).text(),
      (found) => found.includes('header-provided'),
    );
    expect(row).not.toContain(THEIRS);
    expect(open.output()).not.toContain(THEIRS);
    const metrics = await (await fetch(`${open.url}/metrics`)).text();
    expect(metrics).not.toContain(THEIRS);
  });

  test('embeds and passes through with it', async () => {
    const headers = { ...DIRECT, authorization: `Bearer ${THEIRS}` };
    upstream.answers(json({ object: 'list', data: [], model: 'e', usage: {} }), json({}));
    await post(`${open.url}/v1/embeddings`, { model: 'openai/e', input: 'Hi' }, headers);
    expect(said().headers.authorization).toBe(`Bearer ${THEIRS}`);
    await post(`${open.url}/openai_passthrough/v1/chat/completions`, { model: 'm' }, headers);
    expect(said().headers.authorization).toBe(`Bearer ${THEIRS}`);
    expect(JSON.stringify(said().headers)).not.toContain('x-bf-');
  });
});

test('a gateway that does not let callers bring their keys uses its own, whatever they say', async () => {
  upstream.answers(CHAT, wholeOf('anthropic-messages'));
  await chat(closed, { ...DIRECT, authorization: `Bearer ${THEIRS}` });
  expect(JSON.stringify(said().headers)).not.toContain(THEIRS);
  expect(said().headers.authorization).toBe('Bearer sk-ours');
  const body = { model: 'anthropic/m', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };
  await post(`${closed.url}/anthropic/v1/messages`, body, { ...DIRECT, 'x-api-key': THEIRS });
  expect(said().headers['x-api-key']).toBe('sk-ant-ours');
  const without = await chat(closed, { ...DIRECT, authorization: `Bearer ${THEIRS}` }, { model: 'groq/m' });
  expect(without.status).toBe(400);
});
