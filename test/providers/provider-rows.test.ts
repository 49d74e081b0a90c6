import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { builtInDeployments } from '../../src/providers/registry.ts';
import { type Gateway, post, startGatewayHere } from '../support/gateway.ts';
import { wireAnswers } from '../support/wire-answers.ts';

// Every provider, as it is asked: where requests go, what they show, and how they name what they want.

interface Row {
  readonly name: string;
  /** Where the provider is when nothing else is said. */
  readonly home?: string;
  readonly model?: string;
  /** Below its address. */
  readonly chat: string;
  readonly stream?: string;
  readonly format?: CodecId;
  /** The header that shows the key, and how. */
  readonly auth?: readonly [string, string];
  /** The limit of output in the body; a path into it. */
  readonly limit: string;
  /** False where streams are not asked for their token counts. */
  readonly streamOptions?: false;
  readonly models: string;
  /** Absent = the provider has no embeddings. */
  readonly embeddings?: string;
  readonly key?: object;
}

const KEY = 'sk-row';
const BEARER = ['authorization', `Bearer ${KEY}`] as const;
const COMPLETION_TOKENS = { limit: 'max_completion_tokens' } as const;
const TOKENS = { limit: 'max_tokens' } as const;
const V1 = { chat: '/v1/chat/completions', models: '/v1/models' } as const;
const AZURE = '/openai/deployments/m/chat/completions?api-version=2024-10-21';
const NOVA = 'amazon.nova-pro-v1:0';
const CONVERSE = `/model/${encodeURIComponent(NOVA)}/converse`;

const ROWS: readonly Row[] = [
  { name: 'openai', home: 'https://api.openai.com/v1', ...V1, ...COMPLETION_TOKENS, embeddings: '/v1/embeddings' },
  {
    name: 'anthropic',
    home: 'https://api.anthropic.com',
    chat: '/v1/messages',
    format: 'anthropic-messages',
    auth: ['x-api-key', KEY],
    ...TOKENS,
    models: '/v1/models?limit=1000',
  },
  {
    name: 'gemini',
    home: 'https://generativelanguage.googleapis.com/v1beta',
    chat: '/v1beta/models/m:generateContent',
    stream: '/v1beta/models/m:streamGenerateContent?alt=sse',
    format: 'gemini',
    auth: ['x-goog-api-key', KEY],
    limit: 'generationConfig.maxOutputTokens',
    models: '/v1beta/models?pageSize=1000',
    embeddings: '/v1beta/models/m:batchEmbedContents',
  },
  {
    name: 'bedrock',
    model: NOVA,
    chat: CONVERSE,
    stream: `${CONVERSE}-stream`,
    format: 'bedrock-converse',
    limit: 'inferenceConfig.maxTokens',
    models: '/foundation-models',
  },
  { name: 'bedrock_mantle', ...V1, ...COMPLETION_TOKENS },
  {
    name: 'azure',
    chat: AZURE,
    auth: ['api-key', KEY],
    ...COMPLETION_TOKENS,
    // models are listed on the surface that has no dates
    models: '/openai/v1/models',
    embeddings: '/openai/deployments/m/embeddings?api-version=2024-10-21',
  },
  { name: 'groq', home: 'https://api.groq.com/openai/v1', ...V1, ...COMPLETION_TOKENS },
  {
    name: 'mistral',
    home: 'https://api.mistral.ai/v1',
    ...V1,
    ...TOKENS,
    streamOptions: false,
    embeddings: '/v1/embeddings',
  },
  { name: 'ollama', home: 'http://localhost:11434/v1', ...V1, ...TOKENS, embeddings: '/v1/embeddings' },
  // takes either name, so the client's own stays
  {
    name: 'openrouter',
    home: 'https://openrouter.ai/api/v1',
    ...V1,
    ...COMPLETION_TOKENS,
    embeddings: '/v1/embeddings',
  },
  { name: 'deepseek', home: 'https://api.deepseek.com/v1', ...V1, ...TOKENS },
  { name: 'xai', home: 'https://api.x.ai/v1', ...V1, ...COMPLETION_TOKENS },
  { name: 'cerebras', home: 'https://api.cerebras.ai/v1', ...V1, ...COMPLETION_TOKENS },
  {
    name: 'fireworks',
    home: 'https://api.fireworks.ai/inference/v1',
    ...V1,
    ...TOKENS,
    embeddings: '/v1/embeddings',
  },
  {
    name: 'perplexity',
    home: 'https://api.perplexity.ai',
    chat: '/chat/completions',
    ...TOKENS,
    streamOptions: false,
    models: '/models',
  },
  {
    name: 'nebius',
    home: 'https://api.tokenfactory.nebius.com/v1',
    ...V1,
    ...TOKENS,
    embeddings: '/v1/embeddings',
  },
  { name: 'parasail', home: 'https://api.parasail.io/v1', ...V1, ...TOKENS },
  { name: 'together', home: 'https://api.together.xyz/v1', ...V1, ...TOKENS, embeddings: '/v1/embeddings' },
  {
    name: 'huggingface',
    home: 'https://router.huggingface.co/v1',
    ...V1,
    ...TOKENS,
    embeddings: '/hf-inference/models/m/pipeline/feature-extraction',
  },
  {
    name: 'cohere',
    home: 'https://api.cohere.ai/compatibility/v1',
    chat: '/compatibility/v1/chat/completions',
    ...TOKENS,
    models: '/v1/models?page_size=1000',
    embeddings: '/v2/embed',
  },
  { name: 'databricks', ...V1, ...TOKENS },
  { name: 'opencode-zen', home: 'https://opencode.ai/zen/v1', ...V1, ...TOKENS },
  { name: 'opencode-go', home: 'https://opencode.ai/zen/go/v1', ...V1, ...TOKENS },
  { name: 'sarvam', home: 'https://api.sarvam.ai/v1', ...V1, ...TOKENS },
  { name: 'wafer', home: 'https://pass.wafer.ai/v1', ...V1, ...TOKENS },
  { name: 'vllm', ...V1, ...TOKENS, embeddings: '/v1/embeddings' },
  { name: 'sgl', ...V1, ...TOKENS, embeddings: '/v1/embeddings' },
];

