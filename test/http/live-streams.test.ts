import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { chat, dialects, messages } from '../support/dialects.ts';
import { type Gateway, impatient, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { until } from '../support/mcp-clients.ts';
import { type Answer, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let slowTool: ChatUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  slowTool = await startChatUpstream((body) =>
    body.messages.some(({ role }) => role === 'tool')
      ? { text: 'done' }
      : { text: 'wait', calls: [{ id: 'call_1', name: 'ref-slow', input: { ms: 250, value: 'v' } }] },
  );
  gateway = await startGatewayHere(
    {
      providers: { openai: keyed(`${upstream.url}/v1`), groq: keyed(slowTool.url) },
      mcp: { client_configs: [testServer()] },
    },
    { keepAlive: impatient() },
  );
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([upstream.close(), slowTool.close()]);
});

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })}\n\n`;

const REST = `${chunk({}, 'stop')}data: [DONE]\n\n`;
const KEEP_ALIVES = { [chat.name]: /^: ?.*$/gm, [messages.name]: /^event: ping$/gm };

describe.each(dialects)('C14 $name: a stream is never silent for long', (dialect) => {
  const keepAlivesIn = (text: string) => text.match(KEEP_ALIVES[dialect.name] ?? /^$/)?.length ?? 0;
  const ask = (model: string) => post(`${gateway.url}${dialect.path}`, dialect.question(model, { stream: true }));

  /** Starts and then says nothing until the client has heard from the gateway. */
  async function silentAt(opening: string): Promise<string> {
    let goOn = () => {};
    const silent: Answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (opening) response.write(opening);
      else response.flushHeaders();
      goOn = () => void response.end(chunk({ content: 'late' }) + REST);
    };
    upstream.answers(silent);
    const answer = await ask('openai/m');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    let text = '';
    for await (const bytes of answer.body ?? []) {
      text += Buffer.from(bytes).toString();
      if (keepAlivesIn(text) >= 2) goOn();
    }
    return text;
  }

  test('while the upstream thinks before its first word', async () => {
    const text = await silentAt('');
    expect(text).toContain('late');
    expect(dialect.endsWell(text)).toBe(true);
  });

  test('in the middle of an answer, and the answer is whole all the same', async () => {
    const text = await silentAt(chunk({ role: 'assistant', content: 'early' }));
    expect(text.indexOf('early')).toBeLessThan(text.indexOf('"late"'));
    expect(dialect.endsWell(text)).toBe(true);
  });

  test('while a tool runs', async () => {
    const text = await (await ask('groq/m')).text();
    expect(keepAlivesIn(text)).toBeGreaterThan(1);
    expect(text).toContain('done');
    expect(dialect.endsWell(text)).toBe(true);
  });

  test('and a failure after a keep-alive is an error event, as the status has gone out', async () => {
    upstream.answers(async (response) => {
      await new Promise((next) => setTimeout(next, 150));
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no, sorry"}}');
    });
    const answer = await ask('openai/m');
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(dialect.streamErrorOf(text)?.message).toBe('no, sorry');
    expect(dialect.endsWell(text)).toBe(false);
  });
});

/** Without a tool to offer, a stream of the client's own format travels byte for byte. */
const VERBATIM = { 'x-bf-mcp-include-tools': 'none-none' };

test('a keep-alive never stands inside an event that the upstream has sent in halves', async () => {
  const [first, second] = [chunk({ content: 'whole' }).slice(0, 40), chunk({ content: 'whole' }).slice(40)];
  upstream.answers(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ role: 'assistant', content: 'a' }));
    await new Promise((next) => setTimeout(next, 150));
    response.write(first);
    await new Promise((next) => setTimeout(next, 150));
    response.end(second + REST);
  });
  const question = chat.question('openai/m', { stream: true });
  const text = await (await post(`${gateway.url}${chat.path}`, question, VERBATIM)).text();
  expect(text).toContain(': keep-alive');
  expect(text).toContain(chunk({ content: 'whole' }));
});

/** A client that sends its request and reads nothing until told to. */
function lazyClient(path: string, body: string, headers: Record<string, string>): Socket {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.pause();
  const all = { host: 'localhost', connection: 'close', 'content-length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  return socket;
}

test.each([
  ['translated', messages, {}],
  ['with tools on offer', chat, {}],
  ['verbatim', chat, VERBATIM],
] as const)('a client that does not read stops the reading upstream (%s)', async (_, dialect, headers) => {
  const piece = chunk({ content: 'x'.repeat(64 * 1024) });
  const total = 1_000;
  let written = 0;
  let isHeld = false;
  upstream.answers(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (; written < total; written++) {
      if (response.write(piece)) continue;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((next) => {
        timer = setTimeout(() => {
          isHeld = true;
        }, 300);
        response.once('drain', next);
      });
      clearTimeout(timer);
    }
    response.end(REST);
  });
  const client = lazyClient(dialect.path, JSON.stringify(dialect.question('openai/m', { stream: true })), headers);
  await until(() => isHeld);
  // what kernel and sockets hold, a few megabytes; the rest has not left the upstream
  expect(written).toBeLessThan(total / 2);
  let received = '';
  for await (const bytes of client) received = (received + String(bytes)).slice(-2_000);
  expect(written).toBe(total);
  expect(dialect.endsWell(received)).toBe(true);
});
