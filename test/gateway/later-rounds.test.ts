import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type ChatAnswer, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { clientFormats } from '../support/client-formats.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { objectOf, objectsOf } from '../support/strict-server.ts';
import { type ToolClient, toolClients } from '../support/tool-clients.ts';
import { toldTurns } from '../support/upstream-history.ts';

let first: ChatUpstream;
let second: ChatUpstream;
let gateway: Gateway;
let scripts: { first: ChatAnswer[]; second: ChatAnswer[] };

beforeAll(async () => {
  first = await startChatUpstream(() => scripts.first.shift() ?? { text: 'beyond the script' });
  second = await startChatUpstream(() => scripts.second.shift() ?? { text: 'beyond the script' });
  gateway = await startGatewayHere({
    providers: { groq: keyed(first.url), together: keyed(second.url) },
    mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo', 'hang'] })] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([first.close(), second.close()]);
});

beforeEach(() => {
  first.bodies.length = 0;
  second.bodies.length = 0;
});

const get = async (path: string): Promise<JsonObject> => {
  const body: unknown = await (await fetch(`${gateway.url}${path}`)).json();
  if (!isObject(body)) throw new Error(`no object at ${path}`);
  return body;
};

const logsAt = async (path: string): Promise<JsonObject[]> => objectsOf((await get(path)).logs);

let asked = 0;
const echo = (id: string, value: string): ChatAnswer => ({ calls: [{ id, name: 'ref-echo', input: { value } }] });

async function ask(client: ToolClient, stream: boolean, fallbacks: string[] = [], signal?: AbortSignal) {
  const model = 'groq/llama';
  const id = `later-${++asked}`;
  const body = {
    ...client.body([client.say('Begin.')], { model, stream, tools: [] }),
    ...(fallbacks.length > 0 && { fallbacks }),
  };
  const response = await post(`${gateway.url}${client.path(model, stream)}`, body, { 'x-request-id': id }, signal);
  const format = clientFormats.find((each) => each.format === client.format);
  if (!format) throw new Error('every client has its format');
  return { response, format, id: response.headers.get('x-bifrost-request-id') ?? id };
}

describe.each(toolClients)('a client of $format', (client) => {
  test('a cut in the second round is an error, never an end', async () => {
    scripts = {
      first: [
        { text: 'One. ', ...echo('call_abcdefghi', 'a') },
        { text: 'half an', cut: true },
      ],
      second: [{ text: 'wrong' }],
    };
    const { response, format } = await ask(client, true, ['together/llama']);
    const text = await format.read(response);
    expect(format.streamTextOf(text)).toBe('One. half an');
    expect(format.streamErrorOf(text)).toBeDefined();
    expect(format.endsWell(text)).toBe(false);
    expect(second.bodies).toEqual([]);
  });

  describe.each([false, true])('streamed: %s', (stream) => {
    test('a 429 in the second round is answered by the fallback, which keeps the conversation', async () => {
      scripts = {
        first: [echo('call_abcdefghi', 'a'), { status: 429, error: 'slow down' }, { text: 'wrong' }],
        second: [echo('call_jklmnopqr', 'b'), { text: 'End.' }],
      };
      const { response, format } = await ask(client, stream, ['together/llama']);
      const text = await format.read(response);
      expect(stream ? format.streamTextOf(text) : format.textOf(text)).toBe('End.');
      expect(first.bodies).toHaveLength(2);
      expect(scripts.second).toEqual([]);
      const [last] = second.bodies.slice(-1);
      expect(
        toldTurns({ path: '', headers: {}, model: '', stream, body: last as never }).map(
          ({ calls, results, paired }) => [calls, results, paired],
        ),
      ).toEqual([
        [['ref-echo(a)'], ['a'], true],
        [['ref-echo(b)'], ['b'], true],
      ]);
    });

    test('a 429 in the second round without a fallback is told', async () => {
      scripts = {
        first: [echo('call_abcdefghi', 'a'), ...Array.from({ length: 8 }, () => ({ status: 429, error: 'slow down' }))],
        second: [],
      };
      const { response, format } = await ask(client, stream);
      const text = await format.read(response);
      if (response.status === 200) {
        expect(format.streamErrorOf(text)).toMatch(/slow down/);
        expect(format.endsWell(text)).toBe(false);
      } else {
        expect(response.status).toBe(429);
        expect(format.errorOf(response, text)).toMatch(/slow down/);
      }
    });

    test('every round is a row, a child of the first, and every run names its round', async () => {
      scripts = { first: [echo('call_abcdefghi', 'a'), echo('call_jklmnopqr', 'b'), { text: 'End.' }], second: [] };
      const { response, format, id } = await ask(client, stream);
      await format.read(response);
      const children = await eventually(
        () => logsAt(`/api/logs?parent_request_id=${id}`),
        (rows) => rows.length === 2,
      );
      const rows = [await get(`/api/logs/${id}`), ...children];
      expect(rows.map(({ parent_request_id: parent }) => parent)).toEqual([null, id, id]);
      const tokens = rows.map(({ status, token_usage: usage }) => [status, objectOf(usage).total_tokens]);
      expect(tokens).toEqual(Array.from({ length: 3 }, () => ['success', 1020]));
      const asking = rows.filter(({ stop_reason: reason }) => reason === 'tool_calls').map((row) => row.id);
      expect(asking).toHaveLength(2);
      await eventually(
        () => logsAt('/api/mcp-logs?tool_names=echo&limit=2'),
        (runs) => runs.length === 2 && runs.every((run) => asking.includes(run.llm_request_id)),
      );
    });

    test('a client that goes while a tool runs leaves rows that say so', async () => {
      scripts = { first: [{ calls: [{ id: 'call_abcdefghi', name: 'ref-hang', input: {} }] }], second: [] };
      const abort = new AbortController();
      const asking = ask(client, stream, [], abort.signal).then(({ response }) => response.text());
      const id = `later-${asked}`;
      await eventually(
        () => logsAt('/api/mcp-logs?status=processing'),
        (runs) => runs.length > 0,
      );
      abort.abort();
      await expect(asking).rejects.toThrow();
      const [run] = await eventually(
        () => logsAt('/api/mcp-logs?tool_names=hang&limit=1'),
        ([last]) => last?.llm_request_id === id && last.status !== 'processing',
      );
      expect(run).toMatchObject({ status: 'cancelled', server_label: 'ref', error_details: { kind: 'cancelled' } });
      // the model had said all it had to say
      expect(await get(`/api/logs/${id}`)).toMatchObject({ status: 'success', stop_reason: 'tool_calls' });
      expect(first.bodies).toHaveLength(1);
    });
  });
});
