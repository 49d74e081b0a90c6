import { expect, test } from 'vitest';
import { surface, textIn } from '../../support/mcp-surface.ts';

const gateway = surface();

const uriOf = ({ uri }: { uri: string }) => uri;
const nameOf = ({ name }: { name: string }) => name;

test('at /mcp every resource has one URI, which reads the resource of its own server', async () => {
  const { client } = await gateway.connect('/mcp');
  const { resources } = await client.listResources();
  expect(resources.map(uriOf)).toEqual([
    'bifrost://pipe/test://static-text',
    'bifrost://pipe/test://static-binary',
    'bifrost://pipe/test://watched-resource',
    'bifrost://web/test://static-text',
    'bifrost://web/test://static-binary',
    'bifrost://web/test://watched-resource',
  ]);
  for (const { uri } of resources) {
    const { contents } = await client.readResource({ uri });
    expect(contents.map(uriOf)).toEqual([uri]);
  }
});

test('a URI that several servers have is refused with the ones to ask for', async () => {
  const { client } = await gateway.connect('/mcp');
  await expect(client.readResource({ uri: 'test://static-text' })).rejects.toThrow(
    /ask for bifrost:\/\/pipe\/test:\/\/static-text or bifrost:\/\/web\/test:\/\/static-text/,
  );
  await expect(client.readResource({ uri: 'bifrost://nobody/test://x' })).rejects.toMatchObject({ code: -32002 });
});

test('a caller who sees one server alone reads by the URI of the server', async () => {
  const { client } = await gateway.connect('/mcp', { headers: { 'x-bf-mcp-include-clients': 'web' } });
  const { contents } = await client.readResource({ uri: 'test://static-text' });
  expect(contents).toEqual([
    { uri: 'test://static-text', mimeType: 'text/plain', text: 'The text of test://static-text' },
  ]);
});

test('templates expand under the URI they are listed by', async () => {
  const { client } = await gateway.connect('/mcp');
  const { resourceTemplates } = await client.listResourceTemplates();
  expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
    'bifrost://pipe/test://template/{id}/data',
    'bifrost://web/test://template/{id}/data',
  ]);
  const { contents } = await client.readResource({ uri: 'bifrost://web/test://template/7/data' });
  expect(contents[0]).toMatchObject({ text: '{"id":"7","data":"Data for ID: 7"}' });
});

test('links and embedded resources in results of tools lead back to their server', async () => {
  const { client } = await gateway.connect('/mcp');
  const linked = await client.callTool({ name: 'web-link', arguments: { uri: 'test://static-text' } });
  expect(linked.content).toEqual([{ type: 'resource_link', uri: 'bifrost://web/test://static-text', name: 'a link' }]);
  const { contents } = await client.readResource({ uri: 'bifrost://web/test://static-text' });
  expect(contents).toHaveLength(1);
  const embedded = await client.callTool({ name: 'pipe-test_embedded_resource' });
  expect(embedded.content).toMatchObject([{ resource: { uri: 'bifrost://pipe/test://embedded-resource' } }]);
});

test('prompts are named <client>-<name>, and completions find the one that is meant', async () => {
  const { client } = await gateway.connect('/mcp');
  const { prompts } = await client.listPrompts();
  expect(prompts.map(nameOf)).toContain('web-test_prompt_with_arguments');
  expect(prompts.map(nameOf)).toContain('pipe-test_prompt_with_arguments');
  const name = 'web-test_prompt_with_arguments';
  const { messages } = await client.getPrompt({ name, arguments: { arg1: 'a', arg2: 'b' } });
  expect(messages).toMatchObject([{ content: { text: "Prompt with arguments: arg1='a', arg2='b'" } }]);
  const { completion } = await client.complete({
    ref: { type: 'ref/prompt', name },
    argument: { name: 'arg1', value: 't' },
  });
  expect(completion.values).toEqual(['test_prompt_with_arguments']);
  const ref = { type: 'ref/resource' as const, uri: 'bifrost://web/test://template/{id}/data' };
  const ofTemplate = await client.complete({ ref, argument: { name: 'id', value: 'test:' } });
  expect(ofTemplate.completion.values).toEqual(['test://template/{id}/data']);
  await expect(client.getPrompt({ name: 'web-nothing' })).rejects.toMatchObject({ code: -32602 });
});

