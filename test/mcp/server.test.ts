import { expect, test } from 'vitest';
import { RpcError } from '../../src/mcp/peer.ts';
import { Exchange } from '../../src/mcp/server/exchange.ts';
import { type IncomingRequest, incomingOf } from '../../src/mcp/server/json-rpc.ts';
import { McpServer } from '../../src/mcp/server/server.ts';
import type { Session } from '../../src/mcp/server/sessions.ts';
import type { Caller } from '../../src/model/call.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { LocalTools, textResult } from '../support/tool-source.ts';

interface Changes {
  readonly caller?: Caller;
  readonly session?: Session;
  readonly calls?: Set<AbortController>;
  readonly notify?: (message: string) => void;
}

const exchange = ({ caller = { forwardHeaders: {} }, session, calls = new Set(), notify }: Changes = {}): Exchange =>
  new Exchange(caller, session, undefined, { calls, notify });

/** The address of all. */
const EVERYTHING = { caller: { forwardHeaders: {} }, scope: undefined };

const request = (method: string, params: JsonObject = {}, id: string | number = 1): IncomingRequest => ({
  kind: 'request',
  id,
  method,
  params,
});

async function answered(server: McpServer, asked: IncomingRequest, changes: Changes = {}) {
  const text = await server.answer(asked, exchange(changes));
  return text === undefined ? undefined : JSON.parse(text);
}

test.each([
  ['2024-11-05', '2024-11-05'],
  ['2025-03-26', '2025-03-26'],
  ['2025-06-18', '2025-06-18'],
  ['2025-11-25', '2025-11-25'],
  ['2026-07-28', '2025-11-25'],
  ['1.0', '2025-11-25'],
  [undefined, '2025-11-25'],
])('a client that asks for protocol version %s gets %s', (protocolVersion, negotiated) => {
  const server = new McpServer({ tools: new LocalTools(), version: '1.2.3' });
  const { session, answer } = server.initialize(request('initialize', { protocolVersion }), EVERYTHING, undefined);
  expect(JSON.parse(answer)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    result: {
      protocolVersion: negotiated,
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 'bifrost', version: '1.2.3' },
    },
  });
  expect(server.sessions.use(session.id)).toBe(session);
});

test.each([
  ['ping', {}, { result: {} }],
  ['logging/setLevel', { level: 'info' }, { error: { code: -32601, message: 'Method not found: logging/setLevel' } }],
  ['server/discover', {}, { error: { code: -32601, message: 'Method not found: server/discover' } }],
  ['resources/list', {}, { error: { code: -32601, message: 'Method not found: resources/list' } }],
  ['prompts/list', {}, { error: { code: -32601, message: 'Method not found: prompts/list' } }],
  ['constructor', {}, { error: { code: -32601, message: 'Method not found: constructor' } }],
])('%s %o is answered with %o', async (method, params, answer) => {
  const server = new McpServer({ tools: new LocalTools(), version: '1' });
  expect(await answered(server, request(method, params, 'a'))).toEqual({ jsonrpc: '2.0', id: 'a', ...answer });
});

test('tools are listed as their servers define them, under their exposed names, on one page', async () => {
  const definition = {
    title: 'Read',
    description: 'Reads',
    inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'], $defs: {} },
    outputSchema: { type: 'object' },
    annotations: { readOnlyHint: true },
    icons: [{ src: 'data:' }],
    _meta: { vendor: { deep: [1, null] } },
  };
  const tools = new LocalTools().add('files-read', () => textResult(''), definition);
  for (let count = 0; count < 500; count++) tools.add(`many-tool${count}`, () => textResult(''));
  const { result } = await answered(new McpServer({ tools, version: '1' }), request('tools/list'));
  expect(result.tools[0]).toEqual({ ...definition, name: 'files-read' });
  expect(result.tools).toHaveLength(501);
  expect(result).not.toHaveProperty('nextCursor');
});

test.each([[undefined], [null], ['text'], [{}], [{ properties: { a: {} } }]])(
  'an input schema of %o is listed as an object schema, as one without it spoils the whole list',
  async (inputSchema) => {
    const tools = new LocalTools().add('a-b', () => textResult(''), { inputSchema });
    const { result } = await answered(new McpServer({ tools, version: '1' }), request('tools/list'));
    expect(result.tools[0].inputSchema).toMatchObject({ type: 'object' });
  },
);

