import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAmazonFrameReader } from '../../src/codecs/amazon-frames.ts';
import {
  type ConverseAnswer,
  type ConverseRequest,
  type ConverseUpstream,
  chunk,
  exception,
  frame,
  startConverseUpstream,
} from '../support/converse-upstream.ts';
import { type Gateway, post, startGatewayHere, testServer } from '../support/gateway.ts';

let aws: ConverseUpstream;
let gateway: Gateway;
let answer: (request: ConverseRequest) => ConverseAnswer;

const PROFILE = 'arn:aws:bedrock:eu-west-1:1234:application-inference-profile';

beforeAll(async () => {
  aws = await startConverseUpstream((request) => answer(request));
  const network_config = { base_url: aws.url };
  const signed = {
    name: 'signed',
    models: ['*'],
    weight: 1,
    aliases: { 'claude-mine': 'abc123', 'nova-mine': { model_id: 'def456' } },
    bedrock_key_config: {
      access_key: 'AKIATEST',
      secret_key: 'very-secret',
      session_token: 'session',
      region: 'eu-west-1',
      arn: PROFILE,
      deployments: { 'claude-old': 'old789' },
    },
  };
  gateway = await startGatewayHere({
    providers: { bedrock: { keys: [signed], network_config } },
    mcp: { client_configs: [testServer()] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await aws.close();
});

afterEach(() => {
  aws.requests.length = 0;
});

const ALONE = { 'x-bf-mcp-include-clients': '' };
const NOVA = 'bedrock/us.amazon.nova-pro-v1:0';
const CLAUDE = 'bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0';

const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 115, cacheReadInputTokens: 100 };
const WHOLE = {
  metrics: { latencyMs: 321 },
  output: { message: { role: 'assistant', content: [{ text: 'Hello.' }, { novelty: { kept: true } }] } },
  stopReason: 'end_turn',
  usage,
};
const STREAM = [
  frame('messageStart', { p: 'abc', role: 'assistant' }),
  frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hel' }, p: 'abcd' }),
  frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'lo.' }, p: 'a' }),
  frame('contentBlockStop', { contentBlockIndex: 0 }),
  frame('messageStop', { stopReason: 'end_turn' }),
  frame('metadata', { metrics: { latencyMs: 321 }, usage }),
];
const QUESTION = { messages: [{ role: 'user', content: [{ text: 'Hi' }] }], unknownField: { kept: 1 } };

const converse = (verb: string, model = NOVA, body: unknown = QUESTION, headers: Record<string, string> = ALONE) =>
  post(`${gateway.url}/bedrock/model/${encodeURIComponent(model)}/${verb}`, body, headers);
const chat = (model: string, more: object = {}, headers: Record<string, string> = ALONE) =>
  post(`${gateway.url}/v1/chat/completions`, { model, messages: [{ role: 'user', content: 'Hi' }], ...more }, headers);
const messages = (model: string, more: object = {}, headers: Record<string, string> = ALONE) =>
  post(
    `${gateway.url}/anthropic/v1/messages`,
    { model, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }], ...more },
    headers,
  );
const last = (): ConverseRequest => {
  const request = aws.requests.at(-1);
  if (!request) throw new Error('nothing was asked');
  return request;
};

