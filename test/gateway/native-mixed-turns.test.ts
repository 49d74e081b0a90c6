import OpenAI from 'openai';
import type { ResponseInput } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, startGatewayHere, testServer } from '../support/gateway.ts';
import { sse as eventText, objectOf, objectsOf, textOf } from '../support/strict-server.ts';
import { json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

// A model calls a tool of the gateway's and the client's own shell in one turn: the gateway runs its own, the client is
// handed the shell, and what it made of it goes back beside what the gateway's tool gave.

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    client: { enable_logging: false },
    providers: { anthropic: keyed(upstream.url), openai: keyed(`${upstream.url}/v1`) },
    mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo'] })] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const SHELL: JsonObject = {
  type: 'shell_call',
  id: 'sh_1',
  call_id: 'call_shell',
  action: { commands: ['ls'], timeout_ms: null, max_output_length: null },
  environment: { type: 'local' },
  status: 'completed',
};
const ECHO: JsonObject = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_echo',
  name: 'ref-echo',
  arguments: '{"value":"cuckoo"}',
  status: 'completed',
};
const SAID: JsonObject = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'Done.', annotations: [] }],
};

const response = (...output: JsonObject[]): JsonObject => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-5.1',
  status: 'completed',
  output,
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
});

const told = (...output: JsonObject[]) =>
  sse(
    [
      { type: 'response.created', response: { ...response(), status: 'in_progress' } },
      ...output.flatMap((item, at) => [
        { type: 'response.output_item.added', output_index: at, item: { ...item, status: 'in_progress' } },
        { type: 'response.output_item.done', output_index: at, item },
      ]),
      { type: 'response.completed', response: response(...output) },
    ].map((event: JsonObject) => eventText(event, textOf(event.type))),
  );

/** The answer of Claude that asks for both. */
const messages = (...content: JsonObject[]) =>
  json({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content,
    stop_reason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
    usage: { input_tokens: 1, output_tokens: 1 },
  });

const client = () => new OpenAI({ apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 });

/** Two turns of a client that runs a shell: the items that it was given to run, and the last request's body. */
async function walk(model: string): Promise<{ output: unknown[]; body: JsonObject }> {
  const asked = { model, tools: [{ type: 'shell' as const }], store: false };
  const input: ResponseInput = [{ role: 'user', content: 'Look.' }];
  const { output } = await client().responses.create({ ...asked, input });
  const call = output.find((item) => item.type === 'shell_call');
  if (!call) throw new Error(`no shell was called: ${JSON.stringify(output)}`);
  const result = {
    type: 'shell_call_output' as const,
    call_id: call.call_id,
    output: [{ stdout: 'a.txt', stderr: '', outcome: { type: 'exit' as const, exit_code: 0 } }],
  };
  // what an answer held goes back as it came
  const back = [...input, ...(output as ResponseInput), result];
  const last = await client().responses.create({ ...asked, input: back });
  expect(last.output_text).toBe('Done.');
  return { output, body: objectOf(JSON.parse(upstream.requests.at(-1)?.body.toString() ?? '{}')) };
}

test('by OpenAI’s own model', async () => {
  upstream.answers(told(ECHO, SHELL), told(SAID));
  const { output, body } = await walk('openai/gpt-5.1');
  expect(output).toMatchObject([SHELL]);
  const items = objectsOf(body.input).map(({ type, call_id: id }) => [type, id]);
  expect(items).toEqual([
    ['message', undefined],
    ['function_call', 'call_echo'],
    ['shell_call', 'call_shell'],
    ['function_call_output', 'call_echo'],
    ['shell_call_output', 'call_shell'],
  ]);
  expect(JSON.stringify(body.input)).toContain('cuckoo');
});

test('by Claude', async () => {
  upstream.answers(
    messages(
      { type: 'tool_use', id: 'toolu_1', name: 'ref-echo', input: { value: 'cuckoo' } },
      { type: 'tool_use', id: 'toolu_2', name: 'shell', input: { commands: ['ls'] } },
    ),
    messages({ type: 'text', text: 'Done.' }),
  );
  const { output, body } = await walk('anthropic/claude-sonnet-4-5');
  expect(output).toMatchObject([{ type: 'shell_call', call_id: 'toolu_2', action: { commands: ['ls'] } }]);
  const [, called, answered] = objectsOf(body.messages);
  expect(objectsOf(called?.content).map(({ name }) => name)).toEqual(['ref-echo', 'shell']);
  expect(objectsOf(answered?.content)).toMatchObject([{ tool_use_id: 'toolu_1' }, { tool_use_id: 'toolu_2' }]);
  expect(JSON.stringify(answered)).toContain('a.txt\\nexit code: 0');
});