test('the list is the caller’s: what is filtered away is neither listed nor callable', async () => {
  const tools = new LocalTools().add('a-one', () => textResult('1')).add('b-two', () => textResult('2'));
  const server = new McpServer({ tools, version: '1' });
  const caller = { forwardHeaders: {}, includeClients: ['b'] };
  const { result } = await answered(server, request('tools/list'), { caller });
  expect(result.tools.map((tool: JsonObject) => tool.name)).toEqual(['b-two']);
  const refused = await answered(server, request('tools/call', { name: 'a-one' }), { caller });
  expect(refused.result).toEqual({
    content: [{ type: 'text', text: "Tool execution failed: tool 'a-one' is not available or not permitted" }],
    isError: true,
  });
});

test('a cursor that nobody handed out is refused', async () => {
  const server = new McpServer({ tools: new LocalTools(), version: '1' });
  expect(await answered(server, request('tools/list', { cursor: 'x' }))).toMatchObject({ error: { code: -32602 } });
});

test('a result passes through as the tool gave it', async () => {
  const given = {
    content: [
      { type: 'text', text: 'é\n\u2028', annotations: { audience: ['user'] } },
      { type: 'image', data: 'aGk=', mimeType: 'image/png' },
      { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' },
      { type: 'resource', resource: { uri: 'test://a', text: 'x' } },
      { type: 'resource_link', uri: 'test://b', name: 'b' },
      { type: 'from-the-future', value: 1 },
    ],
    structuredContent: { a: [1, 2] },
    isError: true,
    _meta: { 'example.com/x': 1 },
    extra: null,
  };
  const server = new McpServer({ tools: new LocalTools().add('a-b', () => given), version: '1' });
  expect((await answered(server, request('tools/call', { name: 'a-b' }))).result).toEqual(given);
});

test('the tool gets the arguments and the metadata, but not the progress token', async () => {
  const tools = new LocalTools().add('a-b', () => textResult('ok'));
  const server = new McpServer({ tools, version: '1' });
  const _meta = { progressToken: 7, 'claudecode/toolUseId': 'toolu_1' };
  await answered(server, request('tools/call', { name: 'a-b', arguments: { x: 1 }, _meta }));
  expect(tools.calls[0]).toMatchObject({
    name: 'a-b',
    arguments: { x: 1 },
    meta: { 'claudecode/toolUseId': 'toolu_1' },
  });
});

test.each([[7], ['token'], [0]])('progress is reported under the token %o', async (progressToken) => {
  const tools = new LocalTools().add('a-b', ({ onProgress }) => {
    onProgress?.({ progress: 1, total: 2, message: 'half' });
    return textResult('ok');
  });
  const server = new McpServer({ tools, version: '1' });
  const sent: unknown[] = [];
  const notify = (message: string) => sent.push(JSON.parse(message));
  await answered(server, request('tools/call', { name: 'a-b', _meta: { progressToken } }), { notify });
  await answered(server, request('tools/call', { name: 'a-b' }), { notify });
  expect(sent).toEqual([
    {
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken, progress: 1, total: 2, message: 'half' },
    },
  ]);
});

test.each([
  [{}, 'params.name must be a string'],
  [{ name: 7 }, 'params.name must be a string'],
  [{ name: 'a-b', arguments: [] }, 'params.arguments must be an object'],
])('tools/call with %o is -32602', async (params, message) => {
  const server = new McpServer({ tools: new LocalTools(), version: '1' });
  expect(await answered(server, request('tools/call', params))).toMatchObject({ error: { code: -32602, message } });
});

test('tools can be exposed under other names', async () => {
  const tools = new LocalTools().add('a-b', () => textResult('ok'));
  const server = new McpServer({ tools, version: '1', expose: (tool) => tool.upstreamName });
  const { result } = await answered(server, request('tools/list'));
  expect(result.tools[0].name).toBe('b');
  expect((await answered(server, request('tools/call', { name: 'b' }))).result).toEqual(textResult('ok'));
});

