import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { KeepAlive } from '../../src/http/event-stream.ts';
import { startChatUpstream } from '../support/chat-upstream.ts';
import { chat } from '../support/dialects.ts';
import { eventually, impatient, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { serverFile } from '../support/mcp-clients.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Held {
  readonly body: { readonly stream?: boolean; readonly messages?: readonly { readonly content: string }[] };
  readonly path: string;
  readonly response: ServerResponse;
}

/** A provider that answers nobody by itself, and counts how many it is asked at once. */
async function holdingUpstream() {
  const held: Held[] = [];
  const seen = { underWay: 0, most: 0, asked: [] as string[] };
  const server = createServer(async (request, response) => {
    seen.underWay++;
    seen.most = Math.max(seen.most, seen.underWay);
    response.on('close', () => seen.underWay--);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    // the gateway sends JSON
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Held['body'];
    seen.asked.push(body.messages?.at(-1)?.content ?? '');
    held.push({ body, path: request.url ?? '', response });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  const heldNow = (count: number) =>
    eventually(
      async () => held.length,
      (now) => now >= count,
    );
  /** The next one that waits for its answer. */
  const taken = async (): Promise<Held> => {
    await heldNow(1);
    const [next] = held.splice(0, 1);
    if (!next) throw new Error('somebody was held');
    return next;
  };
  return { url: `http://127.0.0.1:${port}/v1`, seen, held, heldNow, taken };
}

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })}\n\n`;
const END = `${chunk({}, 'stop')}data: [DONE]\n\n`;

function answer({ body, path, response }: Held): void {
  if (path.endsWith('/embeddings')) {
    response.setHeader('content-type', 'application/json');
    response.end('{"object":"list","data":[],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}');
  } else if (body.stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(chunk({ role: 'assistant', content: 'fine' }) + END);
  } else {
    response.setHeader('content-type', 'application/json');
    response.end(
      '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}',
    );
  }
}

interface Setting {
  readonly client?: object;
  /** Of the provider. */
  readonly network?: object;
  /** Other providers. */
  readonly more?: object;
  readonly keepAlive?: KeepAlive;
}

async function started(limits: object | undefined, { client = {}, network, more, ...options }: Setting = {}) {
  const upstream = await holdingUpstream();
  const openai = {
    ...keyed(upstream.url),
    network_config: { base_url: upstream.url, ...network },
    ...(limits && { concurrency_and_buffer_size: limits }),
  };
  const gateway = await startGatewayHere({ client, providers: { openai, ...more } }, options);
  closing.push(() => gateway.stop());
  const ask = (text: string, extra: object = {}, signal?: AbortSignal) => {
    const question = { model: 'openai/m', messages: [{ role: 'user', content: text }], ...extra };
    return post(`${gateway.url}/v1/chat/completions`, question, {}, signal);
  };
  return { upstream, gateway, ask };
}

const textOf = async (response: Promise<Response>): Promise<string> => chat.textOf(await (await response).json());

test('without limits everything that comes is asked at once', async () => {
  const { upstream, ask } = await started(undefined);
  const asked = Array.from({ length: 8 }, (_, index) => ask(`${index}`));
  await upstream.heldNow(8);
  expect(upstream.seen.most).toBe(8);
  for (const each of upstream.held.splice(0)) answer(each);
  await Promise.all(asked);
});

test('a provider is sent no more calls at once than it may be, chats, streams and other operations alike', async () => {
  const { upstream, gateway, ask } = await started({ concurrency: 2, buffer_size: 3 });
  const embed = () => post(`${gateway.url}/v1/embeddings`, { model: 'openai/m', input: 'x' });
  const asked = [ask('a'), ask('b', { stream: true }), embed(), ask('c'), embed(), ask('d', { stream: true }), embed()];
  for (let index = 0; index < asked.length; index++) answer(await upstream.taken());
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses).toEqual(asked.map(() => 200));
  expect(upstream.seen.most).toBe(2);
});

test('a stream keeps its turn until its end', async () => {
  const { upstream, ask } = await started({ concurrency: 1, buffer_size: 1 });
  const streaming = await Promise.all([
    ask('stream', { stream: true }),
    upstream.taken().then(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ role: 'assistant', content: 'begun' }));
      return response;
    }),
  ]);
  const [{ body }, response] = streaming;
  const reader = body?.getReader();
  await reader?.read();
  const second = ask('second');
  response.write(chunk({ content: ' on' }));
  await reader?.read();
  expect(upstream.seen.asked).toEqual(['stream']);
  response.end(END);
  answer(await upstream.taken());
  expect(await textOf(second)).toBe('fine');
  await reader?.cancel();
});

/** A stream of which the client has heard no more than that the gateway lives: it waits for its turn. */
async function waits(asked: Promise<Response>) {
  const { body } = await asked;
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  const read = async () => {
    const next = await reader?.read();
    return next?.done ? undefined : decoder.decode(next?.value, { stream: true });
  };
  expect(await read()).toMatch(/^(: .*\n\n)+$/);
  return {
    rest: async () => {
      let text = '';
      for (let piece = await read(); piece !== undefined; piece = await read()) text += piece;
      return text;
    },
  };
}

test('the client of a stream that waits for its turn is kept alive', async () => {
  const { upstream, ask } = await started({ concurrency: 1, buffer_size: 1 }, { keepAlive: impatient() });
  const first = ask('first');
  const held = await upstream.taken();
  const second = await waits(ask('second', { stream: true }));
  expect(upstream.seen.asked).toEqual(['first']);
  answer(held);
  answer(await upstream.taken());
  expect(await second.rest()).toContain('fine');
  await first;
});

test('a client that goes away gives up its place, waiting or being answered', async () => {
  const { upstream, ask } = await started({ concurrency: 1, buffer_size: 1 }, { keepAlive: impatient() });
  const [under, waiting] = [new AbortController(), new AbortController()];
  const first = ask('under', {}, under.signal);
  await upstream.taken();
  const second = await waits(ask('waiting', { stream: true }, waiting.signal));
  const last = await waits(ask('last', { stream: true }));
  waiting.abort();
  under.abort();
  await Promise.allSettled([first, second.rest()]);
  answer(await upstream.taken());
  expect(await last.rest()).toContain('fine');
  const again = ask('again');
  answer(await upstream.taken());
  expect(await textOf(again)).toBe('fine');
  expect(upstream.seen.asked).toEqual(['under', 'last', 'again']);
});

test('a call that fails lets the next one in, however it fails', async () => {
  const { upstream, ask } = await started({ concurrency: 1, buffer_size: 1 });
  const failures: ((held: Held) => void)[] = [
    ({ response }) => response.destroy(),
    ({ response }) => response.writeHead(500).end('{"error":{"message":"broken"}}'),
    ({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).end('no JSON'),
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ role: 'assistant', content: 'cut' }), () => response.destroy());
    },
  ];
  const asked = failures.map((_, index) =>
    ask(`${index}`, { stream: index === 3 }).then((response) => response.text()),
  );
  const last = ask('last');
  for (let index = 0; index <= failures.length; index++) {
    const held = await upstream.taken();
    const failing = failures[Number(upstream.seen.asked.at(-1))];
    if (failing) failing(held);
    else answer(held);
  }
  await Promise.all(asked);
  expect(await textOf(last)).toBe('fine');
  expect(upstream.seen.most).toBe(1);
});

const dropping = () => ({ client: { drop_excess_requests: true }, keepAlive: impatient() });

/** One call under way and one that waits, which is all that there is room for. */
async function filled({ upstream, ask }: Pick<Awaited<ReturnType<typeof started>>, 'upstream' | 'ask'>) {
  const first = ask('first');
  await upstream.heldNow(1);
  const second = await waits(ask('second', { stream: true }));
  return { first, second };
}

test('what comes while the queue is full is refused in the original’s words, where excess is to be dropped', async () => {
  const { upstream, gateway, ask } = await started({ concurrency: 1, buffer_size: 1 }, dropping());
  const { first, second } = await filled({ upstream, ask });
  const refused = await ask('third');
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({
    is_bifrost_error: true,
    status_code: 503,
    error: { type: 'request_dropped', message: expect.stringMatching(/^request dropped: queue is full/) },
  });
  const claudes = await post(`${gateway.url}/anthropic/v1/messages`, {
    model: 'openai/m',
    max_tokens: 5,
    messages: [{ role: 'user', content: 'x' }],
  });
  expect(claudes.status).toBe(503);
  expect(await claudes.json()).toMatchObject({ error: { type: 'overloaded_error' } });
  const embedding = await post(`${gateway.url}/v1/embeddings`, { model: 'openai/m', input: 'x' });
  expect(embedding.status).toBe(503);
  const rows = await eventually(
    async () => (await (await fetch(`${gateway.url}/api/logs?status=error`)).json()) as { logs: object[] },
    ({ logs }) => logs.length === 3,
  );
  for (const row of rows.logs) expect(JSON.stringify(row)).toContain('queue is full');
  for (let answered = 0; answered < 2; answered++) answer(await upstream.taken());
  expect([await textOf(first), await second.rest()]).toEqual(['fine', expect.stringContaining('fine')]);
});

test('a full queue leads to the fallbacks at once, without a retry', async () => {
  const other = await startChatUpstream(() => ({ text: 'from the fallback' }));
  closing.push(other.close);
  const { upstream, ask } = await started(
    { concurrency: 1, buffer_size: 1 },
    {
      ...dropping(),
      network: { max_retries: 3, retry_backoff_initial: '1m', retry_backoff_max: '1m' },
      more: { groq: keyed(other.url) },
    },
  );
  const { first, second } = await filled({ upstream, ask });
  expect(await textOf(ask('third', { fallbacks: ['groq/m'] }))).toBe('from the fallback');
  for (let answered = 0; answered < 2; answered++) answer(await upstream.taken());
  expect([await textOf(first), await second.rest()]).toEqual(['fine', expect.stringContaining('fine')]);
});

test('without drop_excess_requests they wait all the same', async () => {
  const { upstream, ask } = await started({ concurrency: 1, buffer_size: 1 });
  const asked = ['a', 'b', 'c', 'd', 'e'].map((text) => ask(text));
  for (let index = 0; index < asked.length; index++) answer(await upstream.taken());
  expect(await Promise.all(asked.map(textOf))).toEqual(asked.map(() => 'fine'));
  expect(upstream.seen.most).toBe(1);
});

test('one call at a time is enough for rounds of tools, and for tools that ask a model themselves', async () => {
  const upstream = await startChatUpstream(({ messages, tools }) => {
    const last = JSON.stringify(messages.at(-1)?.content);
    if (!tools) return { text: `sampled ${last}` };
    if (messages.at(-1)?.role === 'tool') return { text: `done: ${last}` };
    if (last.includes('sample'))
      return { calls: [{ id: 'c', name: 'asker-test_sampling', input: { prompt: 'hello' } }] };
    return { calls: [{ id: 'c', name: 'ref-echo', input: { value: 'x' } }] };
  });
  closing.push(upstream.close);
  const gateway = await startGatewayHere({
    providers: { openai: { ...keyed(upstream.url), concurrency_and_buffer_size: { concurrency: 1, buffer_size: 1 } } },
    mcp: {
      client_configs: [
        testServer(),
        testServer('asker', {
          stdio_config: { command: process.execPath, args: [serverFile('everything-like.mjs')] },
          sampling: { enabled: true, model: 'openai/m', max_tokens: 50 },
        }),
      ],
    },
  });
  closing.push(() => gateway.stop());
  const answers = ['sample', 'echo', 'echo', 'echo'].map((content) =>
    textOf(post(`${gateway.url}/v1/chat/completions`, { model: 'openai/m', messages: [{ role: 'user', content }] })),
  );
  const [sampled, ...echoed] = await Promise.all(answers);
  expect(sampled).toContain('sampled');
  for (const text of echoed) expect(text).toContain('done: ');
  expect(upstream.bodies).toHaveLength(9);
});

test('what a provider is limited to is shown; 0 asks for the usual', async () => {
  const limited = (limits: object) => ({ ...keyed('http://127.0.0.1:1'), concurrency_and_buffer_size: limits });
  const gateway = await startGatewayHere({
    providers: {
      openai: limited({ concurrency: 3 }),
      groq: limited({ concurrency: 0, buffer_size: 7 }),
      xai: keyed('http://127.0.0.1:1'),
    },
  });
  closing.push(() => gateway.stop());
  const shown = (await (await fetch(`${gateway.url}/api/providers`)).json()) as { providers: { name: string }[] };
  const limits = Object.fromEntries(
    shown.providers.map(({ name, ...rest }) => [name, Reflect.get(rest, 'concurrency_and_buffer_size')]),
  );
  expect(limits).toEqual({
    openai: { concurrency: 3, buffer_size: 5_000 },
    groq: { concurrency: 1_000, buffer_size: 7 },
    xai: undefined,
  });
});
