import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject } from '../../src/model/json.ts';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { dialects } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { heldBytes } from '../support/heap.ts';
import { isAlive, until } from '../support/mcp-clients.ts';

const RUNS = 100;
const ROUNDS = 5;
const CALLS = 3;

let upstream: ChatUpstream;
let gateway: Gateway;
const faults: string[] = [];

beforeAll(async () => {
  upstream = await startChatUpstream(model);
  gateway = await startGatewayHere({
    providers: { openai: keyed(upstream.url) },
    mcp: { client_configs: [testServer('left'), testServer('right')] },
  });
});

afterAll(() => upstream.close());

/** Says five times three calls with tokens of their own, checks every result it is given, and ends with a word. */
function model(body: ChatBody): ChatAnswer {
  const asked = body.messages.find(({ role }) => role === 'user');
  const [run = ''] = /run-\d+-\d+/.exec(JSON.stringify(asked?.content)) ?? [];
  const rounds = body.messages.filter(({ role }) => role === 'assistant').length;
  const results = body.messages.filter(({ role }) => role === 'tool');
  const expected = Array.from({ length: rounds }, (_, round) => callsOf(run, round)).flat();
  if (results.length !== expected.length) faults.push(`${run}: ${results.length} of ${expected.length} results`);
  expected.forEach(({ id, input }, index) => {
    const result = results[index];
    if (result?.tool_call_id !== id || result.content !== input.value) {
      faults.push(`${run}: ${id} got ${result?.tool_call_id} ${JSON.stringify(result?.content)}`);
    }
  });
  upstream.bodies.length = 0;
  return rounds < ROUNDS ? { text: 'on it', calls: callsOf(run, rounds) } : { text: `${run} is done` };
}

/** The first call of a round takes longest, so that results come in another order than the calls. */
const callsOf = (run: string, round: number) =>
  Array.from({ length: CALLS }, (_, index) => ({
    id: `call_${run}_${round}_${index}`,
    name: `${index === 1 ? 'right' : 'left'}-${index === 2 ? 'echo' : 'slow'}`,
    input: { value: `${run}/${round}/${index}`, ms: 4 - index * 2 },
  }));

async function wave(number: number): Promise<void> {
  const runs = Array.from({ length: RUNS }, async (_, index) => {
    const name = `run-${number}-${index}`;
    const dialect = dialects[index % dialects.length];
    if (!dialect) throw new Error('there is a dialect');
    const stream = index % 4 < 2;
    const question = dialect.question('openai/m', { stream, messages: [{ role: 'user', content: name }] });
    const answer = await post(`${gateway.url}${dialect.path}`, question);
    const text = await answer.text();
    const said = stream ? textIn(text) : dialect.textOf(JSON.parse(text));
    if (!said.endsWith(`${name} is done`)) faults.push(`${name} ended with ${said.slice(-100)}`);
  });
  await Promise.all(runs);
}

/** The text of a stream in either dialect. */
const textIn = (stream: string): string =>
  [...stream.matchAll(/"(?:content|text)":"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece).join('');

async function serverProcesses(): Promise<number[]> {
  const listed: unknown = await (await fetch(`${gateway.url}/api/mcp/clients`)).json();
  const clients = isObject(listed) && Array.isArray(listed.clients) ? listed.clients : [];
  return clients.flatMap((client) => (isObject(client) && typeof client.pid === 'number' ? [client.pid] : []));
}

test('B5 a hundred runs at once get their own tool results, each in call order, and leave nothing behind', async () => {
  await wave(1);
  const before = heldBytes();
  await wave(2);
  expect(faults).toEqual([]);
  await expect.poll(() => heldBytes() - before).toBeLessThan(25_000_000);
  const processes = await serverProcesses();
  expect(processes).toHaveLength(2);
  await gateway.stop();
  await until(() => !processes.some(isAlive));
}, 120_000);
