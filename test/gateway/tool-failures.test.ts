import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { dialects } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { heldBytes } from '../support/heap.ts';
import { until } from '../support/mcp-clients.ts';

interface Call {
  readonly name: string;
  readonly input: unknown;
}

let upstream: ChatUpstream;
let gateway: Gateway;
/** What the model asks for before it answers. */
let calls: readonly Call[] = [];

const resultsIn = (body: ChatBody): string[] =>
  body.messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));

beforeAll(async () => {
  upstream = await startChatUpstream((body, count) =>
    resultsIn(body).length > 0
      ? { text: 'done' }
      : { calls: calls.map((call, index) => ({ id: `call_${count}_${index}`, ...call })) },
  );
  const client_configs = [
    testServer(),
    testServer('hasty', { tool_execution_timeout: '100ms' }),
    testServer('frail'),
    testServer('dead', { stdio_config: { command: 'no-such-program' } }),
  ];
  gateway = await startGatewayHere({ providers: { openai: keyed(upstream.url) }, mcp: { client_configs } });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

afterEach(() => {
  upstream.bodies.length = 0;
});

/** A table row: what the model calls, and what it is told. */
type Row = [title: string, call: Call, told: RegExp];

const ROWS: readonly Row[] = [
  ['hangs', { name: 'hasty-hang', input: {} }, /Error executing tool hasty-hang: .*timed out after 100ms/],
  ['says that it failed', { name: 'ref-fail', input: {} }, /^it went wrong$/],
  ['ends its server', { name: 'frail-crash', input: {} }, /Error executing tool frail-crash: .*failed for frail-crash/],
  ['works again afterwards', { name: 'frail-echo', input: { value: 'back' } }, /^back$/],
  ['says nothing', { name: 'ref-echo', input: { value: '' } }, /executed successfully/],
  [
    'answers 5 MB',
    { name: 'ref-big', input: { length: 5_000_000 } },
    /^\[Too large to be shown whole: 5000000 characters .*\]\nx{4000}$/,
  ],
];

describe.each(dialects)('$name: a tool that', (dialect) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    test.each(ROWS)('%s is told to the model, and the run goes on', async (_, call, told) => {
      calls = [call];
      const answer = await post(`${gateway.url}${dialect.path}`, dialect.question('openai/m', { stream }));
      const text = await answer.text();
      expect([answer.status, dialect.streamErrorOf(text)], text.slice(0, 500)).toEqual([200, undefined]);
      expect(text).toContain('done');
      expect(resultsIn(upstream.bodies[1] ?? { model: '', messages: [] })).toEqual([expect.stringMatching(told)]);
    });
  });
});

test('a model that writes broken arguments is told so', async () => {
  const broken = await startChatUpstream((body, count) =>
    resultsIn(body).length > 0
      ? { text: 'done' }
      : { calls: [{ id: `c${count}`, name: 'ref-echo', input: 'no object' }] },
  );
  const own = await startGatewayHere({
    providers: { openai: keyed(broken.url) },
    mcp: { client_configs: [testServer()] },
  });
  const answer = await post(`${own.url}/v1/chat/completions`, {
    model: 'openai/m',
    messages: [{ role: 'user', content: 'x' }],
  });
  expect(answer.status).toBe(200);
  expect(resultsIn(broken.bodies[1] ?? { model: '', messages: [] })[0]).toMatch(
    /failed to parse tool arguments for 'ref-echo'/,
  );
  await own.stop();
  await broken.close();
});

test('results of one turn keep the order of their calls, whatever fails or ends first', async () => {
  calls = [
    { name: 'ref-slow', input: { ms: 80, value: 'slow' } },
    { name: 'ref-fail', input: {} },
    { name: 'hasty-hang', input: {} },
    { name: 'ref-echo', input: { value: 'quick' } },
  ];
  await post(`${gateway.url}/v1/chat/completions`, { model: 'openai/m', messages: [{ role: 'user', content: 'x' }] });
  const results = resultsIn(upstream.bodies[1] ?? { model: '', messages: [] });
  expect(results.map((result) => result.replace(/.*timed out.*/, 'timed out'))).toEqual([
    'slow',
    'it went wrong',
    'timed out',
    'quick',
  ]);
});

test.each(dialects)('$name: a client that goes while a tool runs cancels the tool', async (dialect) => {
  for (const stream of [false, true]) {
    const file = join(gateway.appDir, `cancellable-${dialect.name}-${stream}`);
    calls = [{ name: 'ref-cancellable', input: { file } }];
    const abort = new AbortController();
    const question = dialect.question('openai/m', { stream });
    const left = post(`${gateway.url}${dialect.path}`, question, {}, abort.signal).then((answer) => answer.text());
    await until(() => existsSync(file));
    abort.abort();
    await expect(left).rejects.toThrow();
    await until(() => readFileSync(file, 'utf8') === 'cancelled');
    expect(upstream.bodies).toHaveLength(1);
    upstream.bodies.length = 0;
  }
});

test('large results leave no memory behind', async () => {
  calls = [{ name: 'ref-big', input: { length: 5_000_000 } }];
  const ask = async () => {
    const answer = await post(`${gateway.url}/v1/chat/completions`, {
      model: 'openai/m',
      messages: [{ role: 'user', content: 'x' }],
    });
    await answer.text();
    upstream.bodies.length = 0;
  };
  await ask();
  const before = heldBytes();
  for (let round = 0; round < 10; round++) await ask();
  // of the 50 MB that came; the last results may still be on their way to where they are kept, compressed
  await expect.poll(() => heldBytes() - before).toBeLessThan(30_000_000);
});

test('an MCP server that cannot start is named in the log, and the gateway is well', async () => {
  expect(gateway.output()).toMatch(/dead/);
  const health = await (await fetch(`${gateway.url}/health`)).json();
  expect(health).toMatchObject({ status: 'ok', mcp_clients: 4 });
});
