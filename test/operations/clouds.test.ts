import { GoogleGenAI } from '@google/genai';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { greysOf, pngOf } from '../support/png.ts';
import { serviceAccount } from '../support/service-account.ts';
import { type Answer, json, startUpstream, type Upstream } from '../support/upstream.ts';
import { logRow } from './log-row.ts';

/** The left pixel of two is to be changed. */
const halfTransparent = pngOf([[9, 9, 9, 0, 9, 9, 9, 255]], { width: 2, height: 1, bitDepth: 8, colorType: 6 });

let upstream: Upstream;
let gateway: Gateway;
let openai: OpenAI;
let google: GoogleGenAI;

beforeAll(async () => {
  upstream = await startUpstream(json({ access_token: 'ya29.one', expires_in: 3_599, token_type: 'Bearer' }));
  const vertexKey = {
    project_id: 'proj-1',
    region: 'us-east5',
    auth_credentials: serviceAccount(`${upstream.url}/token`),
  };
  const awsKey = { access_key: 'AKIDEXAMPLE', secret_key: 'aws-secret', region: 'eu-west-1' };
  const network_config = { base_url: upstream.url };
  gateway = await startGatewayHere({
    providers: {
      vertex: { keys: [{ name: 'v', value: '', models: ['*'], vertex_key_config: vertexKey }], network_config },
      bedrock: { keys: [{ name: 'b', value: '', models: ['*'], bedrock_key_config: awsKey }], network_config },
      corp: {
        keys: [{ name: 'c', value: '', models: ['*'], bedrock_key_config: awsKey }],
        network_config,
        custom_provider_config: { base_provider_type: 'bedrock' },
      },
      studio: { ...keyed(upstream.url, 'r8-ours'), custom_provider_config: { base_provider_type: 'replicate' } },
      huggingface: keyed(`${upstream.url}/v1`, 'hf_ours'),
      gemini: keyed(upstream.url, 'AIza-ours'),
      cohere: keyed(upstream.url, 'co-ours'),
      elevenlabs: keyed(upstream.url, 'xi-ours'),
    },
  });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'theirs', maxRetries: 0 });
  google = new GoogleGenAI({ apiKey: 'theirs', httpOptions: { baseUrl: `${gateway.url}/genai` } });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const said = (back = 1) => {
  const request = upstream.requests.at(-back);
  if (!request) throw new Error('nothing was asked');
  return { ...request, json: () => JSON.parse(request.body.toString()) as Record<string, unknown> };
};

const embedded = async (model: string, input: string | string[], more: object = {}) => {
  const { data, usage } = await openai.embeddings.create({ model, input, ...more });
  return { vectors: data.map(({ embedding }) => embedding), usage };
};

const VERTEX = '/v1beta1/projects/proj-1/locations/us-east5/publishers/google/models';

