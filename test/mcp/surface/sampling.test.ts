import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from '../../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../../support/gateway.ts';
import { serverFile } from '../../support/mcp-clients.ts';
import { connect, textIn } from '../../support/mcp-surface.ts';

let upstream: ChatUpstream;
let gateway: Gateway;

const client = (name: string, more: object = {}) => ({
  name,
  connection_type: 'stdio',
  stdio_config: { command: process.execPath, args: [serverFile('everything-like.mjs')] },
  tools_to_execute: ['*'],
  ...more,
});

const MODEL = 'openai/gpt-4o';

beforeAll(async () => {
  upstream = await startChatUpstream(({ messages }) => ({
    text: `a model heard ${JSON.stringify(messages.at(-1)?.content)}`,
  }));
  gateway = await startGatewayHere({
    providers: { openai: keyed(upstream.url) },
    mcp: {
      client_configs: [client('off'), client('on', { sampling: { enabled: true, model: MODEL, max_tokens: 50 } })],
    },
  });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const asked = { name: 'test_sampling', arguments: { prompt: 'hello' } };

test('a completion that the client cannot give comes from the models of the gateway, within the limit of tokens', async () => {
  const { client: caller } = await connect(`${gateway.url}/mcp/on`);
  const before = upstream.bodies.length;
  expect(textIn(await caller.callTool(asked))).toBe('LLM response: a model heard "hello"');
  expect(upstream.bodies.slice(before)).toMatchObject([{ model: 'gpt-4o', max_completion_tokens: 50 }]);
  await caller.close();
});

test('tools that a person or the agent loop runs get their completions too', async () => {
  const call = { id: 'c', type: 'function', function: { name: 'on-test_sampling', arguments: '{"prompt":"hello"}' } };
  const response = await post(`${gateway.url}/v1/mcp/tool/execute`, call);
  expect(await response.json()).toMatchObject({ content: 'LLM response: a model heard "hello"' });
});

test('a client that can is asked itself', async () => {
  const before = upstream.bodies.length;
  const { client: caller } = await connect(`${gateway.url}/mcp/on`, { capabilities: { sampling: {} }, name: 'ann' });
  expect(textIn(await caller.callTool(asked))).toBe('LLM response: ann heard: hello');
  expect(upstream.bodies).toHaveLength(before);
  await caller.close();
});

test('off by default: the server is told that nobody can', async () => {
  const { client: caller } = await connect(`${gateway.url}/mcp/off`);
  await expect(caller.callTool(asked)).rejects.toMatchObject({ code: -32601 });
  await caller.close();
});

interface Logged {
  readonly logs: readonly { readonly id: string; readonly parent_request_id: string | null; readonly object: string }[];
}

const newest = async (path: string) => ((await (await fetch(`${gateway.url}/api/${path}`)).json()) as Logged).logs;

test('the completion is logged as a part of the run that asked for it', async () => {
  const { client: caller } = await connect(`${gateway.url}/mcp/on`);
  await caller.callTool(asked);
  await caller.close();
  const parents = await eventually(
    async () => (await newest('logs')).map(({ parent_request_id: parent }) => parent),
    (found) => found.every((parent) => parent !== null),
  );
  const runs = await eventually(
    async () => (await newest('mcp-logs')).map(({ id }) => id),
    (found) => parents.every((parent) => parent !== null && found.includes(parent)),
  );
  expect(runs).toEqual(expect.arrayContaining(parents));
});
