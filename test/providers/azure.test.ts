import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import type { GatewayError } from '../../src/model/errors.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { json, type ReceivedRequest, sse, startUpstream, type Upstream } from '../support/upstream.ts';
import { contextOf, framesFor, heard, openScene, providerAt, requestOf, type Scene } from './scene.ts';

let scene: Scene;
let upstream: Upstream;

beforeAll(async () => {
  scene = openScene();
  upstream = await startUpstream();
});

afterAll(async () => {
  await scene.close();
  await upstream.close();
});

const CHAT_ANSWER = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};
const RESPONSES_ANSWER = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-4o',
  output: [
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hello', annotations: [] }],
    },
  ],
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
};
const CLAUDE_ANSWER = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2 },
};

const CHAT = { model: 'azure/m', messages: [{ role: 'user', content: 'Hi' }] };
const RESPONSES = { model: 'azure/m', input: 'Hi' };
const MESSAGES = { model: 'azure/m', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };

const azure = (config: object = {}, key: object = {}): Provider =>
  providerAt(
    'azure',
    '',
    { base_url: undefined },
    {
      keys: [{ name: 'main', value: 'az-secret', azure_key_config: { endpoint: upstream.url, ...config }, ...key }],
    },
  );

async function asked(provider: Provider, dialect: CodecId, body: object, model = 'prod') {
  const context = contextOf(dialect);
  const request = requestOf(dialect, body);
  return { ...(await heard(framesFor(scene, { provider, request, context, model }))), losses: context.trace.losses };
}

const lastRequest = (): ReceivedRequest => {
  const last = upstream.requests.at(-1);
  if (!last) throw new Error('nothing was asked');
  return last;
};
const bodyOf = ({ body }: ReceivedRequest): Record<string, unknown> => JSON.parse(body.toString());

test.each<[model: string, isSent: boolean]>([
  ['prod', false],
  ['gpt-4o', false],
  ['DeepSeek-R1', true],
])('D5 thinking that another model left in the history: %s', async (model, isSent) => {
  upstream.answers(json(CHAT_ANSWER));
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello', reasoning_content: 'Hm.' },
    { role: 'user', content: 'And?' },
  ];
  const { losses } = await asked(azure(), 'openai-chat', { ...CHAT, messages }, model);
  expect(JSON.stringify(bodyOf(lastRequest()).messages).includes('reasoning_content')).toBe(isSent);
  expect(losses.map(({ field }) => field)).toEqual(isSent ? [] : ['messages[1]']);
});