test('H5 a cancelled call is aborted and gets no answer; another session’s call of the same id runs on', async () => {
  const signals: AbortSignal[] = [];
  const tools = new LocalTools().add(
    'a-wait',
    ({ signal }) =>
      new Promise((_, reject) => {
        signals.push(signal);
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  const server = new McpServer({ tools, version: '1' });
  const [mine, other] = [server.sessions.open(), server.sessions.open()];
  const cancelled = answered(server, request('tools/call', { name: 'a-wait' }, 5), { session: mine });
  const running = answered(server, request('tools/call', { name: 'a-wait' }, 5), { session: other });
  server.accept(
    { kind: 'notification', method: 'notifications/cancelled', params: { requestId: 5 } },
    exchange({ session: mine }),
  );
  expect(await cancelled).toBeUndefined();
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
  server.sessions.end(other.id);
  expect(await running).toBeUndefined();
});

test('G10 every session hears that the tools have changed, until the server is closed', () => {
  const tools = new LocalTools();
  const server = new McpServer({ tools, version: '1' });
  const heard: string[] = [];
  server.sessions.listen(undefined, { send: (message) => heard.push(message), close: () => heard.push('closed') });
  tools.add('a-b', () => textResult(''));
  server.close();
  tools.add('a-c', () => textResult(''));
  expect(heard).toEqual(['{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}', 'closed']);
});

test.each([
  [[], null],
  ['text', null],
  [null, null],
  [{ jsonrpc: '1.0', id: 1, method: 'ping' }, 1],
  [{ jsonrpc: '2.0', id: 'x' }, 'x'],
  [{ jsonrpc: '2.0', id: null, method: 'ping' }, null],
  [{ jsonrpc: '2.0', id: {}, method: 'ping' }, null],
  [{ jsonrpc: '2.0', id: 3, method: 7 }, 3],
  [{ jsonrpc: '2.0', id: 4, method: 'ping', params: [1] }, 4],
])('%o is not a JSON-RPC message', (value, id) => {
  expect(incomingOf(value)).toMatchObject({ kind: 'invalid', id });
});

test.each([
  [
    { jsonrpc: '2.0', id: 0, method: 'ping' },
    { kind: 'request', id: 0, method: 'ping', params: {} },
  ],
  [
    { jsonrpc: '2.0', method: 'x', params: null },
    { kind: 'notification', method: 'x', params: {} },
  ],
  [
    { jsonrpc: '2.0', id: 1, result: {} },
    { kind: 'response', id: 1, result: {} },
  ],
  [
    { jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } },
    { kind: 'response', id: 1, result: {}, error: new RpcError(1, '') },
  ],
])('%o is %o', (value, message) => {
  expect(incomingOf(value)).toEqual(message);
});

test('a signal serves another call only when nobody holds on to it', async () => {
  const signals: AbortSignal[] = [];
  const tools = new LocalTools()
    .add('a-quick', ({ signal }) => {
      signals.push(signal);
      return textResult('');
    })
    .add('a-clinging', ({ signal }) => {
      signals.push(signal);
      signal.addEventListener('abort', () => {});
      return textResult('');
    });
  const server = new McpServer({ tools, version: '1' });
  for (const name of ['a-quick', 'a-clinging', 'a-quick']) await answered(server, request('tools/call', { name }));
  expect(signals[1]).toBe(signals[0]);
  expect(signals[2]).not.toBe(signals[1]);
});

test('the schema of a tool is looked up, not searched for, as long as the caller sees the same tools', () => {
  let reads = 0;
  const tools = new LocalTools();
  for (let index = 0; index < 100; index += 1) tools.add(`many-tool_${index}`, () => textResult('ran'));
  const visible = tools.visibleTools(EVERYTHING.caller).map((tool) => ({
    ...tool,
    get name() {
      reads += 1;
      return tool.name;
    },
  }));
  tools.visibleTools = () => visible;
  const server = new McpServer({ tools, version: '1.2.3' });
  expect(server.schemaOf('many-tool_99', EVERYTHING)).toEqual({ type: 'object', properties: {} });
  const readsAtFirst = reads;
  for (let index = 0; index < 100; index += 1) expect(server.schemaOf(`many-tool_${index}`, EVERYTHING)).toBeDefined();
  expect(server.schemaOf('many-nothing', EVERYTHING)).toBeUndefined();
  expect(reads).toBe(readsAtFirst);
});