describe('Vertex', () => {
  const prediction = (values: number[], token_count: number) => ({
    embeddings: { values, statistics: { token_count, truncated: false } },
  });

  test('predicts the vectors of several texts at once, in the project of the key and under its token', async () => {
    upstream.answers(json({ predictions: [prediction([1, 0], 3), prediction([0, 1], 4)] }));
    const told = await embedded('vertex/text-embedding-005', ['one', 'two'], {
      dimensions: 2,
      task_type: 'search_query',
    });
    expect(told).toEqual({
      vectors: [
        [1, 0],
        [0, 1],
      ],
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
    expect(said().path).toBe(`${VERTEX}/text-embedding-005:predict`);
    expect(said().headers.authorization).toBe('Bearer ya29.one');
    expect(JSON.stringify(said().headers)).not.toContain('theirs');
    expect(said().json()).toEqual({
      instances: ['one', 'two'].map((content) => ({ content, task_type: 'RETRIEVAL_QUERY' })),
      parameters: { outputDimensionality: 2 },
    });
  });

  test('is asked for each text of gemini-embedding-001 alone, and the vectors keep their order', async () => {
    const byText: Answer = (response, request) => {
      const [{ content }] = JSON.parse(request.body.toString()).instances;
      return json({ predictions: [prediction([Number(content)], 1)] })(response, request);
    };
    const texts = Array.from({ length: 20 }, (_, index) => String(index));
    upstream.answers(...texts.map(() => byText));
    const { vectors, usage } = await embedded('vertex/gemini-embedding-001', texts);
    expect(vectors).toEqual(texts.map((text) => [Number(text)]));
    expect(usage.prompt_tokens).toBe(20);
    expect(said().path).toBe(`${VERTEX}/gemini-embedding-001:predict`);
  });

  test('a refusal of one of several requests is the answer to all', async () => {
    upstream.answers(
      json({ predictions: [prediction([1], 1)] }),
      json({ error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED' } }, { status: 429 }),
    );
    await expect(embedded('vertex/gemini-embedding-001', ['a', 'b'])).rejects.toMatchObject({
      status: 429,
      message: expect.stringContaining('Quota exceeded'),
    });
  });

  test('embeds contents with the later models, whose settings stand apart', async () => {
    upstream.answers(json({ embedding: { values: [0.5] }, usageMetadata: { promptTokenCount: 2 } }));
    const told = await embedded('vertex/gemini-embedding-2', 'hi', { dimensions: 1 });
    expect(told).toEqual({ vectors: [[0.5]], usage: { prompt_tokens: 2, total_tokens: 2 } });
    expect(said().path).toBe(`${VERTEX}/gemini-embedding-2:embedContent`);
    expect(said().json()).toEqual({
      content: { parts: [{ text: 'hi' }] },
      embedContentConfig: { outputDimensionality: 1 },
    });
  });

  test('answers Google’s SDK, which asks in batches', async () => {
    upstream.answers(json({ predictions: [prediction([1], 3), prediction([2], 4)] }));
    const told = await google.models.embedContent({
      model: 'vertex/text-multilingual-embedding-002',
      contents: ['one', 'two'],
      config: { taskType: 'CLUSTERING', outputDimensionality: 1 },
    });
    expect(told.embeddings?.map(({ values }) => values)).toEqual([[1], [2]]);
    expect(said().json()).toMatchObject({ instances: [{ content: 'one', task_type: 'CLUSTERING' }, {}] });
  });

  test('embedContent at /genai is one content and one vector', async () => {
    upstream.answers(json({ embedding: { values: [7] } }));
    const url = `${gateway.url}/genai/v1beta/models/vertex/gemini-embedding-2:embedContent`;
    const answer = await post(url, {
      content: { parts: [{ text: 'hi' }] },
      taskType: 'RETRIEVAL_DOCUMENT',
      title: 't',
    });
    expect(await answer.json()).toEqual({ embedding: { values: [7] } });
    expect(said().json()).toEqual({
      content: { parts: [{ text: 'hi' }] },
      embedContentConfig: { taskType: 'RETRIEVAL_DOCUMENT', title: 't' },
    });
  });

  test('draws with Imagen', async () => {
    upstream.answers(json({ predictions: [{ bytesBase64Encoded: 'aGk=', mimeType: 'image/png' }] }));
    const told = await openai.images.generate({
      model: 'vertex/imagen-4.0-generate-001',
      prompt: 'a cat',
      size: '1024x1792',
    });
    expect(told.data).toEqual([{ b64_json: 'aGk=' }]);
    expect(said().path).toBe(`${VERTEX}/imagen-4.0-generate-001:predict`);
    expect(said().json()).toEqual({
      instances: [{ prompt: 'a cat' }],
      parameters: { sampleCount: 1, aspectRatio: '9:16' },
    });
  });

  test('draws and edits with Gemini', async () => {
    const answer = json({
      candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }] } }],
    });
    upstream.answers(answer, answer);
    const model = 'vertex/gemini-2.5-flash-image';
    expect((await openai.images.generate({ model, prompt: 'a cat' })).data).toEqual([{ b64_json: 'aGk=' }]);
    expect(said().path).toBe(`${VERTEX}/gemini-2.5-flash-image:generateContent`);
    const image = await toFile(Buffer.from('cat'), 'cat.png', { type: 'image/png' });
    expect((await openai.images.edit({ model, prompt: 'a dog', image })).data).toHaveLength(1);
    expect(said().json()).toMatchObject({
      contents: [{ parts: [{ text: 'a dog' }, { inlineData: { mimeType: 'image/png', data: 'Y2F0' } }] }],
    });
  });

  test('says what Claude there cannot do', async () => {
    await expect(embedded('vertex/claude-sonnet-4-5', 'hi')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('embedding is not supported by vertex provider'),
    });
  });
});

