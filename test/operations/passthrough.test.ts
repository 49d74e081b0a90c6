import { gzipSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      openai: keyed(`${upstream.url}/v1`, 'sk-ours'),
      anthropic: keyed(upstream.url, 'sk-ant-ours'),
      gemini: keyed(upstream.url, 'AIza-ours'),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const said = () => {
  const request = upstream.requests.at(-1);
  if (!request) throw new Error('nothing was asked');
  return request;
};

describe('what is passed through', () => {
  test('keeps its path, its query and every byte of its body', async () => {
    upstream.answers(json('{"odd" :  1.0, "odd": 2}'));
    const body = '{ "model":"gpt-4o" ,"x":1.50, "x":"é" }';
    const answer = await post(`${gateway.url}/openai_passthrough/v1/chat/completions?a=b%20c&a=d`, body);
    expect(await answer.text()).toBe('{"odd" :  1.0, "odd": 2}');
    expect(said().path).toBe('/v1/chat/completions?a=b%20c&a=d');
    expect(said().body.toString()).toBe(body);
  });

  test('goes under our key: what the client shows is stripped', async () => {
    upstream.answers(json({}));
    await post(
      `${gateway.url}/openai_passthrough/responses`,
      { model: 'gpt-5' },
      {
        authorization: 'Bearer sk-theirs',
        'x-api-key': 'theirs',
        'api-key': 'theirs',
        cookie: 'theirs=1',
        'openai-organization': 'org-theirs',
        'x-bf-vk': 'sk-bf-theirs',
        'openai-beta': 'responses=v1',
        'x-own': 'kept',
      },
    );
    expect(said().path).toBe('/v1/responses');
    expect(said().headers).toMatchObject({
      authorization: 'Bearer sk-ours',
      'openai-beta': 'responses=v1',
      'x-own': 'kept',
      'content-type': 'application/json',
    });
    expect(JSON.stringify(said().headers)).not.toContain('theirs');
  });

  test('comes back with its status, its headers and its encoding, less those of the hop', async () => {
    const packed = gzipSync('{"error":{"message":"slow down"}}');
    upstream.answers((response) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'retry-after': '7' };
      response.writeHead(429, { ...headers, 'set-cookie': 'account=1', 'x-ratelimit-left': '0' });
      response.end(packed);
    });
    const answer = await post(`${gateway.url}/openai_passthrough/v1/embeddings`, { model: 'e' });
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(answer.headers.get('x-ratelimit-left')).toBe('0');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await answer.text()).toBe('{"error":{"message":"slow down"}}');
  });

  test('streams as it comes, whatever the pieces', async () => {
    const pieces = ['data: {"a"', ':1}\r\n\r\n', ': comment\n', 'data: [DONE]\n\n'];
    upstream.answers(sse(pieces));
    const answer = await post(`${gateway.url}/openai_passthrough/v1/chat/completions`, { model: 'm', stream: true });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await answer.text()).toBe(pieces.join(''));
  });

  test('ends upstream when the client leaves', async () => {
    upstream.answers(sse(['data: 1\n\n'], 'open'));
    const abort = new AbortController();
    const answer = await post(`${gateway.url}/openai_passthrough/v1/chat/completions`, {}, {}, abort.signal);
    const reader = answer.body?.getReader();
    await reader?.read();
    abort.abort();
    expect(await said().closed).toBe('cut');
  });

  test('a connection that breaks upstream breaks here too', async () => {
    upstream.answers(sse(['data: 1\n\n'], 'cut'));
    const answer = await post(`${gateway.url}/openai_passthrough/v1/chat/completions`, {});
    await expect(answer.text()).rejects.toThrow();
  });

  test('is a row of the log', async () => {
    upstream.answers(json({ id: 'x' }));
    await post(`${gateway.url}/openai_passthrough/v1/chat/completions`, { model: 'gpt-logged' });
    const page = await eventually(
      async () => (await (await fetch(`${gateway.url}/api/logs?models=gpt-logged`)).json()) as { logs: object[] },
      ({ logs }) => logs.length > 0,
    );
    expect(page.logs[0]).toMatchObject({
      object: 'passthrough',
      provider: 'openai',
      model: 'gpt-logged',
      status: 'success',
    });
  });
});