/** Providers of other things than conversations, and vertex, which is asked for a token first, have tests of their own. */
const ELSEWHERE = ['elevenlabs', 'replicate', 'runware', 'runway', 'vertex'];

interface Asked {
  readonly provider: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject;
}

let server: Server;
let gateway: Gateway;
let asked: Asked[] = [];

/** Answers every provider in its own format; each is at a folder of its own. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const [, name = '', path = ''] = /^\/([\w-]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const given: unknown = pieces.length > 0 ? JSON.parse(Buffer.concat(pieces).toString()) : {};
    const body = isObject(given) ? given : {};
    asked.push({ provider: name, path, headers: request.headers, body });
    const format = ROWS.find((row) => row.name === name)?.format ?? 'openai-chat';
    const answers = wireAnswers.find((wire) => wire.format === format);
    if (request.method === 'GET') return response.end(JSON.stringify({ data: [{ id: `${name}-model` }] }));
    if (/embed|feature-extraction/i.test(path)) return response.end(JSON.stringify(EMBEDDINGS[name] ?? EMBEDDED));
    if (body.stream === true || /stream/i.test(path)) {
      return response.writeHead(200, { 'content-type': answers?.streamType }).end(Buffer.concat(answers?.stream ?? []));
    }
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers?.whole));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  const at = (name: string) => `http://127.0.0.1:${port}/${name}`;
  gateway = await startGatewayHere({
    providers: Object.fromEntries(
      ROWS.map(({ name, key }) => [
        name,
        {
          keys: [
            {
              name: `${name}-key`,
              value: KEY,
              models: ['*'],
              weight: 1,
              ...key,
              ...(name === 'azure' && { azure_key_config: { endpoint: at(name), api_version: '2024-10-21' } }),
            },
          ],
          network_config: { base_url: at(name) },
        },
      ]),
    ),
  });
});

afterAll(async () => {
  await gateway.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** One answer in every embeddings API at once; each reads its own. */
const EMBEDDED = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }],
  embeddings: { float: [[0.5, 0.25]] },
  model: 'm',
  usage: { prompt_tokens: 3, total_tokens: 3 },
};