describe('Bedrock', () => {
  test('embeds with Titan, text by text and signed', async () => {
    upstream.answers(
      json({ embedding: [1], inputTextTokenCount: 2 }),
      json({ embedding: [2], inputTextTokenCount: 3 }),
    );
    const told = await embedded('bedrock/amazon.titan-embed-text-v2:0', ['one', 'two'], { dimensions: 256 });
    expect(told).toEqual({ vectors: [[1], [2]], usage: { prompt_tokens: 5, total_tokens: 5 } });
    expect(said().path).toBe('/model/amazon.titan-embed-text-v2%3A0/invoke');
    expect(said().headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d+\/eu-west-1\/bedrock\//);
    expect(said(2).json()).toEqual({ inputText: 'one', dimensions: 256 });
    expect(said(1).json()).toEqual({ inputText: 'two', dimensions: 256 });
  });

  test.each([
    ['amazon.titan-embed-text-v1', { inputText: 'hi' }, { embedding: [1], inputTextTokenCount: 2 }],
    [
      'amazon.titan-embed-image-v1',
      { inputText: 'hi', embeddingConfig: { outputEmbeddingLength: 256 } },
      { embedding: [1], inputTextTokenCount: 2 },
    ],
    [
      'us.cohere.embed-v4:0',
      { texts: ['hi'], input_type: 'search_document', embedding_types: ['float'], output_dimension: 256 },
      { embeddings: { float: [[1]] }, id: 'x', response_type: 'embeddings_by_type' },
    ],
    [
      'amazon.nova-2-multimodal-embeddings-v1:0',
      {
        taskType: 'SINGLE_EMBEDDING',
        singleEmbeddingParams: {
          embeddingPurpose: 'GENERIC_INDEX',
          embeddingDimension: 256,
          text: { truncationMode: 'END', value: 'hi' },
        },
      },
      { embeddings: [{ embeddingType: 'TEXT', embedding: [1] }] },
    ],
  ])('%s has a body of its own', async (model, sent, answer) => {
    upstream.answers(json(answer, { headers: { 'x-amzn-bedrock-input-token-count': '2' } }));
    const told = await embedded(`bedrock/${model}`, 'hi', { dimensions: 256 });
    expect(told).toEqual({ vectors: [[1]], usage: { prompt_tokens: 2, total_tokens: 2 } });
    expect(said().json()).toEqual(sent);
  });

  test('reranks with Cohere and Amazon', async () => {
    const answer = json({ results: [{ index: 1, relevance_score: 0.9 }] });
    upstream.answers(answer, answer);
    const asked = { query: 'q', documents: ['a', { text: 'b' }], top_n: 1 };
    const told = await openai.post('/rerank', { body: { model: 'bedrock/cohere.rerank-v3-5:0', ...asked } });
    expect(told).toMatchObject({ results: [{ index: 1, relevance_score: 0.9 }] });
    expect(said().json()).toEqual({ query: 'q', documents: ['a', 'b'], top_n: 1, api_version: 2 });
    await openai.post('/rerank', { body: { model: 'bedrock/amazon.rerank-v1:0', ...asked } });
    expect(said().json()).toEqual({ query: 'q', documents: ['a', 'b'], top_n: 1 });
  });

  test('draws with Amazon’s models and Stability’s', async () => {
    upstream.answers(json({ images: ['aGk=', 'aG8='] }), json({ images: ['aGk='], finish_reasons: [null] }));
    const canvas = await openai.images.generate({
      model: 'bedrock/amazon.nova-canvas-v1:0',
      prompt: 'a cat',
      n: 2,
      size: '1024x1024',
    });
    expect(canvas.data).toEqual([{ b64_json: 'aGk=' }, { b64_json: 'aG8=' }]);
    expect(said().json()).toEqual({
      taskType: 'TEXT_IMAGE',
      textToImageParams: { text: 'a cat' },
      imageGenerationConfig: { numberOfImages: 2, width: 1024, height: 1024 },
    });
    const model = 'bedrock/stability.stable-image-core-v1:1';
    await openai.images.generate({ model, prompt: 'a cat', size: '1536x1024' });
    expect(said().json()).toEqual({ prompt: 'a cat', aspect_ratio: '3:2', output_format: 'png' });
  });

  test('edits a part of a picture, or varies all of it', async () => {
    upstream.answers(json({ images: ['aGk='] }), json({ images: ['aGk='] }));
    const file = (text: string) => toFile(Buffer.from(text), `${text}.png`, { type: 'image/png' });
    const edit = { model: 'bedrock/amazon.titan-image-generator-v2:0', prompt: 'a dog', image: await file('cat') };
    await openai.images.edit({ ...edit, mask: await file('mask') });
    expect(said().json()).toMatchObject({
      taskType: 'INPAINTING',
      inPaintingParams: { text: 'a dog', image: 'Y2F0', maskImage: 'bWFzaw==' },
    });
    await openai.images.edit(edit);
    expect(said().json()).toMatchObject({ taskType: 'IMAGE_VARIATION', imageVariationParams: { images: ['Y2F0'] } });
  });

  test('is given the mask as Amazon reads it: black is what is changed', async () => {
    upstream.answers(json({ images: ['aGk='] }));
    const model = 'bedrock/amazon.nova-canvas-v1:0';
    const image = await toFile(Buffer.from('cat'), 'cat.png', { type: 'image/png' });
    const mask = await toFile(halfTransparent, 'mask.png', { type: 'image/png' });
    const told = await openai.images.edit({ model, prompt: 'a dog', image, mask });
    expect(told).toMatchObject({ extra_fields: { losses: [{ field: 'mask', action: 'rewritten' }] } });
    const { inPaintingParams } = said().json() as { inPaintingParams: { maskImage: string } };
    expect(greysOf(Buffer.from(inPaintingParams.maskImage, 'base64'))).toEqual([[0, 255]]);
  });

  test('edits pictures of JSON bodies', async () => {
    upstream.answers(json({ images: ['aGk='] }));
    const pictures = { images: [{ image_url: 'data:image/png;base64,Y2F0' }], mask: 'data:image/png;base64,bWFzaw==' };
    const body = { model: 'bedrock/amazon.nova-canvas-v1:0', prompt: 'a dog', ...pictures };
    const told = await post(`${gateway.url}/v1/images/edits`, body);
    expect(await told.json()).toMatchObject({ extra_fields: { losses: [{ field: 'mask', action: 'rewritten' }] } });
    expect(said().json()).toMatchObject({
      taskType: 'INPAINTING',
      inPaintingParams: { text: 'a dog', image: 'Y2F0', maskImage: 'bWFzaw==' },
    });
  });

  test('tells why there is no picture, and what AWS refuses', async () => {
    const model = 'bedrock/amazon.nova-canvas-v1:0';
    upstream.answers(
      json({ images: [], error: 'blocked by our filters' }),
      json(
        { message: 'Malformed input request' },
        { status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } },
      ),
    );
    await expect(openai.images.generate({ model, prompt: 'x' })).rejects.toThrow(/blocked by our filters/);
    await expect(openai.images.generate({ model, prompt: 'x' })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('Malformed input request'),
    });
  });
});