describe('whatever it holds', () => {
  test('a form travels under its own boundary, byte for byte', async () => {
    const body = Buffer.concat([
      Buffer.from('preamble\r\n--odd "x"\r\ncontent-disposition: form-data; name=file; filename=a.wav\r\n\r\n'),
      Buffer.from([0, 255, 13, 10, 45, 45, 0]),
      Buffer.from('\r\n--odd "x"--\r\nepilogue'),
    ]);
    upstream.answers(json({}));
    const type = 'multipart/form-data; boundary="odd \\"x\\""';
    await post(`${gateway.url}/openai_passthrough/v1/audio/transcriptions`, body, { 'content-type': type });
    expect(said().headers['content-type']).toBe(type);
    expect(said().body.equals(body)).toBe(true);
  });

  test('a large upload arrives whole, and a large answer too', async () => {
    const large = Buffer.alloc(40 * 1024 * 1024, 'sound ');
    upstream.answers((response, { body }) => void response.writeHead(200, { 'content-type': 'audio/wav' }).end(body));
    const answer = await post(`${gateway.url}/openai_passthrough/v1/audio/translations`, large, {
      'content-type': 'audio/wav',
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(large)).toBe(true);
    expect(said().body.equals(large)).toBe(true);
  });

  test.each([
    ['/openai_passthrough/v1/responses', 'authorization', 'Bearer sk-ours'],
    ['/anthropic_passthrough/v1/messages', 'x-api-key', 'sk-ant-ours'],
    ['/genai_passthrough/v1beta/models/gemini-2.5-flash:generateContent', 'x-goog-api-key', 'AIza-ours'],
  ])('a long prompt to %s arrives byte for byte, under our key', async (path, header, key) => {
    upstream.answers((response, { body }) => void response.writeHead(200).end(String(body.length)));
    const body = `{ "model" : "m" ,"x":1.50, "text":"${'é'.repeat(400_000)}" }`;
    const answer = await post(`${gateway.url}${path}`, body, { [header]: 'theirs' });
    expect(await answer.text()).toBe(String(Buffer.byteLength(body)));
    expect(said().path).toBe(path.replace(/^\/\w+_passthrough/, ''));
    expect(said().headers[header]).toBe(key);
    expect(said().headers['content-length']).toBe(String(Buffer.byteLength(body)));
    expect(said().body.toString()).toBe(body);
  });

  test.each<[string, number, string, string]>([
    ['a page', 502, 'text/html', '<html><title>Bad Gateway</title></html>'],
    ['a redirect', 307, 'text/plain', 'elsewhere'],
    ['no JSON', 200, 'application/json', '{"half":'],
    ['an error of the provider’s own', 418, 'application/json', '{ "error" : {"odd":1.0} }'],
    ['nothing', 204, 'text/plain', ''],
  ])('%s comes back as it is', async (_what, status, type, text) => {
    upstream.answers((response) => void response.writeHead(status, { 'content-type': type, location: '/x' }).end(text));
    const answer = await fetch(`${gateway.url}/anthropic_passthrough/v1/messages`, {
      method: 'POST',
      body: '{}',
      redirect: 'manual',
    });
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([status, type, text]);
  });
});

describe('what is not passed through', () => {
  test('HEAD, which has no words for why', async () => {
    const answer = await fetch(`${gateway.url}/openai_passthrough/v1/chat/completions`, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([403, '']);
  });

  test.each([
    ['GET', '/openai_passthrough/v1/models'],
    ['POST', '/openai_passthrough/v1/files'],
    ['POST', '/openai_passthrough/v1/fine_tuning/jobs'],
    ['DELETE', '/openai_passthrough/v1/responses/resp_1'],
    ['POST', '/anthropic_passthrough/v1/messages/batches'],
    ['POST', '/genai_passthrough/v1beta/cachedContents'],
    ['POST', '/genai_passthrough/v1beta/models/gemini-2.5-flash:batchGenerateContent'],
  ])('%s %s', async (method, path) => {
    const answer = await fetch(`${gateway.url}${path}`, { method });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('is not passed through');
  });

  test('another provider than the route’s own', async () => {
    const url = `${gateway.url}/openai_passthrough/v1/chat/completions`;
    const answer = await post(url, {}, { 'x-model-provider': 'anthropic' });
    expect(answer.status).toBe(403);
    upstream.answers(json({}));
    expect((await post(url, {}, { 'x-model-provider': 'openai' })).status).toBe(200);
  });

  test('an API that nobody knows', async () => {
    expect((await post(`${gateway.url}/nobody_passthrough/v1/x`, {})).status).toBe(404);
  });
});

describe('the vendors’ SDKs pass through', () => {
  test('Anthropic’s, with betas and version of its own', async () => {
    upstream.answers(
      json({ id: 'm', type: 'message', role: 'assistant', content: [{ type: 'text', text: 'hi' }], usage: {} }),
    );
    const client = new Anthropic({ baseURL: `${gateway.url}/anthropic_passthrough`, apiKey: 'theirs', maxRetries: 0 });
    const message = await client.messages.create(
      { model: 'claude-sonnet-4', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
      { headers: { 'anthropic-beta': 'unknown-2031-01-01' } },
    );
    expect(message.content).toEqual([{ type: 'text', text: 'hi' }]);
    expect(said().path).toBe('/v1/messages');
    expect(said().headers).toMatchObject({ 'x-api-key': 'sk-ant-ours', 'anthropic-beta': 'unknown-2031-01-01' });
    expect(JSON.stringify(said().headers)).not.toContain('theirs');
  });

  test('Google’s, with its key out of the query', async () => {
    const answer = { candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP' }] };
    upstream.answers(json(answer), json(answer));
    const client = new GoogleGenAI({ apiKey: 'theirs', httpOptions: { baseUrl: `${gateway.url}/genai_passthrough` } });
    const told = await client.models.generateContent({ model: 'gemini-2.5-flash', contents: 'hi' });
    expect(told.text).toBe('hi');
    expect(said().path).toBe('/v1beta/models/gemini-2.5-flash:generateContent');
    expect(said().headers['x-goog-api-key']).toBe('AIza-ours');
    await post(`${gateway.url}/genai_passthrough/v1/models/g:generateContent?alt=sse&key=theirs`, {});
    expect(said().path).toBe('/v1/models/g:generateContent?alt=sse');
    expect(JSON.stringify(said().headers)).not.toContain('theirs');
  });
});
