import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { eventually, post } from '../../support/gateway.ts';
import { type Connected, surface, textIn } from '../../support/mcp-surface.ts';

const gateway = surface();

const EVERYTHING: ClientCapabilities = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};

/** Tool names at an address: the client's own, or with its prefix. */
const places = [
  ['/mcp', 'web-'],
  ['/mcp', 'pipe-'],
  ['/mcp/web', ''],
  ['/mcp/pipe', ''],
] as const;

const asking = [
  ['test_sampling', { prompt: 'hello' }, 'LLM response: ann heard: hello'],
  ['test_elicitation', { message: 'who?' }, 'action=accept, content={"username":"ann"}'],
  ['visit_url', {}, 'accept'],
  ['roots', {}, '{"roots":[{"uri":"file:///ann"}]}'],
] as const;

const cases = places.flatMap(([path, prefix]) => asking.map((each) => [path, prefix, ...each] as const));

test.each(cases)('H4 at %s a server reached by %s%s asks its caller', async (path, prefix, name, args, answer) => {
  const { client } = await gateway.connect(path, { capabilities: EVERYTHING, name: 'ann' });
  expect(textIn(await client.callTool({ name: `${prefix}${name}`, arguments: args }))).toBe(answer);
});

test.each(['/mcp/web', '/mcp/pipe', '/mcp'])(
  'H4 at %s two clients at once are each asked for their own call',
  async (path) => {
    const prefix = path === '/mcp' ? 'web-' : '';
    const people = ['ann', 'bob', 'eve'];
    const answers = await Promise.all(
      people.map(async (name) => {
        const { client } = await gateway.connect(path, { capabilities: EVERYTHING, name });
        const call = () => client.callTool({ name: `${prefix}test_sampling`, arguments: { prompt: 'x' } });
        return Promise.all([call(), call()]);
      }),
    );
    expect(answers.map((each) => each.map(textIn))).toEqual(
      people.map((name) => [`LLM response: ${name} heard: x`, `LLM response: ${name} heard: x`]),
    );
  },
);

test.each(['/mcp/web', '/mcp/pipe'])(
  'H4 at %s a client that cannot is not asked, and the server is told',
  async (path) => {
    const { client } = await gateway.connect(path, { capabilities: { elicitation: {} }, name: 'ann' });
    await expect(client.callTool({ name: 'roots' })).rejects.toMatchObject({
      code: -32601,
      message: expect.stringContaining('the client does not support roots'),
    });
    await expect(client.callTool({ name: 'visit_url' })).rejects.toMatchObject({
      message: expect.stringContaining('the client does not support elicitation.url'),
    });
    expect(textIn(await client.callTool({ name: 'test_elicitation' }))).toMatch(/^action=accept/);
  },
);

test('without a session nobody is asked', async () => {
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'test_sampling', arguments: { prompt: 'x' } },
  };
  const response = await post(`${gateway.url}/mcp/web`, body, { accept: 'application/json' });
  expect(await response.json()).toMatchObject({ error: { code: -32601 } });
});

const anyResult = z.looseObject({});

const heard = ({ said }: Connected, method: string) => said.filter((each) => each.method === method);

test('the word that a URL was visited reaches whoever was sent there, and nobody else', async () => {
  const ann = await gateway.connect('/mcp/web', { capabilities: EVERYTHING, name: 'ann' });
  const bob = await gateway.connect('/mcp/web', { capabilities: EVERYTHING, name: 'bob' });
  await ann.client.callTool({ name: 'visit_url' });
  await bob.client.callTool({ name: 'url_visited', arguments: { elicitationId: 'visit-1' } });
  const method = 'notifications/elicitation/complete';
  await eventually(
    async () => heard(ann, method).length,
    (count) => count > 0,
  );
  expect(heard(ann, method)).toMatchObject([{ params: { elicitationId: 'visit-1' } }]);
  expect(heard(bob, method)).toEqual([]);
});

test.each(['/mcp/web', '/mcp/pipe'])(
  'new roots at %s are told to the server that works for this session',
  async (path) => {
    const { client } = await gateway.connect(path, { capabilities: EVERYTHING, name: 'ann' });
    await client.callTool({ name: 'roots' });
    await client.sendRootsListChanged();
    const roots = async () => JSON.parse(textIn(await client.callTool({ name: 'state' }))).roots;
    expect(await eventually(roots, (count) => count > 0)).toBe(1);
  },
);

test('H5 a cancelled call is cancelled at the server', async () => {
  const { client } = await gateway.connect('/mcp/web');
  const state = async () => JSON.parse(textIn(await client.callTool({ name: 'state' })));
  const before = await state();
  const stop = new AbortController();
  const call = client.callTool({ name: 'wait' }, undefined, { signal: stop.signal });
  call.catch(() => undefined);
  await eventually(state, ({ waiting }) => waiting > before.waiting);
  stop.abort();
  await expect(call).rejects.toThrow();
  const after = await eventually(state, ({ cancelled }) => cancelled > before.cancelled);
  expect(after.cancelled).toBe(before.cancelled + 1);
});

test('what a tool logs comes with its call, from the level on that the client asked for', async () => {
  const loud = await gateway.connect('/mcp');
  const quiet = await gateway.connect('/mcp');
  await quiet.client.setLoggingLevel('error');
  for (const { client } of [loud, quiet]) await client.callTool({ name: 'web-test_tool_with_logging' });
  expect(heard(loud, 'notifications/message').map(({ params }) => params?.data)).toEqual([
    'started',
    'at work',
    'done',
  ]);
  expect(heard(quiet, 'notifications/message')).toEqual([]);
  await expect(
    loud.client.request({ method: 'logging/setLevel', params: { level: 'x' } }, anyResult),
  ).rejects.toThrow();
});

test.each([
  ['/mcp', 'web-', 'bifrost://web/test://watched-resource'],
  ['/mcp/web', '', 'test://watched-resource'],
])('at %s a change of a resource reaches those who subscribed to it, under their URI', async (path, prefix, uri) => {
  const subscriber = await gateway.connect(path);
  const other = await gateway.connect(path);
  await subscriber.client.subscribeResource({ uri });
  const touch = () => other.client.callTool({ name: `${prefix}touch`, arguments: { uri: 'test://watched-resource' } });
  await touch();
  const method = 'notifications/resources/updated';
  await eventually(
    async () => heard(subscriber, method).length,
    (count) => count > 0,
  );
  expect(heard(subscriber, method)).toMatchObject([{ params: { uri } }]);
  await subscriber.client.unsubscribeResource({ uri });
  await touch();
  await other.client.ping();
  expect(heard(subscriber, method)).toHaveLength(1);
  expect(heard(other, method)).toEqual([]);
});

test('G10 changed lists are told, and are there when they are asked for', async () => {
  const watcher = await gateway.connect('/mcp');
  const listed = async () => ({
    prompts: (await watcher.client.listPrompts()).prompts.length,
    resources: (await watcher.client.listResources()).resources.length,
  });
  const before = await listed();
  await watcher.client.callTool({ name: 'web-grow' });
  for (const kind of ['resources', 'prompts', 'tools']) {
    await eventually(
      async () => heard(watcher, `notifications/${kind}/list_changed`).length,
      (count) => count > 0,
    );
  }
  expect(await listed()).toEqual({ prompts: before.prompts + 1, resources: before.resources + 1 });
  const { tools } = await watcher.client.listTools();
  expect(tools.map(({ name }) => name)).toContain('web-grown_1');
});