describe('where a chat goes', () => {
  test.each([
    [undefined, '/openai/deployments/prod/chat/completions?api-version=2024-08-01-preview'],
    ['2024-12-01-preview', '/openai/deployments/prod/chat/completions?api-version=2024-12-01-preview'],
    ['v1', '/openai/v1/chat/completions'],
    ['latest', '/openai/v1/chat/completions'],
    ['preview', '/openai/v1/chat/completions?api-version=preview'],
  ])('api_version %s', async (api_version, path) => {
    upstream.answers(json(CHAT_ANSWER));
    const { response, error } = await asked(azure({ api_version }), 'openai-chat', CHAT);
    expect(error).toBeUndefined();
    expect(response.reason.kind).toBe('stop');
    expect(lastRequest()).toMatchObject({ method: 'POST', path });
    expect(lastRequest().headers['api-key']).toBe('az-secret');
    expect(lastRequest().headers.authorization).toBeUndefined();
    expect(bodyOf(lastRequest())).toEqual({ ...CHAT, model: 'prod' });
  });

  test.each(['', '/', '/openai', '/openai/v1/'])('the endpoint may be written with "%s" behind it', async (tail) => {
    upstream.answers(json(CHAT_ANSWER));
    await asked(azure({ endpoint: `${upstream.url}${tail}` }), 'openai-chat', CHAT);
    expect(lastRequest().path).toBe('/openai/deployments/prod/chat/completions?api-version=2024-08-01-preview');
  });

  test('a client of the Responses API reaches the undated surface in its own format', async () => {
    upstream.answers(json(RESPONSES_ANSWER));
    const { bytes } = await asked(azure({ api_version: '2024-10-21' }), 'openai-responses', RESPONSES);
    expect(lastRequest().path).toBe('/openai/v1/responses');
    expect(lastRequest().headers['api-key']).toBe('az-secret');
    expect(JSON.parse(bytes)).toEqual(RESPONSES_ANSWER);
  });

  test('nothing that stands in the environment is read', async () => {
    upstream.answers(json(CHAT_ANSWER));
    process.env.OPENAI_BASE_URL = 'http://127.0.0.1:1/elsewhere';
    process.env.OPENAI_ORG_ID = 'org-elsewhere';
    try {
      expect((await asked(azure(), 'openai-chat', CHAT)).error).toBeUndefined();
      expect(lastRequest().headers['openai-organization']).toBeUndefined();
    } finally {
      delete process.env.OPENAI_BASE_URL;
      delete process.env.OPENAI_ORG_ID;
    }
  });

  test.each([
    ['2024-06-01', 'max_tokens'],
    ['2024-10-21', 'max_completion_tokens'],
    ['v1', 'max_completion_tokens'],
  ])('the output limit has the name that version %s knows', async (api_version, field) => {
    upstream.answers(json(CHAT_ANSWER));
    await asked(azure({ api_version }), 'anthropic-messages', MESSAGES);
    expect(bodyOf(lastRequest())[field]).toBe(9);
  });

  test('C1 the first chunk of a stream has no choices, and the answer none the less', async () => {
    const chunk = (more: object) =>
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', ...more })}\n\n`;
    upstream.answers(
      sse([
        chunk({
          id: '',
          model: '',
          choices: [],
          prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
        }),
        chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }),
        chunk({
          choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: null, content_filter_results: {} }],
        }),
        chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
        'data: [DONE]\n\n',
      ]),
    );
    const { response } = await asked(azure(), 'anthropic-messages', { ...MESSAGES, stream: true });
    expect(response.parts).toEqual([{ type: 'text', text: 'Hello' }]);
    expect(response.reason.kind).toBe('stop');
  });

  test('a prompt that its content filter stops is an error of that kind', async () => {
    const error = {
      message: 'The response was filtered due to the prompt triggering the content management policy.',
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { hate: { filtered: true } } },
    };
    upstream.answers(json({ error }, { status: 400 }));
    const heardOf = await asked(azure(), 'openai-chat', CHAT);
    expect(heardOf.error).toMatchObject({ kind: 'content-policy', message: error.message, details: { status: 400 } });
  });
});

describe('Claude', () => {
  test('is asked in its own format, with the key in its header', async () => {
    upstream.answers(json(CLAUDE_ANSWER));
    const { bytes } = await asked(azure(), 'anthropic-messages', MESSAGES, 'claude-sonnet-4-5');
    expect(lastRequest().path).toBe('/anthropic/v1/messages');
    expect(lastRequest().headers).toMatchObject({ 'x-api-key': 'az-secret', 'anthropic-version': '2023-06-01' });
    expect(bodyOf(lastRequest())).toEqual({ ...MESSAGES, model: 'claude-sonnet-4-5' });
    expect(JSON.parse(bytes)).toEqual(CLAUDE_ANSWER);
  });

  test('is translated for clients of another format', async () => {
    upstream.answers(json(CLAUDE_ANSWER));
    const { response } = await asked(azure(), 'openai-chat', CHAT, 'claude-sonnet-4-5');
    expect(lastRequest().path).toBe('/anthropic/v1/messages');
    expect(response.parts).toEqual([expect.objectContaining({ type: 'text', text: 'Hello' })]);
  });

  test('is known by what the alias says where the deployment has a name of its own', async () => {
    upstream.answers(json(CLAUDE_ANSWER));
    const aliases = { best: { model_id: 'prod', model_name: 'claude-opus-4-1' } };
    await asked(azure({}, { aliases }), 'anthropic-messages', MESSAGES, 'prod');
    expect(lastRequest().path).toBe('/anthropic/v1/messages');
    expect(bodyOf(lastRequest()).model).toBe('prod');
  });
});