test('/mcp announces what its servers can do together', async () => {
  const { client } = await gateway.connect('/mcp');
  expect(client.getServerCapabilities()).toEqual({
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    completions: {},
    logging: {},
  });
  const { client: narrowed } = await gateway.connect('/mcp', { headers: { 'x-bf-mcp-include-clients': '' } });
  expect(narrowed.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
});

test.each(['/mcp/web', '/mcp/pipe', '/mcp/the-pipe'])('%s is the server itself, with nothing changed', async (path) => {
  const { client } = await gateway.connect(path);
  const name = path === '/mcp/web' ? 'web-server' : 'pipe-server';
  expect(client.getServerVersion()).toEqual({ name, version: '1.2.3', title: 'Everything' });
  expect(client.getInstructions()).toBe(`Instructions of ${name}`);
  const { resources } = await client.listResources();
  expect(resources.map(uriOf)).toEqual(['test://static-text', 'test://static-binary', 'test://watched-resource']);
  expect(resources[0]).toMatchObject({ annotations: { audience: ['user'] }, mimeType: 'text/plain' });
  const { prompts } = await client.listPrompts();
  expect(prompts.map(nameOf)).toContain('test_simple_prompt');
  expect(textIn(await client.callTool({ name: 'test_simple_text' }))).toMatch(/^This is a simple text/);
  const { tools } = await client.listTools();
  const rich = tools.find((tool) => tool.name === 'rich');
  expect(rich).toMatchObject({ icons: [{ src: 'data:image/png;base64,AA==' }], _meta: { 'example.com/kept': 1 } });
});

test('structured content, _meta and progress pass as they are', async () => {
  const { client } = await gateway.connect('/mcp');
  expect(await client.callTool({ name: 'web-rich' })).toEqual({
    content: [{ type: 'text', text: '{"n":1}' }],
    structuredContent: { n: 1 },
    _meta: { 'example.com/kept': true },
  });
  const progress: unknown[] = [];
  const options = { onprogress: (each: unknown) => void progress.push(each) };
  await client.callTool({ name: 'pipe-test_tool_with_progress' }, undefined, options);
  expect(progress).toEqual([0, 50, 100].map((at) => ({ progress: at, total: 100 })));
});

test("a server's own refusal keeps its code at /mcp/<client>, and is for the model to read at /mcp", async () => {
  const { client } = await gateway.connect('/mcp/web');
  await expect(client.readResource({ uri: 'test://nowhere' })).rejects.toMatchObject({
    code: -32002,
    data: { uri: 'test://nowhere' },
  });
  await expect(client.callTool({ name: 'must_visit_url' })).rejects.toMatchObject({
    code: -32042,
    data: { elicitations: [{ elicitationId: 'visit-2' }] },
  });
});

test.each([
  ['/mcp/nobody', {}],
  ['/mcp/web', { 'x-bf-mcp-include-clients': 'pipe' }],
  ['/mcp/web', { 'x-bf-mcp-include-tools': 'pipe-*' }],
])('%s with the headers %o is denied', async (path, headers) => {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ error: { type: 'access_denied' } });
});

test('G17 the rules for tools hold for prompts and resources, in lists and in use', async () => {
  const headers = { 'x-bf-mcp-include-tools': 'web-test_simple_prompt,web-test://static-text' };
  const { client } = await gateway.connect('/mcp', { headers });
  expect((await client.listPrompts()).prompts.map(nameOf)).toEqual(['web-test_simple_prompt']);
  expect((await client.listResources()).resources).toHaveLength(1);
  expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
  await client.readResource({ uri: 'bifrost://web/test://static-text' });
  for (const uri of [
    'bifrost://web/test://static-binary',
    'bifrost://pipe/test://static-text',
    'test://template/1/data',
  ]) {
    await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32002 });
  }
  await expect(client.getPrompt({ name: 'web-test_prompt_with_image' })).rejects.toMatchObject({ code: -32602 });
});

test('a session is good at the address where it was opened', async () => {
  const { transport } = await gateway.connect('/mcp/web');
  const response = await fetch(`${gateway.url}/mcp`, {
    method: 'DELETE',
    headers: { 'mcp-session-id': transport.sessionId ?? '' },
  });
  expect(response.status).toBe(404);
});