describe('Hugging Face', () => {
  test('extracts features at the router', async () => {
    upstream.answers(
      json([
        [1, 2],
        [3, 4],
      ]),
    );
    const told = await embedded('huggingface/intfloat/multilingual-e5-large', ['one', 'two']);
    expect(told.vectors).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(said().path).toBe('/hf-inference/models/intfloat/multilingual-e5-large/pipeline/feature-extraction');
    expect(said().headers.authorization).toBe('Bearer hf_ours');
    expect(said().json()).toEqual({ inputs: ['one', 'two'] });
  });

  test.each([
    ['one vector alone', [1, 2], [[1, 2]]],
    ['a row for each text', [[[1, 2]]], [[1, 2]]],
  ])('gives %s', async (_what, answer, vectors) => {
    upstream.answers(json(answer));
    expect((await embedded('huggingface/hf-inference/BAAI/bge-small', 'one')).vectors).toEqual(vectors);
    expect(said().path).toBe('/hf-inference/models/BAAI/bge-small/pipeline/feature-extraction');
  });

  test('vectors of tokens are none of texts', async () => {
    upstream.answers(json([[[1], [2]]]));
    await expect(embedded('huggingface/some/model', 'one')).rejects.toThrow(/no vector for each text/);
  });

  test('draws a picture, whose bytes are the answer', async () => {
    upstream.answers((response) => void response.writeHead(200, { 'content-type': 'image/jpeg' }).end('hi'));
    const model = 'huggingface/black-forest-labs/FLUX.1-schnell';
    const told = await openai.images.generate({ model, prompt: 'a cat', size: '512x256' });
    expect(told.data).toEqual([{ b64_json: 'aGk=' }]);
    expect(said().path).toBe('/hf-inference/models/black-forest-labs/FLUX.1-schnell');
    expect(said().json()).toEqual({ inputs: 'a cat', parameters: { width: 512, height: 256 } });
  });
});

