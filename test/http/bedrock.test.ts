import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import {
  type Block,
  type MessagesRefusal,
  type MessagesUpstream,
  startMessagesUpstream,
} from '../support/messages-upstream.ts';

let chat: ChatUpstream;
let messages: MessagesUpstream;
let script: (body: ChatBody) => ChatAnswer;
let claude: () => readonly Block[] | MessagesRefusal;
let gateway: Gateway;
let client: BedrockRuntimeClient;
let anthropic: AnthropicBedrock;

beforeAll(async () => {
  chat = await startChatUpstream((body) => script(body));
  messages = await startMessagesUpstream(() => claude());
  gateway = await startGatewayHere({
    providers: { openai: keyed(chat.url), anthropic: keyed(messages.url) },
    mcp: { client_configs: [testServer()] },
  });
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
  client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: `${gateway.url}/bedrock`,
    credentials,
    maxAttempts: 1,
  });
  anthropic = new AnthropicBedrock({
    baseURL: `${gateway.url}/bedrock`,
    awsRegion: 'us-east-1',
    awsAccessKey: 'AKIATEST',
    awsSecretKey: 'secret',
    maxRetries: 0,
  });
});

afterAll(async () => {
  client.destroy();
  await gateway.stop();
  await Promise.all([chat.close(), messages.close()]);
});

afterEach(() => {
  chat.bodies.length = 0;
  messages.bodies.length = 0;
});

const QUESTION: ConverseCommandInput = {
  modelId: 'openai/gpt-4o',
  messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
};

async function streamed(input: ConverseCommandInput): Promise<ConverseStreamOutput[]> {
  const { stream } = await client.send(new ConverseStreamCommand(input));
  const events: ConverseStreamOutput[] = [];
  for await (const event of stream ?? []) events.push(event);
  return events;
}

const textIn = (events: readonly ConverseStreamOutput[]): string =>
  events.map(({ contentBlockDelta }) => contentBlockDelta?.delta?.text ?? '').join('');