describe('a Converse client of a Converse model', () => {
  test('gets the answer’s bytes as they came, and its own travel as they are', async () => {
    answer = () => ({ body: WHOLE });
    const given = `{ "messages" : [{"role":"user","content":[{"text":"Hi"}]}], "unknownField": 1.50 }`;
    const got = await converse('converse', NOVA, given);
    expect(await got.text()).toBe(JSON.stringify(WHOLE));
    expect(last().text).toBe(given);
    expect(last().path).toBe('/model/us.amazon.nova-pro-v1%3A0/converse');
  });

  test('gets a stream byte for byte', async () => {
    answer = () => ({ frames: STREAM });
    const got = await converse('converse-stream');
    expect(got.headers.get('content-type')).toBe('application/vnd.amazon.eventstream');
    expect(Buffer.from(await got.arrayBuffer()).equals(Buffer.concat(STREAM))).toBe(true);
    expect(last().path).toBe('/model/us.amazon.nova-pro-v1%3A0/converse-stream');
  });

  test('gets a refusal with its status, its type and its words', async () => {
    const message = 'Input is too long for requested model.';
    answer = () => ({
      status: 400,
      headers: { 'x-amzn-errortype': 'ValidationException:http://x/' },
      body: { message },
    });
    const got = await converse('converse-stream');
    expect([got.status, got.headers.get('x-amzn-errortype'), await got.json()]).toEqual([
      400,
      'ValidationException',
      { message },
    ]);
  });

  test('is told by an exception of a stream that breaks off', async () => {
    answer = () => ({ frames: STREAM.slice(0, 3), cut: true });
    const frames = createAmazonFrameReader().push(Buffer.from(await (await converse('converse-stream')).arrayBuffer()));
    expect(frames.at(-1)?.headers).toMatchObject({ ':message-type': 'exception' });
  });

  test('has our tools run between two requests', async () => {
    const call = { toolUse: { toolUseId: 'tooluse_1', name: 'ref-echo', input: { value: 'hey' } } };
    answer = ({ text }) =>
      text.includes('toolResult')
        ? { body: WHOLE }
        : {
            body: {
              ...WHOLE,
              output: { message: { role: 'assistant', content: [{ text: 'I look.' }, call] } },
              stopReason: 'tool_use',
            },
          };
    const got = await converse('converse', NOVA, QUESTION, {});
    expect(await got.json()).toMatchObject({
      output: { message: { content: [{ text: 'I look.' }, { text: 'Hello.' }, { novelty: { kept: true } }] } },
    });
    const second = JSON.parse(last().text);
    expect(second.unknownField).toEqual({ kept: 1 });
    expect(second.messages.slice(1)).toEqual([
      { role: 'assistant', content: [{ text: 'I look.' }, call] },
      { role: 'user', content: [{ toolResult: { toolUseId: 'tooluse_1', content: [{ text: 'hey' }] } }] },
    ]);
    expect(second.toolConfig.tools.map(({ toolSpec }: { toolSpec: { name: string } }) => toolSpec.name)).toContain(
      'ref-echo',
    );
  });
});

