import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { type ToolClient, toolClients } from '../support/tool-clients.ts';
import { toldTurns } from '../support/upstream-history.ts';

let upstream: ChatUpstream;
let gateway: Gateway;
let script: ChatAnswer[] = [];

beforeAll(async () => {
  upstream = await startChatUpstream(() => script.shift() ?? { text: 'beyond the script' });
  gateway = await startGatewayHere({
    providers: { groq: keyed(upstream.url) },
    mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo'] })] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

beforeEach(() => {
  upstream.bodies.length = 0;
});

/** The ids of four calls: the client's, ours, the client's, ours. */
const IDS: readonly (readonly [string, readonly [string, string, string, string]])[] = [
  ['numbered', ['functions.mine:0', 'functions.ref-echo:1', 'functions.other:2', 'functions.ref-echo:3']],
  ['all the same', ['call_1', 'call_1', 'call_1', 'call_1']],
  ['the same for one of ours and one of theirs', ['call_abcdefgh', 'call_abcdefgh', 'call_xyzuvwst', 'call_ijklmnop']],
  ['empty', ['', '', '', '']],
  ['long', ['a', 'b', 'c', 'd'].map((letter) => `call_${letter.repeat(150)}`) as never],
  ['long with the same beginning', ['a', 'b', 'c', 'd'].map((letter) => `call_${'x'.repeat(150)}${letter}`) as never],
  ['of odd letters', ['a b/c', 'd:e|f', 'é#ü', '{"x":1}']],
];

const told = (body: ChatBody | undefined) =>
  body && toldTurns({ path: '', headers: {}, model: body.model, stream: body.stream === true, body: body as never });

async function ask(client: ToolClient, history: JsonObject[], stream: boolean): Promise<JsonObject[]> {
  const model = 'groq/llama';
  const response = await post(
    `${gateway.url}${client.path(model, stream)}`,
    client.body(history, { model, stream, tools: ['mine', 'other'] }),
  );
  expect(response.status, response.status === 200 ? '' : await response.clone().text()).toBe(200);
  return client.kept(await client.whole(response, stream));
}

describe.each(toolClients)('a client of $format', (client) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    test.each(IDS)('ids that are %s: each call has its own result', async (_name, [mine, echo, other, again]) => {
      script = [
        {
          text: 'Go.',
          calls: [
            { id: mine, name: 'mine', input: { value: 'b' } },
            { id: echo, name: 'ref-echo', input: { value: 'a' } },
            { id: other, name: 'other', input: { value: 'd' } },
            { id: again, name: 'ref-echo', input: { value: 'c' } },
          ],
        },
        { text: 'End.' },
      ];
      const history = [client.say(`Begin ${_name}.`)];
      const kept = await ask(client, history, stream);
      const calls = client.callsIn(kept);
      expect(calls.map(({ name, input }) => [name, input.value])).toEqual([
        ['mine', 'b'],
        ['other', 'd'],
      ]);
      expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
      const results = client.results(calls.map((call) => ({ ...call, text: `done:${String(call.input.value)}` })));
      expect(client.textOf(await ask(client, [...history, ...kept, ...results], stream))).toBe('End.');
      expect(told(upstream.bodies.at(-1))).toEqual([
        {
          said: 'Go.',
          calls: ['mine(b)', 'ref-echo(a)', 'other(d)', 'ref-echo(c)'],
          results: ['done:b', 'a', 'done:d', 'c'],
          paired: true,
        },
      ]);
    });

    test('ids that come again in the next round: each call has its own result', async () => {
      const round = (value: string): ChatAnswer => ({
        calls: [
          { id: 'call_1', name: 'ref-echo', input: { value } },
          { id: 'call_2', name: 'ref-echo', input: { value: `${value}${value}` } },
        ],
      });
      script = [round('a'), round('b'), round('c'), { text: 'End.' }];
      await ask(client, [client.say('Begin.')], stream);
      const turns = told(upstream.bodies.at(-1)) ?? [];
      expect(turns.map(({ calls, results, paired }) => [calls, results, paired])).toEqual(
        ['a', 'b', 'c'].map((value) => [
          [`ref-echo(${value})`, `ref-echo(${value}${value})`],
          [value, `${value}${value}`],
          true,
        ]),
      );
    });
  });
});
