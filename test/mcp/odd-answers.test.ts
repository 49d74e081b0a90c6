import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { McpClients } from '../../src/mcp/clients.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { callOf, clientConfig, newClients, serverFile } from '../support/mcp-clients.ts';
import { type PlainServer, startPlainServer } from '../support/mcp-servers/plain-http.ts';

/** What the plain server says to the next call, in place of a result. */
let next: JsonObject | undefined;
let plain: PlainServer;
let clients: McpClients;

beforeAll(async () => {
  plain = await startPlainServer(() => [{ name: 'odd' }], { deny: () => next });
  const stdio = { command: process.execPath, args: [serverFile('odd-answers.mjs')] };
  const made = newClients([
    clientConfig({ name: 'piped', connection_type: 'stdio', stdio_config: stdio }),
    clientConfig({ name: 'posted', connection_type: 'http', connection_string: plain.url }),
  ]);
  clients = made.clients;
  await clients.start();
});

afterAll(async () => {
  await clients.close();
  await plain.close();
});

const oddCall = (client: string, answer: JsonObject) => {
  next = answer;
  return callOf(`${client}-odd`, { answer });
};

const NEITHER = /the server's answer (holds neither a result nor an error|is not JSON-RPC)/;

describe.each(['piped', 'posted'])('%s', (client) => {
  test.each<[string, JsonObject, RegExp]>([
    ['neither a result nor an error', {}, NEITHER],
    ['an error that is null', { error: null }, NEITHER],
    ['an error that is a text', { error: 'gone wrong' }, NEITHER],
    ['an error that is a list', { error: [1] }, NEITHER],
    ['an error without a message', { error: { code: -32000 } }, /the server gave no reason|is not JSON-RPC/],
    ['an error without a code', { error: { message: 'no idea' } }, /no idea|is not JSON-RPC/],
    ['a result that is a text', { result: 'done' }, /no object|is not JSON-RPC/],
    ['a result that is null', { result: null }, /no object|is not JSON-RPC/],
  ])('%s fails that call in words, and no other', async (_, answer, message) => {
    await expect(clients.call(oddCall(client, answer))).rejects.toThrow(message);
    const whole = await clients.call(oddCall(client, { result: { content: [{ type: 'text', text: 'fine' }] } }));
    expect(whole.content).toEqual([{ type: 'text', text: 'fine' }]);
    expect(clients.statuses().map(({ state }) => state)).toEqual(['healthy', 'healthy']);
  });

  test.each<[string, JsonObject, JsonObject[]]>([
    ['a text', { content: 'said' }, [{ type: 'text', text: 'said' }]],
    ['one block', { content: { type: 'text', text: 'alone' } }, [{ type: 'text', text: 'alone' }]],
    ['null', { content: null }, []],
    [
      'texts, numbers and nothing among blocks',
      { content: ['a', null, 5, { type: 'text', text: 'z' }] },
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: '5' },
        { type: 'text', text: 'z' },
      ],
    ],
    ['nothing at all', {}, []],
  ])('content that is %s loses nothing', async (_, result, content) => {
    const { content: told, kept } = await clients.call(oddCall(client, { result: { ...result, kept: 1 } }));
    expect({ told, kept }).toEqual({ told: content, kept: 1 });
  });
});

test('a malformed answer leaves the calls beside it alone', async () => {
  const slow = clients.call(callOf('piped-slow', { ms: 200 }));
  await expect(clients.call(oddCall('piped', { error: null }))).rejects.toThrow(NEITHER);
  expect((await slow).content).toEqual([{ type: 'text', text: 'in time' }]);
});
