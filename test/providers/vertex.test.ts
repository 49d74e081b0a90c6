import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import type { GatewayError } from '../../src/model/errors.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { fixture } from '../codecs/gemini/support.ts';
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

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** A credentials file as Google's console gives it, but for where tokens are. */
const serviceAccount = (more: object = {}): string =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'proj-of-file',
    private_key_id: 'k1',
    private_key: privateKey,
    client_email: 'gateway@proj.iam.gserviceaccount.com',
    client_id: '1',
    token_uri: `${upstream.url}/token`,
    ...more,
  });

const vertex = (config: object = {}, key: object = {}, network: object = {}): Provider =>
  providerAt('vertex', upstream.url, network, {
    keys: [
      {
        name: 'main',
        value: '',
        vertex_key_config: {
          project_id: 'proj-1',
          region: 'us-east5',
          auth_credentials: serviceAccount(),
          ...config,
        },
        ...key,
      },
    ],
  });

async function asked(provider: Provider, dialect: CodecId, body: object, model: string, headers = {}) {
  const context = contextOf(dialect, { caller: { forwardHeaders: headers } });
  const request = requestOf(dialect, body);
  return { ...(await heard(framesFor(scene, { provider, request, context, model }))), losses: context.trace.losses };
}

const token = (access_token = 'ya29.one') => json({ access_token, expires_in: 3_599, token_type: 'Bearer' });
const lastRequest = (): ReceivedRequest => {
  const last = upstream.requests.at(-1);
  if (!last) throw new Error('nothing was asked');
  return last;
};
const bodyOf = ({ body }: ReceivedRequest): Record<string, unknown> => JSON.parse(body.toString());

const CHAT = { model: 'vertex/m', messages: [{ role: 'user', content: 'Hi' }] };
const MESSAGES = { model: 'vertex/m', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };
const CHAT_ANSWER = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};
const CLAUDE_ANSWER = {
  id: 'msg_vrtx_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2 },
};

const PROJECT = '/projects/proj-1/locations/us-east5';

