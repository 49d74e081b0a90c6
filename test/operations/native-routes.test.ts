import { BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const network_config = { base_url: upstream.url };
  const vertexKey = { name: 'v', value: 'express-ours', models: ['*'] };
  const awsKey = { name: 'b', value: 'bedrock-ours', models: ['*'], bedrock_key_config: { region: 'eu-west-1' } };
  gateway = await startGatewayHere({
    providers: {
      openai: keyed(`${upstream.url}/v1`, 'sk-ours'),
      vertex: { keys: [vertexKey], network_config },
      bedrock: { keys: [awsKey], network_config },
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
  return { ...request, json: () => JSON.parse(request.body.toString()) as unknown };
};

const embedded = (embedding: number[]) =>
  json({ object: 'list', data: [{ index: 0, embedding }], usage: { prompt_tokens: 3, total_tokens: 3 } });

/** As a client of Vertex. */
const google = () =>
  new GoogleGenAI({
    vertexai: true,
    apiKey: 'theirs',
    httpOptions: { baseUrl: `${gateway.url}/genai`, apiVersion: 'v1beta1' },
  });

describe('Google’s SDK as a client of Vertex', () => {
  const ANSWER = { candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP' }] };

  test('chats with Google’s models at Vertex, and with others under their provider’s name', async () => {
    upstream.answers(json(ANSWER));
    const told = await google().models.generateContent({ model: 'gemini-2.5-flash', contents: 'hi' });
    expect(told.text).toBe('hi');
    expect(said().path).toBe('/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent');
    expect(said().headers['x-goog-api-key']).toBe('express-ours');
    const choices = [{ index: 0, message: { role: 'assistant', content: 'ho' }, finish_reason: 'stop' }];
    upstream.answers(json({ id: 'c', object: 'chat.completion', choices }));
    const other = await google().models.generateContent({ model: 'openai/gpt-4o', contents: 'hi' });
    expect(other.text).toBe('ho');
    expect(said().path).toBe('/v1/chat/completions');
  });

  test('names project and region in the path', async () => {
    upstream.answers(json(ANSWER));
    const path = '/genai/v1beta1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-pro:generateContent';
    const answer = await post(`${gateway.url}${path}`, { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] });
    expect(await answer.json()).toEqual(ANSWER);
  });

  test('embeds by predict, in bytes that travel as they are', async () => {
    const answer = { predictions: [{ embeddings: { values: [1], statistics: { token_count: 2, odd: 1 } } }] };
    upstream.answers(json(answer));
    const told = await google().models.embedContent({
      model: 'text-embedding-005',
      contents: ['hi'],
      config: { outputDimensionality: 1, taskType: 'CLUSTERING' },
    });
    expect(told.embeddings?.[0]?.values).toEqual([1]);
    expect(said().path).toBe('/v1beta1/publishers/google/models/text-embedding-005:predict');
    expect(said().json()).toMatchObject({ instances: [{ content: 'hi', task_type: 'CLUSTERING' }] });
  });

  test('embeds contents with the later models', async () => {
    upstream.answers(json({ embedding: { values: [1] }, usageMetadata: { promptTokenCount: 2 } }));
    const told = await google().models.embedContent({ model: 'gemini-embedding-2', contents: 'hi' });
    expect(told.embeddings?.[0]?.values).toEqual([1]);
    expect(said().path).toBe('/v1beta1/publishers/google/models/gemini-embedding-2:embedContent');
  });

  test('is answered by OpenAI, whichever verb it asks with', async () => {
    upstream.answers(embedded([1]), embedded([2]));
    const models = `${gateway.url}/genai/v1beta1/publishers/openai/models`;
    const parameters = { outputDimensionality: 1 };
    const predicted = await post(`${models}/text-embedding-3-small:predict`, {
      instances: [{ content: 'hi' }],
      parameters,
    });
    expect(await predicted.json()).toEqual({
      predictions: [{ embeddings: { values: [1], statistics: { truncated: false, token_count: 3 } } }],
    });
    expect(said().json()).toMatchObject({ model: 'text-embedding-3-small', input: 'hi', dimensions: 1 });
    const content = { parts: [{ text: 'hi' }] };
    const embedContentConfig = { outputDimensionality: 1 };
    const told = await post(`${models}/text-embedding-3-small:embedContent`, { content, embedContentConfig });
    expect(await told.json()).toMatchObject({ embedding: { values: [2] } });
    expect(said().json()).toMatchObject({ input: 'hi', dimensions: 1 });
  });
});

describe('Imagen’s predict', () => {
  test('travels as it is to Imagen', async () => {
    upstream.answers(json({ predictions: [{ mimeType: 'image/png', bytesBase64Encoded: 'aGk=' }] }));
    const told = await google().models.generateImages({
      model: 'vertex/imagen-4.0-generate-001',
      prompt: 'a cat',
      config: { numberOfImages: 1, aspectRatio: '16:9' },
    });
    expect(told.generatedImages?.[0]?.image?.imageBytes).toBe('aGk=');
    expect(said().path).toBe('/v1beta1/publishers/google/models/imagen-4.0-generate-001:predict');
    expect(said().json()).toMatchObject({ instances: [{ prompt: 'a cat' }], parameters: { aspectRatio: '16:9' } });
  });

  test.each([
    ['gpt-image-1', {}],
    ['dall-e-3', { response_format: 'b64_json' }],
  ])('is answered by OpenAI’s %s', async (model, more) => {
    upstream.answers(json({ created: 1, data: [{ b64_json: 'aGk=' }] }));
    const told = await google().models.generateImages({
      model: `openai/${model}`,
      prompt: 'a cat',
      config: { numberOfImages: 1, aspectRatio: '16:9' },
    });
    expect(told.generatedImages?.[0]?.image?.imageBytes).toBe('aGk=');
    expect(said().path).toBe('/v1/images/generations');
    expect(said().json()).toEqual({ model, prompt: 'a cat', n: 1, size: '1536x1024', ...more });
  });

  test('is answered by Gemini’s own models', async () => {
    upstream.answers(
      json({ candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }] } }] }),
    );
    const told = await google().models.generateImages({ model: 'vertex/gemini-2.5-flash-image', prompt: 'a cat' });
    expect(told.generatedImages?.[0]?.image?.imageBytes).toBe('aGk=');
    expect(said().path).toBe('/v1beta1/publishers/google/models/gemini-2.5-flash-image:generateContent');
  });

  test('needs a prompt', async () => {
    const url = `${gateway.url}/genai/v1beta/models/openai/gpt-image-1:predict`;
    const answer = await post(url, { instances: [{}] });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: 400, message: 'prompt is required', status: 'INVALID_ARGUMENT' } },
    ]);
  });
});