describe('the AWS SDK on /bedrock', () => {
  test('gets a whole answer of another model, with the work of our tools in it', async () => {
    script = ({ messages: given }) => {
      const result = given.findLast(({ role }) => role === 'tool');
      if (result) return { text: `it said ${String(result.content)}` };
      return { text: '', calls: [{ id: 'call_1', name: 'ref-echo', input: { value: 'cuckoo' } }] };
    };
    const answer = await client.send(new ConverseCommand(QUESTION));
    expect(answer.output?.message).toEqual({ role: 'assistant', content: [{ text: 'it said cuckoo' }] });
    expect(answer.stopReason).toBe('end_turn');
    expect(answer.usage?.totalTokens).toBe((answer.usage?.inputTokens ?? 0) + (answer.usage?.outputTokens ?? 0));
    expect(answer.metrics?.latencyMs).toBeTypeOf('number');
    expect(chat.bodies[0]).toMatchObject({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] });
  });

  test('gets its own calls, brings their results, and streams', async () => {
    script = ({ messages: given }) =>
      given.some(({ role }) => role === 'tool')
        ? { text: 'it is 21 degrees' }
        : { text: 'I look.', calls: [{ id: 'call_9', name: 'weather', input: { city: 'Köln' } }] };
    const toolConfig = {
      tools: [
        {
          toolSpec: {
            name: 'weather',
            description: 'The weather',
            inputSchema: { json: { type: 'object', properties: { city: { type: 'string' } } } },
          },
        },
      ],
    };
    const first = await streamed({ ...QUESTION, toolConfig });
    expect(first.map((event) => Object.keys(event)[0])).toEqual([
      'messageStart',
      ...Array(textDeltas(first)).fill('contentBlockDelta'),
      'contentBlockStop',
      'contentBlockStart',
      ...Array(inputDeltas(first)).fill('contentBlockDelta'),
      'contentBlockStop',
      'messageStop',
      'metadata',
    ]);
    expect(textIn(first)).toBe('I look.');
    expect(first.find(({ contentBlockStart }) => contentBlockStart)?.contentBlockStart).toEqual({
      contentBlockIndex: 1,
      start: { toolUse: { toolUseId: 'call_9', name: 'weather' } },
    });
    const input = first.map(({ contentBlockDelta }) => contentBlockDelta?.delta?.toolUse?.input ?? '').join('');
    expect(JSON.parse(input)).toEqual({ city: 'Köln' });
    expect(first.at(-2)?.messageStop?.stopReason).toBe('tool_use');
    expect(first.at(-1)?.metadata?.usage?.outputTokens).toBeGreaterThan(0);

    const toolUse = { toolUseId: 'call_9', name: 'weather', input: { city: 'Köln' } };
    const toolResult = { toolUseId: 'call_9', content: [{ json: { degrees: 21 } }], status: 'success' as const };
    const second = await streamed({
      ...QUESTION,
      toolConfig,
      messages: [
        { role: 'user', content: [{ text: 'Hi' }] },
        { role: 'assistant', content: [{ text: 'I look.' }, { toolUse }] },
        { role: 'user', content: [{ toolResult }] },
      ],
    });
    expect(textIn(second)).toBe('it is 21 degrees');
    expect(chat.bodies.at(-1)?.messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: 'call_9', function: { name: 'weather' } }] },
      { role: 'tool', tool_call_id: 'call_9', content: '{"degrees":21}' },
    ]);
  });

  test.each(['openai/gpt-4o', 'openai%2Fgpt-4o', 'openai%2fgpt-4o'])(
    'finds the model in the path: %s',
    async (model) => {
      script = () => ({ text: 'ok' });
      const body = { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] };
      const answer = await post(`${gateway.url}/bedrock/model/${model}/converse`, body);
      expect(answer.status).toBe(200);
      expect(chat.bodies.at(-1)?.model).toBe('gpt-4o');
    },
  );

  test.each(['litellm', 'langchain', 'pydanticai'])('is served below /%s too', async (alias) => {
    script = () => ({ text: 'ok' });
    const body = { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] };
    expect((await post(`${gateway.url}/${alias}/bedrock/model/openai%2Fgpt-4o/converse`, body)).status).toBe(200);
  });

  test('throws its own exceptions for our errors', async () => {
    const wrong = { ...QUESTION, modelId: 'nobody/knows', messages: [] };
    await expect(client.send(new ConverseCommand(wrong))).rejects.toMatchObject({
      name: 'ValidationException',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(client.send(new ConverseStreamCommand(wrong))).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('is told in Bedrock’s shape what is not served', async () => {
    const answer = await post(`${gateway.url}/bedrock/model/openai%2Fgpt-4o/dance`, {});
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([404, 'ResourceNotFoundException']);
    expect(await answer.json()).toEqual({ message: expect.stringContaining('POST /bedrock/model/{model}/converse') });
  });

  test('gets an upstream’s refusal with its status and words', async () => {
    claude = () => ({ status: 429, type: 'rate_limit_error', error: 'slow down' });
    const answer = client.send(new ConverseCommand({ ...QUESTION, modelId: 'anthropic/claude-sonnet-4-5' }));
    await expect(answer).rejects.toMatchObject({ name: 'ThrottlingException', message: 'slow down' });
  });

  test('keeps Claude’s signed thinking from turn to turn', async () => {
    const thinking: Block = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' };
    claude = () => [thinking, { type: 'text', text: 'Yes.' }];
    const modelId = 'anthropic/claude-sonnet-4-5';
    const answer = await client.send(new ConverseCommand({ ...QUESTION, modelId }));
    const message = answer.output?.message;
    expect(message?.content?.[0]).toEqual({
      reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } },
    });
    const again = {
      ...QUESTION,
      modelId,
      messages: [...(QUESTION.messages ?? []), ...(message ? [message] : []), ...(QUESTION.messages ?? [])],
    };
    await client.send(new ConverseCommand(again));
    expect(messages.bodies.at(-1)?.messages[1]).toMatchObject({
      role: 'assistant',
      content: [thinking, { text: 'Yes.' }],
    });
  });
});

