import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

const TURN = readFileSync(resolve(import.meta.dirname, '../fixtures/openai-responses/turn.sse'), 'utf8');

let native: Upstream;
let chat: ChatUpstream;
let script: (body: ChatBody) => ChatAnswer;
let gateway: Gateway;
let openai: OpenAI;

beforeAll(async () => {
  native = await startUpstream();
  chat = await startChatUpstream((body) => script(body));
  gateway = await startGatewayHere({
    providers: { openai: keyed(`${native.url}/v1`), groq: keyed(chat.url) },
    mcp: { client_configs: [testServer()] },
  });
  openai = new OpenAI({ apiKey: 'any', maxRetries: 0, baseURL: `${gateway.url}/openai/v1` });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([native.close(), chat.close()]);
});

afterEach(() => {
  chat.bodies.length = 0;
});

/** Without any tool of ours, so that the request passes untouched. */
const ALONE = { 'x-bf-mcp-include-clients': '' };
const results = ({ messages }: ChatBody): string[] =>
  messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));
const callsEcho = (body: ChatBody): ChatAnswer =>
  results(body).length > 0
    ? { text: `it said ${results(body).at(-1)}` }
    : { text: 'I ask.', calls: [{ id: 'call_1', name: 'ref-echo', input: { value: 'cuckoo' } }] };

describe('a provider that speaks the Responses API', () => {
  test.each(['/v1/responses', '/openai/v1/responses', '/openai/responses'])('gets %s as it came', async (path) => {
    native.answers(sse([TURN.slice(0, 2_000), TURN.slice(2_000)]));
    const body = { model: 'openai/gpt-5-mini', stream: true, input: 'Hi', client_metadata: { kept: 1 } };
    const answer = await post(`${gateway.url}${path}`, body, ALONE);
    expect(await answer.text()).toBe(TURN);
    const request = native.requests.at(-1);
    expect(request?.path).toBe('/v1/responses');
    expect(JSON.parse(String(request?.body))).toEqual({ ...body, model: 'gpt-5-mini' });
  });

  test('F15 a stream that breaks off ends with an error, which Codex and the SDKs know', async () => {
    native.answers(sse([TURN.slice(0, TURN.indexOf('event: response.completed'))], 'cut'));
    const answer = await post(
      `${gateway.url}/v1/responses`,
      { model: 'openai/gpt-5', stream: true, input: 'Hi' },
      ALONE,
    );
    const text = await answer.text();
    expect(text).toContain('event: response.failed');
    expect(text).not.toContain('event: response.completed');
  });

  test('a refusal keeps its status and words', async () => {
    native.answers(
      json(
        { error: { message: 'bad temperature', type: 'invalid_request_error', param: 'temperature' } },
        { status: 400 },
      ),
    );
    const asked = openai.responses.create({ model: 'openai/gpt-5', input: 'Hi' }, { headers: ALONE });
    await expect(asked).rejects.toMatchObject({ status: 400, message: expect.stringContaining('bad temperature') });
  });

  test('a tool of ours runs between two requests in its own format', async () => {
    const call = {
      id: 'fc_1',
      type: 'function_call',
      call_id: 'call_1',
      name: 'ref-echo',
      arguments: '{"value":"cuckoo"}',
    };
    const response = (output: object[]) => ({
      id: 'resp_1',
      object: 'response',
      status: 'completed',
      model: 'gpt-4o',
      output,
    });
    const said = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'cuckoo!' }],
    };
    const completed = (output: object[]) =>
      `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response: response(output) })}\n\n`;
    native.answers(sse([completed([call])]), sse([completed([said])]));
    const read = await openai.responses.create({ model: 'openai/gpt-4o', input: 'Hi', metadata: { kept: '1' } });
    expect(read.output_text).toBe('cuckoo!');
    const [first, second] = native.requests.slice(-2).map(({ body }) => JSON.parse(String(body)));
    expect(first).toMatchObject({ metadata: { kept: '1' }, input: 'Hi' });
    expect(first.tools.map(({ name }: { name: string }) => name)).toContain('ref-echo');
    expect(second).toMatchObject({
      metadata: { kept: '1' },
      input: [
        { role: 'user', content: 'Hi' },
        call,
        { type: 'function_call_output', call_id: 'call_1', output: expect.stringContaining('cuckoo') },
      ],
    });
  });
});

