import { afterEach, expect, test } from 'vitest';
import { EventLog, EventLogs } from '../../../src/mcp/server/event-log.ts';
import { eventually, post } from '../../support/gateway.ts';
import { surface, textIn } from '../../support/mcp-surface.ts';

const gateway = surface();
const streams: AbortController[] = [];

afterEach(() => {
  for (const stream of streams.splice(0)) stream.abort();
});

const BOTH = 'application/json, text/event-stream';

const call = (name: string, args: object = {}, id: number | string = 1, meta?: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args, ...(meta && { _meta: meta }) },
});

const headersOf = (sessionId: string | undefined) => ({
  accept: BOTH,
  'mcp-session-id': sessionId ?? '',
  'mcp-protocol-version': '2025-11-25',
});

const idsIn = (text: string): string[] => [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id ?? '');
const messagesIn = (text: string) => [...text.matchAll(/^data: (\{.+)$/gm)].map(([, data]) => JSON.parse(data ?? ''));

async function readOn(path: string, sessionId: string | undefined, lastEventId: string): Promise<string> {
  const headers = { ...headersOf(sessionId), 'last-event-id': lastEventId };
  const response = await fetch(`${gateway.url}${path}`, { headers });
  expect(response.status).toBe(200);
  return response.text();
}

test('a stream begins with an event to resume from; what came after any event is read again', async () => {
  const { transport } = await gateway.connect('/mcp/web');
  const body = call('test_tool_with_progress', {}, 'p', { progressToken: 't' });
  const text = await (await post(`${gateway.url}/mcp/web`, body, headersOf(transport.sessionId))).text();
  const ids = idsIn(text);
  expect(ids).toHaveLength(5);
  expect(text).toMatch(/^id: \S+\ndata: \n\n/);
  const rest = await readOn('/mcp/web', transport.sessionId, ids[2] ?? '');
  expect(idsIn(rest)).toEqual(ids.slice(3));
  expect(messagesIn(rest)).toEqual(messagesIn(text).slice(2));
});

test('a server that closes the stream mid-call makes the client poll, which then has the answer', async () => {
  const { transport } = await gateway.connect('/mcp/web');
  const response = await post(`${gateway.url}/mcp/web`, call('test_reconnection'), headersOf(transport.sessionId));
  const text = await response.text();
  expect(text).toMatch(/^retry: 50$/m);
  expect(messagesIn(text)).toEqual([]);
  const rest = await readOn('/mcp/web', transport.sessionId, idsIn(text)[0] ?? '');
  expect(messagesIn(rest)).toMatchObject([{ id: 1, result: { content: [{ type: 'text' }] } }]);
});

test("the SDK's client has its answer in spite of the closed stream", async () => {
  const { client } = await gateway.connect('/mcp/web');
  expect(textIn(await client.callTool({ name: 'test_reconnection' }))).toBe('answered after the stream was closed');
});

test('a call whose client was cut off runs on, and its answer waits', async () => {
  const { transport } = await gateway.connect('/mcp/web');
  const away = new AbortController();
  streams.push(away);
  const body = call('test_tool_with_progress', {}, 7, { progressToken: 't' });
  const response = await post(`${gateway.url}/mcp/web`, body, headersOf(transport.sessionId), away.signal);
  const { value } = (await response.body?.getReader().read()) ?? {};
  const [first = ''] = idsIn(Buffer.from(value ?? []).toString());
  away.abort();
  const rest = await readOn('/mcp/web', transport.sessionId, first);
  expect(messagesIn(rest).at(-1)).toMatchObject({ id: 7, result: { content: [{ text: 'progressed' }] } });
});

test('H1 two hundred calls at once, in one session and under one id, run side by side and all have their answers', async () => {
  const { client, transport } = await gateway.connect('/mcp');
  const state = async () => JSON.parse(textIn(await client.callTool({ name: 'web-state' }))).waiting;
  const before = await state();
  const stop = new AbortController();
  streams.push(stop);
  const waiting = Array.from({ length: 200 }, () =>
    post(`${gateway.url}/mcp`, call('web-wait', {}, 5), headersOf(transport.sessionId), stop.signal).catch(
      () => undefined,
    ),
  );
  await eventually(state, (count) => count === before + 200);
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const body = call('pipe-link', { uri: `test://${index}` }, 1);
      const response = await post(`${gateway.url}/mcp`, body, headersOf(transport.sessionId));
      return (await response.json()) as { id: number; result: { content: { uri: string }[] } };
    }),
  );
  expect(answers.every(({ id, result }, index) => id === 1 && result.content[0]?.uri.endsWith(`test://${index}`))).toBe(
    true,
  );
  stop.abort();
  await Promise.all(waiting);
});

test('a stream that is read elsewhere lets its first reader go, and ends for the second', () => {
  const log = new EventLog(3, 1_000);
  const written = { first: '', second: '' };
  const ended: string[] = [];
  const sink = (name: 'first' | 'second') => ({
    write: (text: string) => {
      written[name] += text;
    },
    end: () => void ended.push(name),
  });
  const first = sink('first');
  log.attach(first, 0);
  log.append('{"n":1}');
  log.attach(sink('second'), 0);
  log.append('{"n":2}');
  log.end();
  expect(written.first).toBe('id: 3-1\nevent: message\ndata: {"n":1}\n\n');
  expect(idsIn(written.second)).toEqual(['3-1', '3-2']);
  expect(ended).toEqual(['first', 'second']);
  expect(log.detach(first)).toBe(false);
});

test('H3 what is kept of streams is bounded, in streams and in bytes', () => {
  const logs = new EventLogs();
  const first = logs.open(1_000);
  first.append('{}');
  first.end();
  for (let count = 0; count < 32; count += 1) logs.open(1_000).end();
  expect(logs.find('1-1')).toBeUndefined();
  const log = logs.open(1_000);
  for (let count = 0; count < 10; count += 1) log.append(`"${'x'.repeat(1_000_000)}"`);
  const pieces: string[] = [];
  log.attach({ write: (piece) => pieces.push(piece), end: () => undefined }, 0);
  expect(pieces.join('').length).toBeLessThan(4_500_000);
  expect(logs.find('nonsense')).toBeUndefined();
});