describe('Gemini', () => {
  test('is asked in the project and region of the key, with a token of its service account', async () => {
    upstream.answers(token(), sse([fixture('thinking-and-calls.sse')]));
    const before = upstream.requests.length;
    const { response } = await asked(vertex(), 'openai-chat', { ...CHAT, stream: true }, 'gemini-2.5-pro');
    expect(response.reason.kind).toBe('tool-calls');
    const [asking, chat] = upstream.requests.slice(before);
    expect(asking).toMatchObject({ method: 'POST', path: '/token' });
    const form = new URLSearchParams(asking?.body.toString());
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    expect(JSON.parse(Buffer.from(form.get('assertion')?.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      iss: 'gateway@proj.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
    expect(chat).toMatchObject({
      method: 'POST',
      path: `/v1beta1${PROJECT}/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse`,
    });
    expect(chat?.headers.authorization).toBe('Bearer ya29.one');
    expect(chat?.headers['x-goog-api-key']).toBeUndefined();
    expect(bodyOf(chat as ReceivedRequest)).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
  });

  test('A4 anyOf stands alone in the schemas of its tools', async () => {
    upstream.answers(token(), json(fixture('answer.json')));
    const place = { description: 'where', anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] };
    const parameters = { type: 'object', properties: { place }, required: ['place'] };
    const tools = [{ type: 'function', function: { name: 'go', description: 'go there', parameters } }];
    await asked(vertex(), 'openai-chat', { ...CHAT, tools }, 'gemini-2.5-pro');
    const beside: string[][] = [];
    JSON.stringify(bodyOf(lastRequest()).tools, (_, value) => {
      if (value && typeof value === 'object' && 'anyOf' in value) beside.push(Object.keys(value));
      return value;
    });
    expect(beside).toEqual([['anyOf']]);
  });

  test('keeps its token for the next request', async () => {
    upstream.answers(token(), json(fixture('answer.json')), json(fixture('answer.json')));
    const provider = vertex();
    await asked(provider, 'openai-chat', CHAT, 'gemini-2.5-pro');
    expect((await asked(provider, 'openai-chat', CHAT, 'google/gemini-2.5-pro')).error).toBeUndefined();
    expect(lastRequest().path).toBe(`/v1beta1${PROJECT}/publishers/google/models/gemini-2.5-pro:generateContent`);
  });

  test('a tuned model is an endpoint of the project', async () => {
    upstream.answers(token(), json(fixture('answer.json')));
    await asked(vertex(), 'openai-chat', CHAT, '1234567890');
    expect(lastRequest().path).toBe(`/v1beta1${PROJECT}/endpoints/1234567890:generateContent`);
  });

  test('with an express key needs neither project nor token', async () => {
    upstream.answers(json(fixture('answer.json')));
    const provider = vertex({ project_id: undefined, auth_credentials: undefined }, { value: 'express-key' });
    await asked(provider, 'openai-chat', CHAT, 'gemini-2.5-pro');
    expect(lastRequest().path).toBe('/v1beta1/publishers/google/models/gemini-2.5-pro:generateContent');
    expect(lastRequest().headers['x-goog-api-key']).toBe('express-key');
  });

  test('the project may come from the credentials, and an alias may lead to another region', async () => {
    upstream.answers(token(), json(fixture('answer.json')));
    const aliases = { fast: { model_id: 'gemini-2.5-flash', region: 'europe-west4' } };
    await asked(vertex({ project_id: undefined }, { aliases }), 'openai-chat', CHAT, 'gemini-2.5-flash');
    expect(lastRequest().path).toContain('/projects/proj-of-file/locations/europe-west4/');
  });

  test('counts tokens and lists models', async () => {
    upstream.answers(
      token(),
      json({ totalTokens: 7 }),
      token(),
      json({ publisherModels: [{ name: 'publishers/google/models/gemini-2.5-pro' }] }),
    );
    const provider = vertex();
    const [key] = provider.keys;
    if (!key) throw new Error('no key');
    const request = requestOf('openai-chat', CHAT);
    const target = { provider, key, model: 'gemini-2.5-pro' };
    expect(await scene.catalog.countTokens(target, request, contextOf('openai-chat'))).toBe(7);
    expect(lastRequest().path).toBe(`/v1beta1${PROJECT}/publishers/google/models/gemini-2.5-pro:countTokens`);
    expect(bodyOf(lastRequest())).toMatchObject({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
    const models = await scene.catalog.listModels(provider, key, new AbortController().signal);
    expect(lastRequest().path).toBe('/v1beta1/publishers/google/models?pageSize=1000');
    expect(models).toEqual([{ id: 'gemini-2.5-pro', created: 0 }]);
  });
});

test.each([
  ['us-central1', 'https://us-central1-aiplatform.googleapis.com'],
  ['global', 'https://aiplatform.googleapis.com'],
  ['', 'https://aiplatform.googleapis.com'],
  ['eu', 'https://aiplatform.eu.rep.googleapis.com'],
])('the host of region "%s" is %s', (region, host) => {
  const provider = vertex({ region }, {}, { base_url: undefined });
  const [key] = provider.keys;
  if (!key) throw new Error('no key');
  expect(provider.upstreamOf(key)).toMatchObject({
    baseUrl: `${host}/v1beta1`,
    cloud: { project: 'proj-1', region: region || 'global' },
  });
});

describe('Claude', () => {
  test('is asked in its own format: the model stands in the path, the version in the body', async () => {
    upstream.answers(token(), json(CLAUDE_ANSWER));
    const { bytes } = await asked(vertex(), 'anthropic-messages', MESSAGES, 'claude-sonnet-4-5@20250929');
    expect(lastRequest().path).toBe(`/v1${PROJECT}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`);
    expect(lastRequest().headers.authorization).toBe('Bearer ya29.one');
    expect(lastRequest().headers['x-api-key']).toBeUndefined();
    expect(lastRequest().headers['anthropic-version']).toBeUndefined();
    const { model: _model, ...rest } = MESSAGES;
    expect(bodyOf(lastRequest())).toEqual({ ...rest, anthropic_version: 'vertex-2023-10-16' });
    expect(JSON.parse(bytes)).toEqual(CLAUDE_ANSWER);
  });

  test('streams by another verb, whatever version the client speaks', async () => {
    const events = [
      { type: 'message_start', message: { ...CLAUDE_ANSWER, content: [], stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ];
    upstream.answers(token(), sse(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)));
    const headers = { 'anthropic-version': '2023-06-01' };
    const body = { ...MESSAGES, stream: true };
    const { bytes } = await asked(vertex(), 'anthropic-messages', body, 'claude-opus-4-1', headers);
    expect(lastRequest().path).toBe(`/v1${PROJECT}/publishers/anthropic/models/claude-opus-4-1:streamRawPredict`);
    expect(bodyOf(lastRequest())).toMatchObject({ stream: true, anthropic_version: 'vertex-2023-10-16' });
    expect(bytes).toContain('"text":"Hello"');
  });

  test('F3 betas that are unknown there are left out and told; known ones go along', async () => {
    upstream.answers(token(), json(CLAUDE_ANSWER));
    const headers = { 'anthropic-beta': 'interleaved-thinking-2025-05-14, claude-code-20250219' };
    const { losses } = await asked(vertex(), 'anthropic-messages', MESSAGES, 'claude-opus-4-1', headers);
    expect(lastRequest().headers['anthropic-beta']).toBe('interleaved-thinking-2025-05-14');
    expect(losses).toContainEqual({
      field: 'anthropic-beta: claude-code-20250219',
      action: 'dropped',
      reason: 'this beta is unknown to the provider',
    });
  });

  test('F3 beta_header_overrides decide first', async () => {
    upstream.answers(token(), json(CLAUDE_ANSWER));
    const network = { beta_header_overrides: { 'claude-code': true, 'interleaved-thinking': false } };
    const headers = { 'anthropic-beta': 'interleaved-thinking-2025-05-14,claude-code-20250219' };
    await asked(vertex({}, {}, network), 'anthropic-messages', MESSAGES, 'claude-opus-4-1', headers);
    expect(lastRequest().headers['anthropic-beta']).toBe('claude-code-20250219');
  });

  test('is counted where Vertex counts it', async () => {
    upstream.answers(token(), json({ input_tokens: 5 }));
    const provider = vertex();
    const [key] = provider.keys;
    if (!key) throw new Error('no key');
    const target = { provider, key, model: 'claude-opus-4-1' };
    const counted = scene.catalog.countTokens(
      target,
      requestOf('anthropic-messages', MESSAGES),
      contextOf('anthropic-messages'),
    );
    expect(await counted).toBe(5);
    expect(lastRequest().path).toBe(`/v1${PROJECT}/publishers/anthropic/models/count-tokens:rawPredict`);
    expect(bodyOf(lastRequest()).model).toBe('claude-opus-4-1');
  });

  test('keeps status and words of a refusal', async () => {
    const error = { type: 'invalid_request_error', message: 'max_tokens: Field required' };
    upstream.answers(token(), json({ type: 'error', error }, { status: 400 }));
    const { error: told } = await asked(vertex(), 'anthropic-messages', MESSAGES, 'claude-opus-4-1');
    expect(told).toMatchObject({ kind: 'invalid-request', message: error.message, details: { status: 400 } });
  });
});

describe("other vendors' models", () => {
  test('Llama is asked in OpenAI format with its publisher in the name', async () => {
    upstream.answers(token(), json(CHAT_ANSWER));
    const model = 'meta/llama-3.3-70b-instruct-maas';
    const { response } = await asked(vertex(), 'anthropic-messages', MESSAGES, model);
    expect(lastRequest().path).toBe(`/v1${PROJECT}/endpoints/openapi/chat/completions`);
    expect(lastRequest().headers.authorization).toBe('Bearer ya29.one');
    expect(bodyOf(lastRequest())).toMatchObject({ model, max_tokens: 9 });
    expect(response.parts).toEqual([{ type: 'text', text: 'Hello' }]);
  });

  test('Mistral has a verb for streams', async () => {
    upstream.answers(token(), json(CHAT_ANSWER));
    await asked(vertex(), 'openai-chat', CHAT, 'mistral-small-2503');
    expect(lastRequest().path).toBe(`/v1${PROJECT}/publishers/mistralai/models/mistral-small-2503:rawPredict`);
  });
});

describe('credentials', () => {
  test('that Google refuses are told, without the key', async () => {
    upstream.answers(json({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }, { status: 400 }));
    const { error } = await asked(vertex(), 'openai-chat', CHAT, 'gemini-2.5-pro');
    expect(error).toMatchObject({ kind: 'authentication' });
    expect((error as GatewayError).message).toContain('Google gave no access token: invalid_grant');
    expect((error as GatewayError).message).not.toContain('PRIVATE KEY');
  });

  test.each(['claude-opus-4-1', 'meta/llama-3.3-70b-instruct-maas'])('also for %s', async (model) => {
    upstream.answers(json({ error: 'invalid_grant' }, { status: 400 }));
    const { error } = await asked(vertex(), 'anthropic-messages', MESSAGES, model);
    expect(error).toMatchObject({ kind: 'authentication' });
  });

  test('that are no JSON are told without being shown', async () => {
    const { error } = await asked(vertex({ auth_credentials: 'hush-hush' }), 'openai-chat', CHAT, 'gemini-2.5-pro');
    expect((error as GatewayError).message).toContain('auth_credentials of key "main"');
    expect((error as GatewayError).message).not.toContain('hush-hush');
  });

  test('without a project say what to set', async () => {
    const config = { project_id: '', auth_credentials: serviceAccount({ project_id: undefined }) };
    const { error } = await asked(vertex(config), 'openai-chat', CHAT, 'gemini-2.5-pro');
    expect((error as GatewayError).message).toContain('set vertex_key_config.project_id');
  });
});