describe('a provider that speaks Chat Completions', () => {
  test('answers the SDK, whole and streamed, after the tools of ours ran', async () => {
    script = callsEcho;
    const question = { model: 'groq/llama', input: 'Hi', instructions: 'Be brief.' };
    const whole = await openai.responses.create(question);
    expect(whole.output_text).toContain('it said');
    expect(whole.output_text).toContain('cuckoo');
    expect(whole.model).toBe('groq/llama');
    const streamed = await openai.responses.stream(question).finalResponse();
    expect(streamed.output_text).toBe(whole.output_text);
    expect(streamed.output.every(({ type }) => type === 'message')).toBe(true);
    expect(chat.bodies[0]?.messages[0]).toMatchObject({ role: 'system', content: 'Be brief.' });
  });

  test('shows what ran to those who ask for it, and knows it again', async () => {
    script = callsEcho;
    const headers = { 'x-bf-mcp-tool-visibility': 'native' };
    const read = await openai.responses.stream({ model: 'groq/llama', input: 'Hi' }, { headers }).finalResponse();
    const [run] = read.output.filter(({ type }) => type === 'mcp_call');
    expect(run).toMatchObject({
      server_label: 'ref',
      name: 'echo',
      output: expect.stringContaining('cuckoo'),
      error: null,
    });
    script = () => ({ text: 'yes' });
    const input = [...(read.output as OpenAI.Responses.ResponseInput), { role: 'user' as const, content: 'Sure?' }];
    await openai.responses.create({ model: 'groq/llama', input });
    expect(chat.bodies.at(-1)?.messages.map(({ role }) => role)).toEqual(['assistant', 'tool', 'assistant', 'user']);
  });

  test("a mixed turn: ours runs, the client's own call comes back with its namespace, and nothing is lost", async () => {
    script = (body) => {
      if (results(body).length > 0) return { text: results(body).join(' | ') };
      const theirs = body.tools?.find((tool) => tool.function.name.startsWith('mcp__mine__look'))?.function.name ?? '';
      return {
        calls: [
          { id: 'call_ours', name: 'ref-echo', input: { value: 'cuckoo' } },
          { id: 'call_theirs', name: theirs, input: { where: 'here' } },
        ],
      };
    };
    const look = { type: 'function', name: 'look', parameters: { type: 'object', properties: {} } };
    const tools = [{ type: 'namespace', name: 'mcp__mine', description: 'Mine.', tools: [look] }];
    const asked = { model: 'groq/llama', stream: true, input: [{ role: 'user', content: 'Hi' }], tools };
    const first = await (await post(`${gateway.url}/v1/responses`, asked)).text();
    const completed = JSON.parse(/event: response\.completed\ndata: (.*)/.exec(first)?.[1] ?? '{}');
    expect(completed.response.output).toMatchObject([
      {
        type: 'function_call',
        call_id: 'call_theirs',
        name: 'look',
        namespace: 'mcp__mine',
        arguments: '{"where":"here"}',
      },
    ]);
    const output = { type: 'function_call_output', call_id: 'call_theirs', output: 'a tree' };
    const next = { ...asked, stream: false, input: [...asked.input, ...completed.response.output, output] };
    const second = await (await post(`${gateway.url}/v1/responses`, next)).text();
    expect(second).toMatch(/cuckoo[^|]* \| a tree/);
  });

  test('is not asked to go on with what another provider has stored', async () => {
    const asked = openai.responses.create({ model: 'groq/llama', input: 'Hi', previous_response_id: 'resp_1' });
    await expect(asked).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('previous_response_id'),
    });
    expect(chat.bodies).toEqual([]);
  });
});
