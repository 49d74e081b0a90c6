import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { hangUp, json, silence, sse, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let other: Upstream;
let gateway: Gateway;

const key = (name: string) => ({ name, value: `sk-${name}`, models: ['*'], weight: 1 });

beforeAll(async () => {
  upstream = await startUpstream();
  other = await startUpstream();
  gateway = await startGatewayHere({
    client: { max_request_body_size_mb: 30 },
    providers: {
      openai: {
        keys: [key('one'), key('two')],
        network_config: { base_url: `${upstream.url}/v1`, max_retries: 2, retry_backoff_initial: '1ms' },
      },
      mistral: keyed(`${other.url}/v1`, 'sk-mistral'),
      anthropic: keyed(other.url),
      cohere: keyed(`${other.url}/compatibility/v1`),
      elevenlabs: keyed(other.url),
      groq: keyed(`${other.url}/openai/v1`),
      narrow: {
        keys: [key('narrow')],
        network_config: { base_url: `${other.url}/v1` },
        custom_provider_config: { base_provider_type: 'openai', allowed_requests: { embedding: true } },
      },
      elsewhere: {
        keys: [key('elsewhere')],
        network_config: { base_url: `${other.url}/v1` },
        custom_provider_config: { base_provider_type: 'openai', request_path_overrides: { embedding: '/api/embed' } },
      },
      mock: {},
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
  await other.close();
});

const vectors = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1] }], model: 'e' };
const embed = (body: object, headers: Record<string, string> = {}) =>
  post(`${gateway.url}/v1/embeddings`, { model: 'openai/e', input: 'x', ...body }, headers);
const keysUsed = (from: number) => upstream.requests.slice(from).map(({ headers }) => headers.authorization);

describe('keys, retries and fallbacks are those of chats', () => {
  test('a rate limit moves to the other key', async () => {
    const before = upstream.requests.length;
    upstream.answers(json({ error: { message: 'slow down' } }, { status: 429 }), json(vectors));
    expect((await embed({})).status).toBe(200);
    const used = keysUsed(before);
    expect(new Set(used).size).toBe(2);
  });

  test('trouble upstream is tried again, a dead connection too', async () => {
    upstream.answers(json('<html>', { status: 502 }), hangUp, json(vectors));
    expect((await embed({})).status).toBe(200);
  });

  test('B18 E10 a fallback starts from the request as it came, without what is for the gateway only', async () => {
    upstream.answers(json({ error: { message: 'no such model' } }, { status: 404 }));
    other.answers(json(vectors));
    const answer = await embed({ fallbacks: ['mistral/mistral-embed'], encoding_format: 'float' });
    expect(answer.headers.get('x-bifrost-provider')).toBe('mistral');
    expect(answer.headers.get('x-bifrost-fallback-index')).toBe('1');
    expect(JSON.parse(other.requests.at(-1)?.body.toString() ?? '')).toEqual({
      model: 'mistral-embed',
      input: 'x',
      encoding_format: 'float',
    });
  });

  test('a form falls back as well, under the other name', async () => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array([1, 2, 3])], { type: 'audio/mpeg' }), 'a.mp3');
    form.append('model', 'openai/whisper-1');
    form.append('fallbacks', '["mistral/voxtral-mini"]');
    upstream.answers(json({ error: { message: 'gone' } }, { status: 404 }));
    other.answers(json({ text: 'hi' }));
    const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    expect(await answer.json()).toEqual({ text: 'hi' });
    const sent = other.requests.at(-1)?.body.toString() ?? '';
    expect(sent).toContain('voxtral-mini');
    expect(sent).not.toContain('fallbacks');
  });

  test('a provider that cannot do it is passed over for one that can', async () => {
    other.answers(json(vectors));
    const answer = await embed({ model: 'anthropic/claude-x', fallbacks: ['mistral/mistral-embed'] });
    expect(answer.status).toBe(200);
  });

  test('C7 an error in place of the first event is answered by the fallback', async () => {
    upstream.answers(
      ...[1, 2, 3].map(() => sse(['data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'])),
    );
    const body = { model: 'openai/babbage', prompt: 'x', stream: true, fallbacks: ['groq/x'] };
    const answer = await post(`${gateway.url}/v1/completions`, body);
    // groq has no legacy completions, so the first error is the one that is told
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(await answer.text()).toContain('overloaded');
  });

  test('every attempt stands in the log', async () => {
    upstream.answers(json({ error: { message: 'slow down' } }, { status: 429 }), json(vectors));
    await embed({ model: 'openai/e-logged' });
    const page = await eventually(
      async () =>
        (await (await fetch(`${gateway.url}/api/logs?models=e-logged`)).json()) as { logs: Record<string, unknown>[] },
      ({ logs }) => logs.length > 0,
    );
    expect(page.logs[0]).toMatchObject({ object: 'embedding', number_of_retries: 1, status: 'success' });
    expect(page.logs[0]?.attempt_trail).toHaveLength(2);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toMatch(/bifrost_success_requests_total\{[^}]*model="e-logged",method="embedding"/);
  });
});