describe('InvokeModel of AWS’s SDK', () => {
  const invoked = async (modelId: string, body: object) => {
    const client = new BedrockRuntimeClient({
      region: 'eu-west-1',
      endpoint: `${gateway.url}/bedrock`,
      credentials: { accessKeyId: 'theirs', secretAccessKey: 'theirs' },
    });
    const command = new InvokeModelCommand({ modelId, body: JSON.stringify(body), contentType: 'application/json' });
    try {
      const { body: bytes } = await client.send(command);
      return JSON.parse(Buffer.from(bytes).toString()) as unknown;
    } finally {
      client.destroy();
    }
  };

  test.each<[string, object, object]>([
    [
      'amazon.titan-embed-text-v2:0',
      { inputText: 'hi', normalize: true },
      { embedding: [1], inputTextTokenCount: 1, embeddingsByType: {} },
    ],
    ['cohere.embed-english-v3', { texts: ['hi'], input_type: 'search_query' }, { embeddings: [[1]], id: 'x' }],
    ['amazon.rerank-v1:0', { query: 'q', documents: ['a'] }, { results: [{ index: 0, relevance_score: 1 }] }],
    ['amazon.nova-canvas-v1:0', { taskType: 'TEXT_IMAGE', textToImageParams: { text: 'a' } }, { images: ['aGk='] }],
  ])('%s keeps its own bodies', async (model, body, answer) => {
    upstream.answers(json(answer));
    expect(await invoked(model, body)).toEqual(answer);
    expect(said().path).toBe(`/model/${encodeURIComponent(model)}/invoke`);
    expect(said().headers.authorization).toBe('Bearer bedrock-ours');
    expect(said().body.toString()).toBe(JSON.stringify(body));
  });

  test('tells a refusal as Bedrock does', async () => {
    const message = 'Malformed input request';
    upstream.answers(json({ message }, { status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } }));
    await expect(invoked('amazon.titan-embed-text-v2:0', {})).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message),
    });
  });
});
