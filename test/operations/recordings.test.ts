import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { type Answer, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      openai: keyed(`${upstream.url}/v1`),
      mistral: keyed(`${upstream.url}/v1`),
      openrouter: keyed(`${upstream.url}/v1`),
      gemini: keyed(`${upstream.url}/v1beta`),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const recorded =
  ({ response: { status, headers, sse, body, text } }: Recording): Answer =>
  (response) => {
    response.writeHead(status, headers);
    response.end(sse ?? (body ? JSON.stringify(body) : text));
  };

/** Azure's recordings are answers of an OpenAI-compatible server like any other. */
const ROUTES: Readonly<Record<string, string>> = { azure: 'openai' };

function asked({ provider, request }: Recording): { path: string; body: JsonObject } {
  const route = ROUTES[provider] ?? provider;
  const body = request.body ?? {};
  const google = /models\/([^:]+):(\w+)/.exec(request.path);
  if (google) return { path: `/genai/v1beta/models/${route}/${google[1]}:${google[2]}`, body };
  const operation = request.path.split('/').at(-1);
  return { path: `/v1/${operation}`, body: { ...body, model: `${route}/${body.model}` } };
}

describe.runIf(shared)('recorded answers pass byte for byte', () => {
  const recordings = [...cases({ endpoint: 'embeddings' }), ...cases({ endpoint: 'openai.completions' })];

  test('there are some', () => expect(recordings.length).toBeGreaterThanOrEqual(20));

  test.each(recordings.map((recording) => [recording.id, recording] as const))('%s', async (_id, recording) => {
    upstream.answers(recorded(recording));
    const { path, body } = asked(recording);
    const answer = await post(`${gateway.url}${path}`, body);
    const text = await answer.text();
    const { status, sse, body: expected } = recording.response;
    expect(answer.status).toBe(status);
    if (status >= 400) {
      const error = isObject(expected?.error) ? expected.error : {};
      const { message, type, code } = error;
      expect(JSON.parse(text)).toMatchObject({ error: { message, type, code: code ?? null } });
    } else {
      expect(text).toBe(sse ?? JSON.stringify(expected));
    }
    const received = upstream.requests.at(-1);
    const { stream_options: _options, ...sent } = JSON.parse(received?.body.toString() ?? '{}');
    const { stream_options: _theirs, ...original } = recording.request.body ?? {};
    expect(sent).toEqual(original);
    expect(received?.path.endsWith(recording.request.path.replace(/^.*\/v1(?=\/)/, ''))).toBe(true);
  });
});

describe.runIf(shared)('recorded embeddings are read by clients of the other formats', () => {
  const good = cases({ endpoint: 'embeddings' }).filter(({ status }) => status === 200);

  test('there are some', () => expect(good.length).toBeGreaterThanOrEqual(10));

  test.each(good.map((recording) => [recording.id, recording] as const))('%s', async (_id, recording) => {
    const vectors = vectorsIn(recording.response.body ?? {});
    const texts = vectors.map((_vector, index) => `text ${index}`);
    const contents = texts.map((text) => ({ content: { parts: [{ text }] } }));
    const provider = ROUTES[recording.provider] ?? recording.provider;
    const name = (/models\/([^:]+):/.exec(recording.request.path)?.[1] ?? recording.request.body?.model) as string;
    for (const [path, body] of [
      ['/v1/embeddings', { model: `${provider}/${name}`, input: texts, encoding_format: 'float' }],
      [`/genai/v1beta/models/${provider}/${name}:batchEmbedContents`, { requests: contents }],
      ['/cohere/v2/embed', { model: `${provider}/${name}`, texts, input_type: 'search_query' }],
      [
        `/genai/v1beta1/publishers/${provider}/models/${name}:predict`,
        { instances: texts.map((content) => ({ content })) },
      ],
    ] as const) {
      // what is asked in the provider's own format comes back as it is
      if (provider !== 'gemini' && path === '/v1/embeddings') continue;
      upstream.answers(recorded(recording));
      const answer = await post(`${gateway.url}${path}`, body);
      expect(answer.status).toBe(200);
      expect(vectorsIn((await answer.json()) as JsonObject)).toEqual(vectors);
    }
  });
});

/** The vectors of an answer in whichever format. */
function vectorsIn(body: JsonObject): number[][] {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const { embeddings } = body;
  const entries = isObject(embeddings)
    ? list(embeddings.float)
    : [...list(body.data), ...list(embeddings), ...list(body.predictions)];
  return entries.map((entry) => {
    const inside = isObject(entry)
      ? isObject(entry.embeddings)
        ? entry.embeddings.values
        : (entry.embedding ?? entry.values)
      : entry;
    if (typeof inside !== 'string') return inside as number[];
    const bytes = new Uint8Array(Buffer.from(inside, 'base64'));
    return [...new Float32Array(bytes.buffer)];
  });
}
