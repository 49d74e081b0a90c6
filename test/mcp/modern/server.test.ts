import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, post, startGatewayHere } from '../../support/gateway.ts';
import { serverFile } from '../../support/mcp-clients.ts';

const stdio = (name: string, file: string) => ({
  name,
  connection_type: 'stdio',
  stdio_config: { command: process.execPath, args: [serverFile(file)] },
  tools_to_execute: ['*'],
});

const VERSION = '2026-07-28';
const version = 'io.modelcontextprotocol/protocolVersion';
const capabilities = 'io.modelcontextprotocol/clientCapabilities';
const envelope = { [version]: VERSION, [capabilities]: {} };
const asking = { [version]: VERSION, [capabilities]: { elicitation: { form: {} } } };

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGatewayHere({
    mcp: { client_configs: [stdio('old', 'legacy-stdio.mjs'), stdio('new', 'modern-stdio.mjs')] },
  });
});

afterAll(() => gateway?.stop());

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly id?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number; message: string; data?: unknown };
}

interface Asked {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly without?: string;
  readonly id?: string | number;
}

async function ask(method: string, params: object = {}, { path = '/mcp', headers, without, id = 7 }: Asked = {}) {
  const { name, uri } = params as { name?: string; uri?: string };
  const sent: Record<string, string> = {
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': name }),
    ...(uri !== undefined && { 'mcp-name': uri }),
    ...headers,
  };
  if (without) delete sent[without];
  const body = { jsonrpc: '2.0', id, method, params: { _meta: envelope, ...params } };
  const response = await post(`${gateway.url}${path}`, body, sent);
  const answer = (await response.json()) as Answer;
  return { ...answer, status: response.status, type: response.headers.get('content-type') };
}

const echo = { name: 'old-echo', arguments: { value: 'hi' } };