describe('other clients of a Converse model', () => {
  test('read its answer in their own formats, and what it cost', async () => {
    answer = () => ({ body: WHOLE });
    expect(await (await chat(NOVA)).json()).toMatchObject({
      choices: [{ message: { content: 'Hello.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 110, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 100 } },
    });
    answer = () => ({ frames: STREAM });
    expect(await (await messages(NOVA, { stream: true })).text()).toMatch(/"text":"Hel".*"text":"lo\."/s);
    expect(JSON.parse(last().text)).toEqual({
      inferenceConfig: { maxTokens: 100 },
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
    });
  });

  test('C8 an exception before the first word is a status', async () => {
    answer = () => ({
      frames: [frame('messageStart', { role: 'assistant' }), exception('throttlingException', 'slow')],
    });
    const got = await chat(NOVA, { stream: true });
    expect(got.status).toBe(429);
    expect(await got.json()).toMatchObject({ error: { message: 'slow' } });
  });

  test('C9 an exception in the middle is an error, never an end', async () => {
    answer = () => ({ frames: [...STREAM.slice(0, 3), exception('modelStreamErrorException', 'broke off')] });
    const text = await (await chat(NOVA, { stream: true })).text();
    expect(text).toContain('broke off');
    expect(text).not.toContain('"finish_reason":"stop"');
  });

  const kinds: [number, string, string, number][] = [
    [400, 'ValidationException', 'invalid_request_error', 400],
    [403, 'AccessDeniedException', 'permission_error', 403],
    [403, 'UnrecognizedClientException', 'authentication_error', 403],
    [404, 'ResourceNotFoundException', 'not_found_error', 404],
    [408, 'ModelTimeoutException', 'timeout_error', 408],
    [424, 'ModelErrorException', 'overloaded_error', 424],
    [429, 'ThrottlingException', 'rate_limit_error', 429],
    [500, 'InternalServerException', 'api_error', 500],
    [503, 'ServiceUnavailableException', 'overloaded_error', 503],
  ];

  test.each(kinds)('%s %s is a %s for Messages clients', async (status, type, word, told) => {
    answer = () => ({ status, headers: { 'x-amzn-errortype': type }, body: { message: `it was ${type}` } });
    for (const model of [NOVA, CLAUDE]) {
      const got = await messages(model);
      expect([got.status, await got.json()]).toMatchObject([
        told,
        { error: { type: word, message: `it was ${type}` } },
      ]);
    }
  });

  test('a conversation that is too long is told in the word that OpenAI’s clients know', async () => {
    const message = 'Input is too long for requested model.';
    answer = () => ({ status: 400, headers: { 'x-amzn-errortype': 'ValidationException' }, body: { message } });
    expect(await (await chat(NOVA)).json()).toMatchObject({ error: { code: 'context_length_exceeded', message } });
  });
});

const MESSAGE = {
  id: 'msg_bdrk_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [{ type: 'text', text: 'Hello.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 5 },
};
const EVENTS = [
  { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 10 } },
];

describe('Claude on Bedrock', () => {
  test('F2 is asked in its own format, with version and betas in the body and the rest as it came', async () => {
    answer = () => ({ body: MESSAGE });
    const got = await messages(
      CLAUDE,
      { top_k: 5, tools: [{ name: 'mine', input_schema: { type: 'object', large: 12345678901234567000 } }] },
      { ...ALONE, 'anthropic-beta': 'context-1m-2025-08-07,unheard-of-2031-01-01', 'anthropic-version': '2023-06-01' },
    );
    expect(await got.text()).toBe(JSON.stringify(MESSAGE));
    const { path, text, headers } = last();
    expect(path).toBe('/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke');
    expect(JSON.parse(text)).toEqual({
      anthropic_version: 'bedrock-2023-05-31',
      anthropic_beta: ['context-1m-2025-08-07'],
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Hi' }],
      top_k: 5,
      tools: [{ name: 'mine', input_schema: { type: 'object', large: 12345678901234567000 } }],
    });
    expect(headers['anthropic-beta']).toBeUndefined();
    expect(headers['anthropic-version']).toBeUndefined();
  });

  test('streams Anthropic’s events as they came', async () => {
    answer = () => ({ frames: EVENTS.map(chunk) });
    const text = await (await messages(CLAUDE, { stream: true })).text();
    expect(text).toBe(EVENTS.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
    expect(last().path).toMatch(/invoke-with-response-stream$/);
    expect(JSON.parse(last().text).stream).toBeUndefined();
  });

  test('streams through /invoke chunk by chunk', async () => {
    answer = () => ({ frames: EVENTS.map(chunk) });
    const body = {
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hi' }],
    };
    const got = await converse('invoke-with-response-stream', CLAUDE, body);
    const frames = createAmazonFrameReader().push(Buffer.from(await got.arrayBuffer()));
    const events = frames.map(({ payload }) =>
      JSON.parse(Buffer.from(JSON.parse(payload.toString()).bytes, 'base64').toString()),
    );
    expect(events).toEqual(EVENTS);
    expect(JSON.parse(last().text)).toEqual(body);
  });

  test('answers Converse clients over Converse', async () => {
    answer = () => ({ body: WHOLE });
    const got = await converse('converse', CLAUDE);
    expect(await got.text()).toBe(JSON.stringify(WHOLE));
    expect(last().path).toMatch(/\/converse$/);
  });

  test('answers clients of other formats, an exception in its stream among it', async () => {
    answer = () => ({ frames: [...EVENTS.slice(0, 3).map(chunk), exception('throttlingException', 'too fast')] });
    const text = await (await chat(CLAUDE, { stream: true })).text();
    expect(text).toContain('Hello.');
    expect(text).toContain('too fast');
  });

  test('F1 is not sent what Bedrock refuses to know, and the ledger says so', async () => {
    answer = () => ({ body: MESSAGE });
    await messages(CLAUDE, { service_tier: 'auto', container: 'c' });
    expect(Object.keys(JSON.parse(last().text))).toEqual(['anthropic_version', 'max_tokens', 'messages']);
  });
});

describe('beside the answers', () => {
  test('F8 Claude’s tokens are counted by Bedrock', async () => {
    answer = () => ({ body: { inputTokens: 321 } });
    const body = { model: CLAUDE, messages: [{ role: 'user', content: 'Hi' }] };
    const got = await post(`${gateway.url}/anthropic/v1/messages/count_tokens`, body);
    expect(await got.json()).toEqual({ input_tokens: 321 });
    expect(last().path).toMatch(/\/count-tokens$/);
    const counted = Buffer.from(JSON.parse(last().text).input.invokeModel.body, 'base64').toString();
    expect(JSON.parse(counted)).toEqual({ anthropic_version: 'bedrock-2023-05-31', messages: body.messages });
  });

  test('models are listed, those that talk', async () => {
    const modelSummaries = [
      { modelId: 'amazon.nova-pro-v1:0', modelName: 'Nova Pro', outputModalities: ['TEXT'] },
      { modelId: 'amazon.nova-canvas-v1:0', modelName: 'Nova Canvas', outputModalities: ['IMAGE'] },
    ];
    answer = () => ({ body: { modelSummaries } });
    const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: { id: string }[] };
    const ids = data.map(({ id }) => id);
    expect(ids).toContain('bedrock/amazon.nova-pro-v1:0');
    expect(ids).not.toContain('bedrock/amazon.nova-canvas-v1:0');
    expect([last().method, last().path]).toEqual(['GET', '/foundation-models']);
    expect(last().headers.authorization).toContain('AWS4-HMAC-SHA256');
  });
});

describe('the way in', () => {
  test('is signed for the key’s region, and says no secret', async () => {
    answer = () => ({ body: WHOLE });
    await converse('converse');
    const { authorization, 'x-amz-security-token': session } = last().headers;
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=.*host.*Signature=[0-9a-f]{64}$/,
    );
    expect(session).toBe('session');
    expect(gateway.output()).not.toContain('very-secret');
  });

  test('knows models by alias and by deployment, below the key’s ARN', async () => {
    answer = ({ path }) => ({ body: path.endsWith('/invoke') ? MESSAGE : WHOLE });
    await chat('bedrock/nova-mine');
    expect(last().path).toBe(`/model/${encodeURIComponent(`${PROFILE}/def456`)}/converse`);
    await chat('bedrock/claude-mine');
    expect(last().path).toBe(`/model/${encodeURIComponent(`${PROFILE}/abc123`)}/invoke`);
    await chat('bedrock/claude-old');
    expect(last().path).toBe(`/model/${encodeURIComponent(`${PROFILE}/old789`)}/invoke`);
  });

  test.each(['anthropic.claude-3-5-haiku-20241022-v1:0', 'eu.amazon.nova-lite-v1:0', `${PROFILE}/x`])(
    'is found for the bare name %s',
    async (model) => {
      answer = ({ path }) => ({ body: path.endsWith('/invoke') ? MESSAGE : WHOLE });
      expect((await chat(model)).status).toBe(200);
    },
  );

  test('takes a Bedrock API key as a bearer token', async () => {
    answer = () => ({ body: WHOLE });
    const keyed = await startGatewayHere({
      providers: {
        bedrock: {
          keys: [{ name: 'k', value: 'bedrock-api-key-1', models: ['*'], weight: 1 }],
          network_config: { base_url: aws.url },
        },
      },
    });
    const body = { model: NOVA, messages: [{ role: 'user', content: 'Hi' }] };
    expect((await post(`${keyed.url}/v1/chat/completions`, body)).status).toBe(200);
    expect(last().headers.authorization).toBe('Bearer bedrock-api-key-1');
    await keyed.stop();
  });
});