describe('what a provider cannot do is refused with the names of both', () => {
  const multipart = () => {
    const form = new FormData();
    form.append('file', new Blob(['x'], { type: 'audio/mpeg' }), 'a.mp3');
    form.append('image', new Blob(['x'], { type: 'image/png' }), 'a.png');
    return form;
  };

  test.each([
    ['/v1/embeddings', 'anthropic/claude', 'embedding'],
    ['/v1/embeddings', 'groq/llama', 'embedding'],
    ['/v1/embeddings', 'elevenlabs/x', 'embedding'],
    ['/v1/embeddings', 'mock/echo', 'embedding'],
    ['/v1/completions', 'anthropic/claude', 'text_completion'],
    ['/v1/completions', 'mistral/x', 'text_completion'],
    ['/v1/images/generations', 'cohere/x', 'image_generation'],
    ['/v1/images/generations', 'anthropic/claude', 'image_generation'],
    ['/v1/audio/speech', 'mistral/x', 'speech'],
    ['/v1/rerank', 'openai/gpt-4o', 'rerank'],
    ['/openai/v1/rerank', 'anthropic/claude', 'rerank'],
    ['/openai/embeddings', 'anthropic/claude', 'embedding'],
    ['/cohere/v2/embed', 'anthropic/claude', 'embedding'],
  ])('%s at %s', async (path, model, operation) => {
    const answer = await post(`${gateway.url}${path}`, {
      model,
      input: 'x',
      prompt: 'x',
      query: 'x',
      documents: ['x'],
    });
    expect(answer.status).toBe(400);
    const provider = model.split('/')[0];
    expect(await answer.json()).toMatchObject({
      error: { message: expect.stringContaining(`${operation} is not supported by ${provider} provider`) },
    });
  });

  test.each([
    ['/v1/images/edits', 'image_edit'],
    ['/v1/images/variations', 'image_variation'],
    ['/v1/audio/transcriptions', 'transcription'],
    ['/v1/audio/translations', 'translation'],
  ])('the form of %s', async (path, operation) => {
    const form = multipart();
    form.append('model', 'anthropic/claude');
    const answer = await fetch(`${gateway.url}${path}`, { method: 'POST', body: form });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(`${operation} is not supported by anthropic provider`);
  });

  test('in Google’s words on Google’s route', async () => {
    const answer = await post(`${gateway.url}/genai/v1beta/models/anthropic/claude:embedContent`, {
      content: { parts: [{ text: 'x' }] },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { code: 400, message: expect.stringContaining('embedding is not supported by anthropic provider') },
    });
  });

  test('what allowed_requests leaves out', async () => {
    other.answers(json(vectors));
    expect((await embed({ model: 'narrow/e' })).status).toBe(200);
    const answer = await post(`${gateway.url}/v1/completions`, { model: 'narrow/e', prompt: 'x' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('text_completion is not supported by');
  });

  test('an operation that lives at another path is asked for there', async () => {
    other.answers(json(vectors));
    expect((await embed({ model: 'elsewhere/e' })).status).toBe(200);
    expect(other.requests.at(-1)?.path).toBe('/api/embed');
  });

  test('a chat with a provider that has none', async () => {
    const body = { model: 'elevenlabs/eleven_v3', messages: [{ role: 'user', content: 'hi' }] };
    const answer = await post(`${gateway.url}/v1/chat/completions`, body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/chat_completion is not supported by .*elevenlabs/);
  });
});

describe('requests that are wrong', () => {
  test.each([
    ['no model', '/v1/embeddings', { input: 'x' }, /model is required/],
    ['no input for Cohere', '/v1/embeddings', { model: 'cohere/e' }, /input is required/],
    ['token ids for Cohere', '/v1/embeddings', { model: 'cohere/e', input: [1, 2] }, /must be text/],
    ['no documents', '/v1/rerank', { model: 'cohere/r', query: 'q' }, /documents is required/],
    ['no voice', '/v1/audio/speech', { model: 'elevenlabs/e', input: 'x' }, /voice is required/],
  ])('%s', async (_what, path, body, message) => {
    const answer = await post(`${gateway.url}${path}`, body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(message);
  });

  test('sound of more than 25 MB is too large, whatever the gateway takes otherwise', async () => {
    const form = new FormData();
    form.append('model', 'openai/whisper-1');
    form.append('file', new Blob([new Uint8Array(26 * 1024 * 1024)]), 'long.wav');
    const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    expect(answer.status).toBe(413);
  });

  test('a form that is none is refused', async () => {
    const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\nnothing',
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('is not a valid form');
  });
});

describe('C17 a client that leaves ends the request upstream', () => {
  test('before the answer', async () => {
    upstream.answers(silence);
    const before = upstream.requests.length;
    const abort = new AbortController();
    const asked = post(`${gateway.url}/v1/embeddings`, { model: 'openai/e', input: 'x' }, {}, abort.signal);
    await eventually(
      async () => upstream.requests.length,
      (count) => count > before,
    );
    abort.abort();
    await expect(asked).rejects.toThrow();
    expect(await upstream.requests.at(-1)?.closed).toBe('cut');
  });

  test('in the middle of sound', async () => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.write('beginning');
    });
    const abort = new AbortController();
    const body = { model: 'openai/tts-1', voice: 'alloy', input: 'x' };
    const answer = await post(`${gateway.url}/v1/audio/speech`, body, {}, abort.signal);
    await answer.body?.getReader().read();
    abort.abort();
    expect(await upstream.requests.at(-1)?.closed).toBe('cut');
  });
});