describe('custom providers', () => {
  test('of Bedrock’s kind chat and embed, signed and under their own name', async () => {
    const output = { message: { role: 'assistant', content: [{ text: 'hi' }] } };
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
    upstream.answers(json({ output, stopReason: 'end_turn', usage }), json({ embedding: [1], inputTextTokenCount: 2 }));
    const body = { model: 'corp/amazon.nova-pro-v1:0', messages: [{ role: 'user', content: 'hi' }] };
    const answer = await post(`${gateway.url}/v1/chat/completions`, body);
    expect(await answer.json()).toMatchObject({
      choices: [{ message: { content: 'hi' } }],
      extra_fields: { provider: 'corp' },
    });
    expect((await embedded('corp/amazon.titan-embed-text-v2:0', 'hi')).vectors).toEqual([[1]]);
    expect(said().headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/);
  });

  test('of Replicate’s kind draw', async () => {
    upstream.answers(json({ status: 'succeeded', output: 'https://r.example/a.png' }, { status: 201 }));
    const told = await openai.images.generate({ model: 'studio/black-forest-labs/flux-schnell', prompt: 'a cat' });
    expect(told.data).toEqual([{ url: 'https://r.example/a.png' }]);
    expect(said().headers.authorization).toBe('Bearer r8-ours');
  });
});

test('Hugging Face writes down what is said; the sound is the body', async () => {
  upstream.answers(json({ text: ' hello' }));
  const file = await toFile(Buffer.from([0, 255, 13, 10]), 'said.flac', { type: 'audio/flac' });
  const model = 'huggingface/openai/whisper-large-v3';
  expect(await openai.audio.transcriptions.create({ model, file })).toMatchObject({ text: 'hello' });
  expect(said().path).toBe('/hf-inference/models/openai/whisper-large-v3');
  expect(said().headers['content-type']).toBe('audio/flac');
  expect([...said().body]).toEqual([0, 255, 13, 10]);
});

describe('Hugging Face speaks', () => {
  const model = 'huggingface/facebook/mms-tts-eng';

  test('in sound that is passed on as it comes', async () => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'audio/flac' });
      response.write('one ', () => response.end('two'));
    });
    const body = { model, input: 'hi', voice: 'alloy', response_format: 'mp3', temperature: 0.5, top_k: 3 };
    const told = await post(`${gateway.url}/v1/audio/speech`, body);
    expect(told.headers.get('content-type')).toBe('audio/flac');
    expect(told.headers.get('x-bifrost-losses')).toBe('2');
    expect(await told.text()).toBe('one two');
    expect(said().method).toBe('POST');
    expect(said().path).toBe('/hf-inference/models/facebook/mms-tts-eng/pipeline/text-to-speech');
    expect(said().headers).toMatchObject({ authorization: 'Bearer hf_ours', 'content-type': 'application/json' });
    expect(said().json()).toEqual({
      inputs: 'hi',
      parameters: { generation_parameters: { temperature: 0.5, top_k: 3 } },
    });
    expect(await logRow(gateway, 'facebook/mms-tts-eng')).toMatchObject({ object: 'speech', status: 'success' });
  });

  test('and says why not in the client’s words', async () => {
    upstream.answers(json({ error: 'Model facebook/mms-tts-xxx does not exist' }, { status: 404 }));
    const speech = openai.audio.speech.create({ model: 'huggingface/facebook/mms-tts-xxx', voice: 'v', input: 'hi' });
    await expect(speech).rejects.toMatchObject({ status: 404, message: expect.stringContaining('does not exist') });
    expect(said().json()).toEqual({ inputs: 'hi' });
  });
});

test.each([
  ['gemini/gemini-embedding-2', 250, [100, 100, 50], 'requests'],
  ['cohere/embed-v4.0', 100, [96, 4], 'texts'],
])('%s is asked for no more inputs at once than it takes', async (model, count, sizes, field) => {
  const before = upstream.requests.length;
  const asked: Answer = (response, request) => {
    const inputs = JSON.parse(request.body.toString())[field] as unknown[];
    const values = inputs.map(() => [1]);
    return json({ embeddings: field === 'texts' ? { float: values } : values.map((each) => ({ values: each })) })(
      response,
      request,
    );
  };
  upstream.answers(...sizes.map(() => asked));
  const { vectors } = await embedded(
    model,
    Array.from({ length: count }, (_, index) => String(index)),
  );
  expect(vectors).toHaveLength(count);
  const seen = upstream.requests.slice(before).map(({ body }) => JSON.parse(body.toString())[field].length as number);
  expect(seen.toSorted((a, b) => b - a)).toEqual(sizes);
});

