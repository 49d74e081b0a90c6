import { GoogleGenAI } from '@google/genai';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { type Answer, json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;
let openai: OpenAI;
let google: GoogleGenAI;

beforeAll(async () => {
  upstream = await startUpstream();
  const here = keyed(`${upstream.url}/v1`, 'sk-ours');
  gateway = await startGatewayHere({
    providers: {
      openai: here,
      cohere: keyed(`${upstream.url}/compatibility/v1`, 'co-ours'),
      gemini: keyed(upstream.url, 'AIza-ours'),
      elevenlabs: keyed(upstream.url, 'xi-ours'),
      replicate: keyed(upstream.url, 'r8-ours'),
      vllm: { keys: [{ name: 'v', value: '', models: ['*'], vllm_key_config: { url: `${upstream.url}/v1` } }] },
    },
  });
  google = new GoogleGenAI({ apiKey: 'theirs', httpOptions: { baseUrl: `${gateway.url}/genai` } });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

beforeEach(() => {
  openai = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'theirs', maxRetries: 0 });
});

const said = () => {
  const request = upstream.requests.at(-1);
  if (!request) throw new Error('nothing was asked');
  return { ...request, json: () => JSON.parse(request.body.toString()) as unknown };
};

const bytes =
  (contentType: string, ...pieces: readonly Buffer[]): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': contentType });
    for (const piece of pieces) response.write(piece);
    response.end();
  };

const SOUND = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 37) % 256));

/** What the log says of the newest call of a model. */
const logged = async (model: string) => {
  const page = await eventually(
    async () =>
      (await (await fetch(`${gateway.url}/api/logs?models=${encodeURIComponent(model)}`)).json()) as {
        logs: Record<string, unknown>[];
      },
    ({ logs }) => logs.length > 0,
  );
  return page.logs[0];
};

describe('embeddings', () => {
  const vector = [0.5, -0.25, 1];
  const base64 = Buffer.from(new Float32Array(vector).buffer).toString('base64');
  const openAiAnswer = (embedding: unknown) => ({
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding }],
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });

  test('OpenAI’s SDK asks for base64 and reads numbers; the call is logged with its tokens and its price', async () => {
    upstream.answers(json(openAiAnswer(base64)));
    const { data } = await openai.embeddings.create({ model: 'openai/text-embedding-3-small', input: 'hi' });
    expect(data[0]?.embedding).toEqual(vector);
    expect(said().json()).toEqual({ model: 'text-embedding-3-small', input: 'hi', encoding_format: 'base64' });
    const row = await logged('text-embedding-3-small');
    expect(row).toMatchObject({
      object: 'embedding',
      provider: 'openai',
      status: 'success',
      token_usage: { prompt_tokens: 7, completion_tokens: 0 },
    });
    expect(row?.cost).toBeGreaterThan(0);
  });

  test('OpenAI’s SDK is answered by Gemini', async () => {
    upstream.answers(json({ embeddings: [{ values: vector }, { values: [1, 2, 3] }] }));
    const { data, model } = await openai.embeddings.create({
      model: 'gemini/gemini-embedding-2',
      input: ['one', 'two'],
      dimensions: 3,
    });
    expect(data.map(({ embedding }) => embedding)).toEqual([vector, [1, 2, 3]]);
    expect(model).toBe('gemini/gemini-embedding-2');
    expect(said().path).toBe('/v1beta/models/gemini-embedding-2:batchEmbedContents');
    expect(said().headers['x-goog-api-key']).toBe('AIza-ours');
    expect(said().json()).toEqual({
      requests: ['one', 'two'].map((text) => ({
        model: 'models/gemini-embedding-2',
        content: { parts: [{ text }] },
        outputDimensionality: 3,
      })),
    });
  });

  test('OpenAI’s SDK is answered by Cohere, at its own path', async () => {
    upstream.answers(json({ embeddings: { float: [vector] }, meta: { billed_units: { input_tokens: 3 } } }));
    const { data, usage } = await openai.embeddings.create({ model: 'cohere/embed-v4.0', input: 'hi' });
    expect(data[0]?.embedding).toEqual(vector);
    expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    expect(said().path).toBe('/v2/embed');
    expect(said().headers.authorization).toBe('Bearer co-ours');
    expect(said().json()).toEqual({
      model: 'embed-v4.0',
      texts: ['hi'],
      input_type: 'search_document',
      embedding_types: ['float'],
    });
  });

  test('Google’s SDK is answered by Gemini, under the name that Google knows', async () => {
    upstream.answers(json({ embeddings: [{ values: vector }] }));
    const told = await google.models.embedContent({
      model: 'gemini/gemini-embedding-2',
      contents: 'hi',
      config: { taskType: 'RETRIEVAL_QUERY' },
    });
    expect(told.embeddings?.[0]?.values).toEqual(vector);
    expect(said().path).toBe('/v1beta/models/gemini-embedding-2:batchEmbedContents');
    expect(said().json()).toMatchObject({
      requests: [{ model: 'models/gemini-embedding-2', taskType: 'RETRIEVAL_QUERY' }],
    });
  });

  test('Google’s SDK is answered by OpenAI', async () => {
    upstream.answers(json(openAiAnswer(vector)));
    const told = await google.models.embedContent({
      model: 'openai/text-embedding-3-small',
      contents: 'hi',
      config: { outputDimensionality: 3 },
    });
    expect(told.embeddings?.[0]?.values).toEqual(vector);
    expect(said().path).toBe('/v1/embeddings');
    expect(said().json()).toEqual({
      model: 'text-embedding-3-small',
      input: 'hi',
      encoding_format: 'float',
      dimensions: 3,
    });
  });

  test('an unknown field travels on, and a number keeps its digits', async () => {
    upstream.answers(json(openAiAnswer(vector)));
    await fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      body: '{"input" : "x","truncate":"END", "scale":1.0,"model":"openai/e", "fallbacks":[]}',
    });
    expect(said().body.toString()).toBe('{"input" : "x","truncate":"END","scale":1.0,"model":"e"}');
  });
});