const textDeltas = (events: readonly ConverseStreamOutput[]): number =>
  events.filter(({ contentBlockDelta }) => contentBlockDelta?.delta?.text !== undefined).length;
const inputDeltas = (events: readonly ConverseStreamOutput[]): number =>
  events.filter(({ contentBlockDelta }) => contentBlockDelta?.delta?.toolUse).length;

const INVOKE = {
  anthropic_version: 'bedrock-2023-05-31',
  anthropic_beta: ['context-1m-2025-08-07'],
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Hi' }],
};

describe('Anthropic bodies on /bedrock', () => {
  test('are invoked by the AWS SDK', async () => {
    claude = () => [{ type: 'text', text: 'Hello.' }];
    const modelId = 'anthropic/claude-sonnet-4-5';
    const { body } = await client.send(new InvokeModelCommand({ modelId, body: JSON.stringify(INVOKE) }));
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({
      content: [{ text: 'Hello.' }],
      stop_reason: 'end_turn',
    });
  });

  test('F2 reach Anthropic with the version and the betas where it wants them', async () => {
    claude = () => [{ type: 'text', text: 'Hello.' }];
    const url = `${gateway.url}/bedrock/model/anthropic%2Fclaude-sonnet-4-5/invoke`;
    await post(url, INVOKE, { 'x-bf-mcp-include-clients': '' });
    const { anthropic_version: _1, anthropic_beta: _2, ...rest } = INVOKE;
    expect(messages.bodies.at(-1)).toEqual({ model: 'claude-sonnet-4-5', ...rest });
    expect(messages.headers.at(-1)?.['anthropic-beta']).toBe('context-1m-2025-08-07');
  });

  test('stream as chunks to the AWS SDK', async () => {
    claude = () => [{ type: 'text', text: 'Hello.' }];
    const modelId = 'anthropic/claude-sonnet-4-5';
    const { body } = await client.send(
      new InvokeModelWithResponseStreamCommand({ modelId, body: JSON.stringify(INVOKE) }),
    );
    const events: { type: string }[] = [];
    for await (const { chunk } of body ?? []) events.push(JSON.parse(Buffer.from(chunk?.bytes ?? []).toString()));
    expect(events[0]?.type).toBe('message_start');
    expect(events.at(-1)?.type).toBe('message_stop');
    expect(JSON.stringify(events)).toContain('Hello.');
  });

  test('are read by Anthropic’s Bedrock SDK, whole, streamed and from another model', async () => {
    claude = () => [
      { type: 'text', text: 'Hello.' },
      { type: 'tool_use', id: 'toolu_1', name: 'mine', input: { a: 1 } },
    ];
    const question = { max_tokens: 100, messages: INVOKE.messages, model: 'anthropic/claude-sonnet-4-5' };
    const whole = await anthropic.messages.create(question);
    expect(whole.content).toMatchObject([{ text: 'Hello.' }, { name: 'mine', input: { a: 1 } }]);
    const stream = await anthropic.messages.stream(question).finalMessage();
    expect(stream.content).toMatchObject(whole.content);
    expect(stream.stop_reason).toBe('tool_use');
    script = () => ({ text: 'Hello from afar.' });
    const other = await anthropic.messages.stream({ ...question, model: 'openai/gpt-4o' }).finalMessage();
    expect(other.content).toMatchObject([{ type: 'text', text: 'Hello from afar.' }]);
  });

  test('of other models’ formats are refused with what to do', async () => {
    const answer = await post(`${gateway.url}/bedrock/model/amazon.titan/invoke`, { inputText: 'Hi' });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([400, 'ValidationException']);
    expect(await answer.json()).toEqual({ message: expect.stringContaining('use converse for other models') });
  });
});