describe('streams of providers that give whole answers', () => {
  test('a picture is an event of its own', async () => {
    upstream.answers(
      json({
        candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }] } }],
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 1_290 },
      }),
    );
    const model = 'gemini/gemini-2.5-flash-image';
    const events: unknown[] = [];
    for await (const event of await openai.images.generate({ model, prompt: 'a cat', stream: true }))
      events.push(event);
    expect(events).toMatchObject([
      { type: 'image_generation.completed', b64_json: 'aGk=', usage: { input_tokens: 3, output_tokens: 1_290 } },
    ]);
  });

  test('an edited picture too', async () => {
    upstream.answers(json({ images: ['aGk='] }));
    const image = await toFile(Buffer.from('cat'), 'cat.png', { type: 'image/png' });
    const model = 'bedrock/amazon.nova-canvas-v1:0';
    const types: string[] = [];
    for await (const { type } of await openai.images.edit({ model, image, prompt: 'a dog', stream: true }))
      types.push(type);
    expect(types).toEqual(['image_edit.completed']);
  });

  const spoken = async (model: string, voice: string, response_format: 'pcm' | 'mp3') => {
    const told = await openai.audio.speech.create({ model, voice, input: 'hi', response_format, stream_format: 'sse' });
    expect(told.headers.get('content-type')).toContain('text/event-stream');
    const data = [...(await told.text()).matchAll(/^data: (.*)$/gm)].map(([, text = '']) => text);
    expect(data.at(-1)).toBe('[DONE]');
    const events = data.slice(0, -1).map((text) => JSON.parse(text) as { type: string; audio?: string });
    expect(events.at(-1)).toMatchObject({ type: 'speech.audio.done' });
    return Buffer.concat(events.slice(0, -1).map(({ audio = '' }) => Buffer.from(audio, 'base64'))).toString();
  };

  test('sound of ElevenLabs is events while it comes', async () => {
    upstream.answers(async (response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      for (const piece of ['one ', 'two ', 'three']) await new Promise((next) => response.write(piece, next));
      response.end();
    });
    expect(await spoken('elevenlabs/eleven_turbo_v2_5', 'v1', 'mp3')).toBe('one two three');
    expect(said().path).toBe('/v1/text-to-speech/v1/stream?output_format=mp3_44100_128');
  });

  test('sound of Hugging Face is events while it comes', async () => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' });
      response.write('one ', () => response.end('two'));
    });
    expect(await spoken('huggingface/facebook/mms-tts-eng', 'v1', 'mp3')).toBe('one two');
  });

  test('sound that breaks off ends in an error', async () => {
    upstream.answers(async (response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      await new Promise((next) => response.write('one', next));
      response.destroy();
    });
    const body = { model: 'elevenlabs/eleven_turbo_v2_5', voice: 'v1', input: 'hi', stream_format: 'sse' };
    const text = await (await post(`${gateway.url}/v1/audio/speech`, body)).text();
    expect(text).toContain('speech.audio.delta');
    expect(text).not.toContain('speech.audio.done');
    expect(text).toMatch(/data: \{"error"|"error":\{/);
  });

  test('sound of Gemini is one event', async () => {
    const inlineData = { mimeType: 'audio/L16;codec=pcm;rate=24000', data: Buffer.from('sound').toString('base64') };
    upstream.answers(json({ candidates: [{ content: { parts: [{ inlineData }] } }] }));
    expect(await spoken('gemini/gemini-2.5-flash-preview-tts', 'Kore', 'pcm')).toBe('sound');
  });

  test('a transcript is one event too', async () => {
    upstream.answers(json({ candidates: [{ content: { parts: [{ text: 'hello' }] } }] }));
    const file = await toFile(Buffer.from('x'), 'said.mp3', { type: 'audio/mpeg' });
    const stream = await openai.audio.transcriptions.create({ model: 'gemini/gemini-2.5-flash', file, stream: true });
    const events: unknown[] = [];
    for await (const event of stream) events.push(event);
    expect(events).toMatchObject([
      { type: 'transcript.text.delta', delta: 'hello' },
      { type: 'transcript.text.done', text: 'hello' },
    ]);
  });
});
