import { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { azurePath } from '../../src/http/azure-routes.ts';
import { type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;
let client: AzureOpenAI;

const CHAT_ANSWER = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};
const CLAUDE_ANSWER = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2 },
};
const RESPONSES_ANSWER = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'm',
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

const messages = [{ role: 'user' as const, content: 'Hi' }];

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      azure: {
        keys: [{ name: 'a', value: 'az', azure_key_config: { endpoint: upstream.url, api_version: '2024-10-21' } }],
      },
      anthropic: keyed(upstream.url),
      openai: keyed(`${upstream.url}/v1`),
    },
  });
  client = new AzureOpenAI({
    endpoint: `${gateway.url}/openai`,
    apiKey: 'any',
    apiVersion: '2024-06-01',
    maxRetries: 0,
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const lastRequest = () => upstream.requests.at(-1);
const lastBody = () => JSON.parse(lastRequest()?.body.toString() ?? '');

describe("Azure's SDK", () => {
  test('reaches the deployment of the name it was given', async () => {
    upstream.answers(json(CHAT_ANSWER));
    const answer = await client.chat.completions.create({ model: 'prod', messages });
    expect(answer.choices[0]?.message.content).toBe('Hello');
    expect(lastRequest()?.path).toBe('/openai/deployments/prod/chat/completions?api-version=2024-10-21');
    expect(lastBody()).toEqual({ model: 'prod', messages });
  });

  test('reaches any provider whose name stands before the model', async () => {
    upstream.answers(json(CLAUDE_ANSWER));
    const answer = await client.chat.completions.create({ model: 'anthropic/claude-sonnet-4-5', messages });
    expect(answer.choices[0]?.message.content).toBe('Hello');
    expect(lastRequest()?.path).toBe('/v1/messages');
    expect(lastBody().model).toBe('claude-sonnet-4-5');
  });

  test('means the deployment in its address, whatever the body says', async () => {
    upstream.answers(json(CHAT_ANSWER));
    const fixed = new AzureOpenAI({
      endpoint: `${gateway.url}/openai`,
      deployment: 'openai/gpt-4o',
      apiKey: 'any',
      apiVersion: '2024-06-01',
      maxRetries: 0,
    });
    await fixed.chat.completions.create({ model: 'something-else', messages });
    expect(lastRequest()?.path).toBe('/v1/chat/completions');
    expect(lastBody().model).toBe('gpt-4o');
  });

  test('streams', async () => {
    const chunk = (delta: object, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk({ role: 'assistant', content: 'Hello' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    const pieces: string[] = [];
    for await (const { choices } of await client.chat.completions.create({ model: 'prod', messages, stream: true })) {
      pieces.push(choices[0]?.delta.content ?? '');
    }
    expect(pieces.join('')).toBe('Hello');
  });

  test('asks for responses outside of any deployment, and a bare name is one none the less', async () => {
    upstream.answers(json(RESPONSES_ANSWER));
    const answer = await client.responses.create({ model: 'prod', input: 'Hi' });
    expect(answer.output_text).toBe('Hello');
    expect(lastRequest()?.path).toBe('/openai/v1/responses');
    expect(lastBody().model).toBe('prod');
  });

  test('embeds', async () => {
    upstream.answers(
      json({
        object: 'list',
        model: 'e',
        data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
        usage: { prompt_tokens: 1, total_tokens: 1 },
      }),
    );
    const answer = await client.embeddings.create({ model: 'emb', input: 'Hi', encoding_format: 'float' });
    expect(answer.data[0]?.embedding).toEqual([0.5, 1]);
    expect(lastRequest()?.path).toBe('/openai/deployments/emb/embeddings?api-version=2024-10-21');
  });
});

test('a body that names no model is completed from its address', async () => {
  upstream.answers(json(CHAT_ANSWER));
  const answer = await fetch(
    `${gateway.url}/openai/openai/deployments/openai%2Fgpt-4o/chat/completions?api-version=1`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, temperature: 0 }),
    },
  );
  expect(answer.status).toBe(200);
  expect(lastBody()).toEqual({ model: 'gpt-4o', messages, temperature: 0 });
});

test.each([
  ['/openai/openai/deployments/d/chat/completions', '/openai/chat/completions', 'd'],
  ['/openai/deployments/a/b/images/generations', '/openai/images/generations', 'a/b'],
  ['/openai/openai/deployments/a%2Fb/audio/speech', '/openai/audio/speech', 'a/b'],
  ['/openai/openai/v1/responses', '/openai/v1/responses', undefined],
  ['/openai/openai/models', '/openai/models', undefined],
])('%s stands for %s', (given, path, deployment) => {
  expect(azurePath(given)).toMatchObject({ path, azure: deployment === undefined ? {} : { deployment } });
});

test.each(['/openai/v1/chat/completions', '/openai/deployments/d', '/openai/openai/deployments/%zz/completions'])(
  '%s is no path of Azure',
  (given) => {
    expect(azurePath(given)).toBeUndefined();
  },
);