describe('2026-07-28 at /mcp', () => {
  test('server/discover says what there is', async () => {
    const { status, result } = await ask('server/discover');
    expect(status).toBe(200);
    expect(result).toMatchObject({
      resultType: 'complete',
      supportedVersions: [VERSION],
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, prompts: {}, completions: {} },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'bifrost', version: '0.0.0-test' } },
    });
  });

  test('results say that they are complete, and lists how long they are good for', async () => {
    expect((await ask('tools/call', echo)).result).toMatchObject({ resultType: 'complete', content: [{ text: 'hi' }] });
    const list = await ask('tools/list');
    expect(list.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
  });

  test('an answer is JSON while nothing comes before it', async () => {
    expect((await ask('tools/call', echo)).type).toBe('application/json');
  });

  test.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'no/such'])(
    'the method %s is not there',
    async (method) => {
      expect(await ask(method)).toMatchObject({ status: 404, id: 7, error: { code: -32601 } });
    },
  );

  test.each([
    ['no version', 'mcp-protocol-version'],
    ['no method', 'mcp-method'],
    ['no name', 'mcp-name'],
  ])('a request whose headers hold %s is refused', async (_, without) => {
    expect(await ask('tools/call', echo, { without })).toMatchObject({ status: 400, id: 7, error: { code: -32020 } });
  });

  test.each([
    ['another method', { 'mcp-method': 'tools/list' }],
    ['the method in capitals', { 'mcp-method': 'Tools/Call' }],
    ['another name', { 'mcp-name': 'new-echo' }],
    ['another version', { 'mcp-protocol-version': '2027-01-01' }],
  ])('a request whose headers hold %s is refused', async (_, headers) => {
    expect(await ask('tools/call', echo, { headers })).toMatchObject({ status: 400, error: { code: -32020 } });
  });

  test('a name may come encoded', async () => {
    const headers = { 'mcp-name': `=?base64?${Buffer.from('old-echo').toString('base64')}?=` };
    expect((await ask('tools/call', echo, { headers })).status).toBe(200);
  });

  test.each([
    ['no envelope', {}],
    ['no version', { [capabilities]: {} }],
    ['no capabilities', { [version]: VERSION }],
    ['capabilities that are none', { [version]: VERSION, [capabilities]: [] }],
    ['no such log level', { ...envelope, 'io.modelcontextprotocol/logLevel': 'loud' }],
  ])('a request with %s is refused', async (_, _meta) => {
    expect(await ask('tools/list', { _meta })).toMatchObject({ status: 400, id: 7, error: { code: -32602 } });
  });

  test('a version that is not served is refused, with those that are', async () => {
    const _meta = { ...envelope, [version]: '2031-05-05' };
    const headers = { 'mcp-protocol-version': '2031-05-05' };
    expect(await ask('server/discover', { _meta }, { headers })).toMatchObject({
      status: 400,
      error: { code: -32022, data: { supported: [VERSION], requested: '2031-05-05' } },
    });
  });

  test('batches and answers of clients are refused, notifications taken', async () => {
    const headers = { 'mcp-protocol-version': VERSION };
    const sent = async (body: unknown) => (await post(`${gateway.url}/mcp`, body, headers)).status;
    expect(await sent([{ jsonrpc: '2.0', id: 1, method: 'tools/list' }])).toBe(400);
    expect(await sent({ jsonrpc: '2.0', id: 1, result: {} })).toBe(400);
    expect(await sent({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })).toBe(202);
  });

  test('a page of another origin is refused in this era, too', async () => {
    expect((await ask('tools/list', {}, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  });

  test('a resource that is not there is an invalid parameter', async () => {
    const { error } = await ask('resources/read', { uri: 'test://nothing' }, { path: '/mcp/old' });
    expect(error?.code).toBe(-32602);
  });
});

describe('what a server asks', () => {
  const elicit = (more: object = {}) => ({ name: 'elicit', arguments: {}, _meta: asking, ...more });
  const given = { action: 'accept', content: { name: 'Ada' } };
  const old = { path: '/mcp/old' };

  async function asked() {
    const { result = {} } = await ask('tools/call', elicit(), old);
    const { inputRequests = {}, requestState } = result as { inputRequests?: object; requestState?: string };
    return { result, key: Object.keys(inputRequests)[0] ?? '', requestState };
  }

  test('is in the answer, and the retry brings the result, under its own id', async () => {
    const { result, key, requestState } = await asked();
    expect(result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { [key]: { method: 'elicitation/create', params: { message: 'Who are you?' } } },
    });
    const retry = elicit({ requestState, inputResponses: { [key]: given, other: {} } });
    const answer = await ask('tools/call', retry, { ...old, id: 'second' });
    expect(answer).toMatchObject({
      id: 'second',
      result: { resultType: 'complete', content: [{ text: 'Hello Ada' }] },
    });
  });

  test('is asked again when the retry leaves it out', async () => {
    const { key, requestState } = await asked();
    const again = await ask('tools/call', elicit({ requestState, inputResponses: {} }), old);
    expect(again.result).toMatchObject({ resultType: 'input_required', inputRequests: { [key]: {} } });
    const state = again.result?.requestState;
    const done = await ask('tools/call', elicit({ requestState: state, inputResponses: { [key]: given } }), old);
    expect(done.result).toMatchObject({ content: [{ text: 'Hello Ada' }] });
  });

  test('is good for one retry of the same request', async () => {
    const { key, requestState } = await asked();
    const retry = { requestState, inputResponses: { [key]: given } };
    const other = { name: 'roots', arguments: {}, _meta: asking, ...retry };
    expect((await ask('tools/call', other, old)).error?.code).toBe(-32602);
    expect((await ask('tools/call', { ...elicit(retry), name: 'old-elicit' })).error?.code).toBe(-32602);
    const stranger = { ...old, headers: { 'x-bf-mcp-session-id': 'somebody-else' } };
    expect((await ask('tools/call', elicit(retry), stranger)).error?.code).toBe(-32602);
    expect((await ask('tools/call', elicit(retry), old)).result).toMatchObject({ resultType: 'complete' });
    expect((await ask('tools/call', elicit(retry), old)).error?.code).toBe(-32602);
    const forged = elicit({ ...retry, requestState: `${requestState}x` });
    expect((await ask('tools/call', forged, old)).error?.code).toBe(-32602);
  });

  test('by a server of this era passes unchanged, with its own state', async () => {
    const { result } = await ask('tools/call', elicit(), { path: '/mcp/new' });
    expect(result).toMatchObject({ resultType: 'input_required', requestState: 'asked', inputRequests: { who: {} } });
    expect(result).not.toHaveProperty('content');
    const retry = elicit({ requestState: 'asked', inputResponses: { who: given } });
    const answer = await ask('tools/call', retry, { path: '/mcp/new' });
    expect(answer.result).toMatchObject({ resultType: 'complete', content: [{ text: 'Hello Ada' }] });
  });

  test('before a visit to a URL, as an error of the older era, is in the answer', async () => {
    const visit = { name: 'visit', arguments: { id: 'here' }, _meta: asking };
    const { result } = await ask('tools/call', visit, old);
    expect(result).toEqual({
      resultType: 'input_required',
      inputRequests: {
        'visit-1': {
          method: 'elicitation/create',
          params: { mode: 'url', message: 'Log in', url: 'https://example.com/here' },
        },
      },
    });
    const retry = { ...visit, inputResponses: { 'visit-1': { action: 'accept' } } };
    expect((await ask('tools/call', retry, old)).result).toMatchObject({ content: [{ text: 'visited' }] });
  });

  test('beyond what the client can do is refused, with what is missing', async () => {
    const answer = await ask('tools/call', { name: 'elicit', arguments: {} }, { path: '/mcp/new' });
    expect(answer).toMatchObject({
      status: 400,
      error: { code: -32021, data: { requiredCapabilities: { elicitation: {} } } },
    });
  });
});