describe('legacy completions', () => {
  const chunk = (text: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'text_completion', choices: [{ text, index: 0, finish_reason: finish }] })}\n\n`;
  const usage = `data: ${JSON.stringify({ id: 'c', choices: [], usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 } })}\n\n`;

  test('stream, and are logged with their tokens', async () => {
    upstream.answers(sse([chunk('one '), chunk('two', 'stop'), usage, 'data: [DONE]\n\n']));
    const stream = await openai.completions.create({ model: 'openai/babbage-002', prompt: 'count', stream: true });
    const texts: string[] = [];
    for await (const { choices } of stream) texts.push(choices[0]?.text ?? '');
    expect(texts.join('')).toBe('one two');
    expect(said().json()).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(await logged('babbage-002')).toMatchObject({
      object: 'text_completion_stream',
      token_usage: { prompt_tokens: 4, completion_tokens: 2 },
    });
  });

  test('a stream that breaks off ends in an error', async () => {
    upstream.answers(sse([chunk('one ')]));
    const stream = await openai.completions.create({ model: 'openai/babbage-002', prompt: 'count', stream: true });
    const read = async () => {
      for await (const _chunk of stream);
    };
    await expect(read()).rejects.toThrow(/ended before it was complete/);
  });

  test('take a list of prompts', async () => {
    upstream.answers(
      json({
        id: 'c',
        choices: [
          { text: 'a', index: 0 },
          { text: 'b', index: 1 },
        ],
      }),
    );
    const told = await openai.completions.create({ model: 'openai/babbage-002', prompt: ['a', 'b'] });
    expect(told.choices).toHaveLength(2);
    expect(said().json()).toMatchObject({ prompt: ['a', 'b'] });
  });
});

describe('images', () => {
  test('are drawn by OpenAI', async () => {
    upstream.answers(json({ created: 1, data: [{ b64_json: 'aGk=' }], usage: { input_tokens: 5, output_tokens: 9 } }));
    const told = await openai.images.generate({ model: 'openai/gpt-image-1', prompt: 'a cat', size: '1024x1024' });
    expect(told.data?.[0]?.b64_json).toBe('aGk=');
    expect(said()).toMatchObject({ method: 'POST', path: '/v1/images/generations' });
    expect(await logged('gpt-image-1')).toMatchObject({
      object: 'image_generation',
      token_usage: { prompt_tokens: 5 },
    });
  });

  test('stream as they come', async () => {
    const event = (type: string) => `event: ${type}\ndata: ${JSON.stringify({ type, b64_json: 'aGk=' })}\n\n`;
    upstream.answers(sse([event('image_generation.partial_image'), event('image_generation.completed')]));
    const stream = await openai.images.generate({ model: 'openai/gpt-image-1', prompt: 'a cat', stream: true });
    const types: string[] = [];
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
  });

  test('are edited: a form keeps every byte of its pictures', async () => {
    upstream.answers(json({ created: 1, data: [{ b64_json: 'aGk=' }] }));
    const image = [
      await toFile(SOUND, 'a.png', { type: 'image/png' }),
      await toFile(SOUND, 'b.png', { type: 'image/png' }),
    ];
    await openai.images.edit({ model: 'openai/gpt-image-1', image, prompt: 'wörds' });
    const { body, headers } = said();
    expect(said().path).toBe('/v1/images/edits');
    const form = await new Response(new Uint8Array(body), {
      headers: { 'content-type': headers['content-type'] ?? '' },
    }).formData();
    expect(form.get('model')).toBe('gpt-image-1');
    expect(form.get('prompt')).toBe('wörds');
    const files = form.getAll('image[]').filter((entry) => entry instanceof File);
    expect(files.map(({ name }) => name)).toEqual(['a.png', 'b.png']);
    for (const file of files) expect(Buffer.from(await file.arrayBuffer())).toEqual(SOUND);
  });

  test('are drawn by Gemini', async () => {
    upstream.answers(
      json({
        candidates: [
          { content: { parts: [{ text: 'here' }, { inlineData: { mimeType: 'image/png', data: 'aGk=' } }] } },
        ],
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 1290 },
      }),
    );
    const told = await openai.images.generate({
      model: 'gemini/gemini-2.5-flash-image',
      prompt: 'a cat',
      size: '1536x1024',
    });
    expect(told.data).toEqual([{ b64_json: 'aGk=' }]);
    expect(told.created).toBeGreaterThan(1_700_000_000);
    expect(said().path).toBe('/v1beta/models/gemini-2.5-flash-image:generateContent');
    expect(said().json()).toMatchObject({
      contents: [{ parts: [{ text: 'a cat' }] }],
      generationConfig: { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { aspectRatio: '4:3' } },
    });
  });

  test('are drawn by Imagen', async () => {
    upstream.answers(json({ predictions: [{ bytesBase64Encoded: 'aGk=' }, { bytesBase64Encoded: 'aG8=' }] }));
    const told = await openai.images.generate({ model: 'gemini/imagen-4.0-generate-001', prompt: 'a cat', n: 2 });
    expect(told.data).toHaveLength(2);
    expect(said().path).toBe('/v1beta/models/imagen-4.0-generate-001:predict');
    expect(said().json()).toEqual({ instances: [{ prompt: 'a cat' }], parameters: { sampleCount: 2 } });
  });

  test('are drawn by Replicate, which is asked to wait', async () => {
    upstream.answers(json({ status: 'succeeded', output: ['https://r.example/a.png'] }, { status: 201 }));
    const told = await openai.images.generate({ model: 'replicate/black-forest-labs/flux-schnell', prompt: 'a cat' });
    expect(told.data).toEqual([{ url: 'https://r.example/a.png' }]);
    expect(said().path).toBe('/v1/models/black-forest-labs/flux-schnell/predictions');
    expect(said().headers).toMatchObject({ prefer: 'wait=60', authorization: 'Bearer r8-ours' });
    expect(said().json()).toEqual({ input: { prompt: 'a cat' } });
  });
});

describe('speech', () => {
  test('is passed on as the bytes it is, while it comes', async () => {
    upstream.answers(bytes('audio/mpeg', SOUND.subarray(0, 1_000), SOUND.subarray(1_000)));
    const told = await openai.audio.speech.create({ model: 'openai/gpt-4o-mini-tts', voice: 'alloy', input: 'hi' });
    expect(told.headers.get('content-type')).toBe('audio/mpeg');
    expect(Buffer.from(await told.arrayBuffer())).toEqual(SOUND);
    expect(await logged('gpt-4o-mini-tts')).toMatchObject({ object: 'speech', status: 'success' });
  });

  test('streams as events where that is asked for', async () => {
    const events = ['speech.audio.delta', 'speech.audio.done'].map((type) => `data: ${JSON.stringify({ type })}\n\n`);
    upstream.answers(sse(events));
    const told = await openai.audio.speech.create({
      model: 'openai/gpt-4o-mini-tts',
      voice: 'alloy',
      input: 'hi',
      stream_format: 'sse',
    });
    expect(told.headers.get('content-type')).toContain('text/event-stream');
    expect(await told.text()).toBe(events.join(''));
  });

  test('comes before it is whole', async () => {
    let goOn: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    upstream.answers(async (response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.write(SOUND.subarray(0, 10));
      await heard;
      response.end(SOUND.subarray(10));
    });
    const told = await openai.audio.speech.create({ model: 'openai/tts-1', voice: 'alloy', input: 'hi' });
    const reader = told.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBe(10);
    goOn();
    while (!(await reader?.read())?.done);
  });

  test('is spoken by ElevenLabs', async () => {
    upstream.answers(bytes('audio/mpeg', SOUND));
    const told = await openai.audio.speech.create({
      model: 'elevenlabs/eleven_turbo_v2_5',
      voice: 'JBFqnCBsd6RMkjVDRZzb',
      input: 'hi',
      response_format: 'opus',
      speed: 1.1,
    });
    expect(Buffer.from(await told.arrayBuffer())).toEqual(SOUND);
    expect(said().path).toBe('/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream?output_format=opus_48000_128');
    expect(said().headers['xi-api-key']).toBe('xi-ours');
    expect(said().headers.authorization).toBeUndefined();
    expect(said().json()).toEqual({ text: 'hi', model_id: 'eleven_turbo_v2_5', voice_settings: { speed: 1.1 } });
  });

  test('is spoken by Gemini, as a WAV file', async () => {
    const data = SOUND.toString('base64');
    const inlineData = { mimeType: 'audio/L16;codec=pcm;rate=24000', data };
    upstream.answers(json({ candidates: [{ content: { parts: [{ inlineData }] } }] }));
    const told = await openai.audio.speech.create({
      model: 'gemini/gemini-2.5-flash-preview-tts',
      voice: 'Kore',
      input: 'hi',
      response_format: 'wav',
    });
    const file = Buffer.from(await told.arrayBuffer());
    expect(file.toString('latin1', 0, 4)).toBe('RIFF');
    expect(file.readUInt32LE(24)).toBe(24_000);
    expect(file.subarray(44)).toEqual(SOUND);
  });
});

describe('transcriptions', () => {
  const sound = () => toFile(SOUND, 'said.mp3', { type: 'audio/mpeg' });

  test('go to OpenAI as the form they came in', async () => {
    upstream.answers(json({ text: 'hello' }));
    const told = await openai.audio.transcriptions.create({
      model: 'openai/gpt-4o-transcribe',
      file: await sound(),
      language: 'en',
    });
    expect(told.text).toBe('hello');
    const { body } = said();
    expect(body.includes(SOUND)).toBe(true);
    expect(body.toString('latin1')).toMatch(/name="model"\r\n\r\ngpt-4o-transcribe\r\n/);
    expect(await logged('gpt-4o-transcribe')).toMatchObject({ object: 'transcription' });
  });

  test('come as text where that is asked for', async () => {
    upstream.answers(bytes('text/plain', Buffer.from('hello\n')));
    const told = await openai.audio.translations.create({
      model: 'openai/whisper-1',
      file: await sound(),
      response_format: 'text',
    });
    expect(told).toBe('hello\n');
    expect(said().path).toBe('/v1/audio/translations');
  });

  test('stream', async () => {
    const events = [
      { type: 'transcript.text.delta', delta: 'hel' },
      { type: 'transcript.text.done', text: 'hello' },
    ];
    upstream.answers(sse(events.map((event) => `data: ${JSON.stringify(event)}\n\n`)));
    const stream = await openai.audio.transcriptions.create({
      model: 'openai/gpt-4o-transcribe',
      file: await sound(),
      stream: true,
    });
    const types: string[] = [];
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual(events.map(({ type }) => type));
  });

  test('are made by ElevenLabs', async () => {
    upstream.answers(
      json({ language_code: 'en', text: 'hello', words: [{ text: 'hello', start: 0, end: 1, type: 'word' }] }),
    );
    const told = await openai.audio.transcriptions.create({
      model: 'elevenlabs/scribe_v1',
      file: await sound(),
      response_format: 'verbose_json',
    });
    expect(told).toMatchObject({ text: 'hello', language: 'en', words: [{ word: 'hello', start: 0, end: 1 }] });
    expect(said().path).toBe('/v1/speech-to-text');
    expect(said().body.toString('latin1')).toMatch(/name="model_id"\r\n\r\nscribe_v1\r\n/);
    expect(said().body.includes(SOUND)).toBe(true);
  });

  test('are made by Gemini', async () => {
    upstream.answers(json({ candidates: [{ content: { parts: [{ text: 'hello\n' }] } }] }));
    const told = await openai.audio.transcriptions.create({ model: 'gemini/gemini-2.5-flash', file: await sound() });
    expect(told.text).toBe('hello');
    expect(said().json()).toMatchObject({
      contents: [{ parts: [{}, { inlineData: { mimeType: 'audio/mpeg', data: SOUND.toString('base64') } }] }],
    });
  });
});

describe('reranking', () => {
  const asked = { query: 'q', documents: ['a', { text: 'b' }], top_n: 1, return_documents: true };
  const rerank = async (path: string, body: object) =>
    (await openai.post(path, { body })) as { results: unknown[]; id?: string };

  test('by Cohere, with the documents where they are asked for', async () => {
    upstream.answers(
      json({ id: 'r', results: [{ index: 1, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } }),
    );
    const told = await rerank('/rerank', { model: 'cohere/rerank-v3.5', ...asked });
    expect(told.results).toEqual([{ index: 1, relevance_score: 0.9, document: { text: 'b' } }]);
    expect(said().path).toBe('/v2/rerank');
    expect(said().json()).toEqual({ model: 'rerank-v3.5', query: 'q', documents: ['a', 'b'], top_n: 1 });
  });

  test('by vLLM, whose form it is', async () => {
    upstream.answers(json({ id: 'r', results: [{ index: 0, relevance_score: 0.1, document: { text: 'a' } }] }));
    const told = await rerank('/rerank', { model: 'vllm/bge', ...asked });
    expect(told.results).toHaveLength(1);
    expect(said().path).toBe('/v1/rerank');
    expect(said().json()).toEqual({ model: 'bge', ...asked });
  });

  test('Cohere’s own route keeps Cohere’s own body, at Cohere', async () => {
    const body = { results: [{ index: 0, relevance_score: 0.4 }], meta: { future: [1] } };
    upstream.answers(json(body));
    const answer = await fetch(`${gateway.url}/cohere/v2/rerank`, {
      method: 'POST',
      body: JSON.stringify({ model: 'cohere/rerank-v3.5', query: 'q', documents: ['a'], future: true }),
    });
    expect(await answer.json()).toEqual(body);
    expect(said().json()).toMatchObject({ model: 'rerank-v3.5', future: true });
  });
});

describe('models', () => {
  const listings: readonly Answer[] = [
    json({
      data: [
        { id: 'gpt-4o', created: 5 },
        { id: 'gpt-5', created: 6 },
      ],
    }),
  ];

  test('are listed in pages under provider/model, and found one by one', async () => {
    const alone = await startUpstream(...listings);
    const other = await startGatewayHere({ providers: { openai: keyed(`${alone.url}/v1`) } });
    try {
      const client = new OpenAI({ baseURL: `${other.url}/v1`, apiKey: 'x', maxRetries: 0 });
      const ids: string[] = [];
      for await (const { id } of client.models.list()) ids.push(id);
      expect(ids).toEqual(['openai/gpt-4o', 'openai/gpt-5']);
      const first = await (await fetch(`${other.url}/v1/models?page_size=1`)).json();
      expect(first).toMatchObject({ data: [{ id: 'openai/gpt-4o' }], next_page_token: '1' });
      const second = await (await fetch(`${other.url}/v1/models?page_size=1&page_token=1`)).json();
      expect(second).toMatchObject({ data: [{ id: 'openai/gpt-5' }] });
      expect(second).not.toHaveProperty('next_page_token');
      expect(await client.models.retrieve('openai/gpt-5')).toMatchObject({ id: 'openai/gpt-5', owned_by: 'openai' });
      expect(await client.models.retrieve('gpt-5')).toMatchObject({ id: 'openai/gpt-5' });
      await expect(client.models.retrieve('openai/none')).rejects.toMatchObject({ status: 404 });
      const genai = new GoogleGenAI({ apiKey: 'x', httpOptions: { baseUrl: `${other.url}/genai` } });
      const names: (string | undefined)[] = [];
      for await (const { name } of await genai.models.list({ config: { pageSize: 1 } })) names.push(name);
      expect(names).toEqual(['models/openai/gpt-4o', 'models/openai/gpt-5']);
    } finally {
      await other.stop();
      await alone.close();
    }
  });
});