test('an alias may lead to another resource and version', async () => {
  upstream.answers(json(CHAT_ANSWER));
  const aliases = { best: { model_id: 'prod', endpoint: upstream.url, api_version: '2025-01-01-preview' } };
  const provider = azure({ endpoint: 'http://127.0.0.1:1' }, { aliases });
  expect((await asked(provider, 'openai-chat', CHAT)).error).toBeUndefined();
  expect(lastRequest().path).toBe('/openai/deployments/prod/chat/completions?api-version=2025-01-01-preview');
});

describe('a key without a value', () => {
  const entra = () => ({
    tenant_id: 'tenant-1',
    client_id: 'client-1',
    client_secret: 'hush-hush',
    authority_host: upstream.url,
  });
  const tokenAnswer = (access_token: string, expires_in = 3_600) =>
    json({ token_type: 'Bearer', access_token, expires_in });

  test('shows a token of Microsoft Entra, asked for once', async () => {
    upstream.answers(tokenAnswer('tok-1'), json(CHAT_ANSWER), json(CHAT_ANSWER));
    const provider = azure(entra(), { value: '' });
    const before = upstream.requests.length;
    await asked(provider, 'openai-chat', CHAT);
    await asked(provider, 'openai-chat', CHAT);
    const [token, first, second] = upstream.requests.slice(before);
    expect(token?.path).toBe('/tenant-1/oauth2/v2.0/token');
    expect(Object.fromEntries(new URLSearchParams(token?.body.toString()))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client-1',
      client_secret: 'hush-hush',
      scope: 'https://cognitiveservices.azure.com/.default',
    });
    expect(first?.headers.authorization).toBe('Bearer tok-1');
    expect(first?.headers['api-key']).toBeUndefined();
    expect(second?.headers.authorization).toBe('Bearer tok-1');
  });

  test('asks for another token before the first one ends', async () => {
    upstream.answers(tokenAnswer('tok-1', 0), json(CHAT_ANSWER), tokenAnswer('tok-2'), json(CHAT_ANSWER));
    const provider = azure(entra(), { value: '' });
    await asked(provider, 'openai-chat', CHAT);
    await asked(provider, 'openai-chat', CHAT);
    expect(lastRequest().headers.authorization).toBe('Bearer tok-2');
  });

  test('shows it to Claude too, and asks with the scopes it was given', async () => {
    upstream.answers(tokenAnswer('tok-1'), json(CLAUDE_ANSWER));
    const provider = azure({ ...entra(), scopes: ['https://ai.azure.com/.default'] }, { value: '' });
    const before = upstream.requests.length;
    await asked(provider, 'anthropic-messages', MESSAGES, 'claude-sonnet-4-5');
    expect(upstream.requests[before]?.body.toString()).toContain('scope=https%3A%2F%2Fai.azure.com%2F.default');
    expect(lastRequest().headers.authorization).toBe('Bearer tok-1');
    expect(lastRequest().headers['x-api-key']).toBeUndefined();
  });

  test('that Entra refuses says so, without the secret', async () => {
    upstream.answers(
      json(
        { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1' },
        { status: 401 },
      ),
    );
    const { error } = await asked(azure(entra(), { value: '' }), 'openai-chat', CHAT);
    expect(error).toMatchObject({ kind: 'authentication' });
    expect((error as GatewayError).message).toMatch(
      /Entra gave no token \(401\): AADSTS7000215: [^\n]* check client_id/,
    );
    expect((error as GatewayError).message).not.toContain('hush-hush');
  });

  test('and without an identity says what to set', async () => {
    const { error } = await asked(azure({}, { value: '' }), 'openai-chat', CHAT);
    expect((error as GatewayError).message).toContain('set its value, or client_id, client_secret and tenant_id');
  });
});

test('a key without an endpoint says what to set', async () => {
  const { error } = await asked(azure({ endpoint: '' }), 'openai-chat', CHAT);
  expect((error as GatewayError).message).toContain('set azure_key_config.endpoint');
});

test('models are listed where the resource lists them', async () => {
  upstream.answers(json({ data: [{ id: 'gpt-4o', created: 1 }] }));
  const provider = azure();
  const [key] = provider.keys;
  const models = key && (await scene.catalog.listModels(provider, key, new AbortController().signal));
  expect(lastRequest()).toMatchObject({ method: 'GET', path: '/openai/v1/models' });
  expect(models).toEqual([{ id: 'gpt-4o', created: 1 }]);
});