const EMBEDDINGS: Readonly<Record<string, unknown>> = {
  gemini: { embeddings: [{ values: [0.5, 0.25] }] },
  huggingface: [[0.5, 0.25]],
};

const sent = (): Asked => {
  const [only] = asked.splice(0);
  if (!only) throw new Error('nothing was asked');
  return only;
};

/** All models of all providers, which are kept for a while, and where they were asked for. */
async function listing(): Promise<{ readonly ids: readonly string[]; readonly paths: readonly string[] }> {
  asked = [];
  const answer = await fetch(`${gateway.url}/v1/models`);
  // our own answer to ourselves
  const { data } = (await answer.json()) as { data: { id: string }[] };
  return { ids: data.map(({ id }) => id), paths: asked.splice(0).map(({ provider, path }) => `${provider}${path}`) };
}

let known: ReturnType<typeof listing> | undefined;
const listed = () => {
  known ??= listing();
  return known;
};

const memberAt = (body: JsonObject, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), body);

const QUESTION = {
  max_completion_tokens: 77,
  messages: [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ],
};

test('the table holds every provider that is built in', () => {
  expect([...ROWS.map(({ name }) => name), ...ELSEWHERE].sort()).toEqual(
    builtInDeployments.map(({ name }) => name).sort(),
  );
});

describe.each(ROWS.map((row) => [row.name, row] as const))('%s', (name, row) => {
  const model = `${name}/${row.model ?? 'm'}`;
  const auth = row.auth ?? BEARER;

  const chat = (more: object = {}) => {
    asked = [];
    return post(`${gateway.url}/v1/chat/completions`, { model, ...QUESTION, ...more });
  };

  test('is at home where its documentation says', () => {
    expect(builtInDeployments.find((deployment) => deployment.name === name)?.baseUrl).toBe(row.home);
  });

  test('is asked for a chat at its path, with its key and its name for the limit', async () => {
    const answer = await chat();
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'fine' } }] });
    const { path, headers, body } = sent();
    expect(path).toBe(row.chat);
    expect(headers[auth[0]]).toBe(auth[1]);
    expect(memberAt(body, row.limit)).toBe(77);
    const limits = ['max_tokens', 'max_completion_tokens'].filter((field) => field in body);
    expect(limits).toEqual(row.limit.includes('.') ? [] : [row.limit]);
  });

  test('shows its key where it belongs only', async () => {
    await chat();
    const { path, headers, body } = sent();
    const showing = Object.entries(headers).filter(([, value]) => String(value).includes(KEY));
    // Anthropic's SDK sends a bearer token, servers like Anthropic's know the other header
    const expected = name === 'anthropic' ? ['authorization', 'x-api-key'] : [auth[0]];
    expect(showing.map(([header]) => header).sort()).toEqual(expected);
    expect(`${path}${JSON.stringify(body)}`).not.toContain(KEY);
  });

  test('is asked for a stream, and for its token counts where that is known', async () => {
    const text = await (await chat({ stream: true })).text();
    expect(text).toMatch(/"content":"fi".*"content":"ne".*\[DONE\]/s);
    const { path, body } = sent();
    expect(path).toBe(row.stream ?? row.chat);
    const isChat = (row.format ?? 'openai-chat') === 'openai-chat';
    expect(body.stream_options).toEqual(isChat && row.streamOptions !== false ? { include_usage: true } : undefined);
  });

  test('lists its models', async () => {
    const { ids, paths } = await listed();
    expect(ids).toContain(`${name}/${name}-model`);
    expect(paths).toContain(`${name}${row.models}`);
  });

  test(row.embeddings ? 'embeds' : 'has no embeddings, and says so', async () => {
    asked = [];
    const answer = await post(`${gateway.url}/v1/embeddings`, { model, input: 'Hi' });
    if (row.embeddings === undefined) {
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { error: { message: expect.stringMatching(`embedding is not supported by ${name} provider`) } },
      ]);
      return;
    }
    expect(await answer.json()).toMatchObject({ data: [{ index: 0, embedding: [0.5, 0.25] }] });
    const { path, headers } = sent();
    expect(path).toBe(row.embeddings);
    expect(headers[auth[0]]).toBe(auth[1]);
  });
});
