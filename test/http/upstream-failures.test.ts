import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Dialect, dialects } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { type Answer, startUpstream, type Upstream } from '../support/upstream.ts';

/** Where requests go, and in which format they travel from there. */
const FORMATS = ['openai', 'anthropic'] as const;
type Format = (typeof FORMATS)[number];

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      openai: keyed(`${upstream.url}/v1`),
      anthropic: keyed(upstream.url),
      // nothing listens on port 1
      groq: keyed('http://127.0.0.1:1/v1'),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const json = (status: number, body: unknown, headers = {}): Answer =>
  sent(status, 'application/json', JSON.stringify(body), headers);

const sent =
  (status: number, type: string, text: string, headers = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': type, ...headers }).end(text);
  };

const FINE: Readonly<Record<Format, unknown>> = {
  openai: {
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
  },
  anthropic: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'fine' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 2 },
  },
};

const errorBody = (format: Format, type: string, message: string) =>
  format === 'openai' ? { error: { message, type, code: null } } : { type: 'error', error: { type, message } };

const sseEvent = (data: object): string =>
  `${'type' in data ? `event: ${data.type}\n` : ''}data: ${JSON.stringify(data)}\n\n`;

/** The start of a stream, up to its first words. */
const OPENING: Readonly<Record<Format, string>> = {
  openai: [
    {
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
    },
    {
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { content: 'half an' }, finish_reason: null }],
    },
  ]
    .map((data) => sseEvent(data))
    .join(''),
  anthropic: [
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 10, output_tokens: 1 },
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'half an' } },
  ]
    .map((data) => sseEvent(data))
    .join(''),
};

const streaming = (response: ServerResponse, text: string): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text);
};

interface Case {
  readonly dialect: Dialect;
  readonly format: Format;
  readonly stream: boolean;
}

const CASES: readonly Case[] = dialects.flatMap((dialect) =>
  FORMATS.flatMap((format) => [false, true].map((stream) => ({ dialect, format, stream }))),
);

const titled = CASES.map((each) => ({
  ...each,
  title: `${each.dialect.name} over ${each.format}, ${each.stream ? 'streamed' : 'whole'}`,
}));

/** Asks once against `answer`, then makes sure that the next request works. */
async function asked({ dialect, format, stream }: Case, answer: Answer) {
  const ask = (more: object) =>
    post(`${gateway.url}${dialect.path}`, dialect.question(`${format}/m`, more), {
      'x-request-id': `r-${Math.random()}`,
    });
  upstream.answers(answer);
  const response = await ask({ stream });
  const text = await response.text().catch((thrown: unknown) => `[connection lost: ${String(thrown)}]`);
  upstream.answers(json(200, FINE[format]));
  expect(dialect.textOf(await (await ask({})).json())).toBe('fine');
  return { status: response.status, headers: response.headers, text };
}

describe.each(titled)('$title', (each) => {
  const { dialect, format } = each;

  test('an HTML error page becomes a JSON error with the same status', async () => {
    const page = '<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>';
    const { status, headers, text } = await asked(each, sent(502, 'text/html', page));
    expect([status, headers.get('content-type')]).toEqual([502, 'application/json']);
    expect(dialect.errorOf(JSON.parse(text)).message).toBe('upstream answered 502 with an HTML page: 502 Bad Gateway');
  });

  test('a rate limit keeps its words and its retry-after', async () => {
    const body = errorBody(format, 'rate_limit_error', 'slow down, please');
    const { status, headers, text } = await asked(each, json(429, body, { 'retry-after': '17' }));
    expect([status, headers.get('retry-after')]).toEqual([429, '17']);
    expect(dialect.errorOf(JSON.parse(text))).toEqual({ type: 'rate_limit_error', message: 'slow down, please' });
  });

  test("a context that is too long is told in the upstream's own words, for clients that react to them", async () => {
    const words =
      format === 'openai'
        ? "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
        : 'prompt is too long: 209123 tokens > 200000 maximum';
    const { status, text } = await asked(each, json(400, errorBody(format, 'invalid_request_error', words)));
    expect(status).toBe(400);
    expect(dialect.errorOf(JSON.parse(text)).message).toBe(words);
  });

  test('an upstream that hangs up without an answer is a 502', async () => {
    const { status, text } = await asked(each, (response) => void response.destroy());
    expect(status).toBe(502);
    expect(dialect.errorOf(JSON.parse(text)).message).toMatch(/could not reach http:\/\/127.*closed the connection/);
  });

  test('garbage under status 200 is a 502 that shows its start', async () => {
    const { status, text } = await asked(each, sent(200, 'application/json', '{"half": '));
    expect(status).toBe(502);
    expect(dialect.errorOf(JSON.parse(text)).message).toContain('{"half": ');
  });

  test('a page under status 200 is a 502', async () => {
    const { status, text } = await asked(each, sent(200, 'text/html', '<html>Please sign in</html>'));
    expect(status).toBe(502);
    expect(dialect.errorOf(JSON.parse(text)).message).toContain('Please sign in');
  });

  test('an answer that is empty is a 502', async () => {
    const { status, text } = await asked(each, sent(200, 'application/json', ''));
    expect(status).toBe(502);
    expect(dialect.errorOf(JSON.parse(text)).message).toMatch(/in place of a JSON object/);
  });
});

describe.each(titled.filter((each) => each.stream))('$title', (each) => {
  const { dialect, format } = each;

  test('C10 a stream that is cut ends with an error event, never as if it were complete', async () => {
    const cut: Answer = (response) => {
      streaming(response, OPENING[format]);
      setTimeout(() => response.destroy(), 20);
    };
    const { status, text } = await asked(each, cut);
    expect(status).toBe(200);
    expect(text).toContain('half an');
    expect(dialect.streamErrorOf(text)?.message).toMatch(/cut|before it was complete/);
    expect(dialect.endsWell(text)).toBe(false);
  });

  test('a stream that just stops in the middle ends with an error event', async () => {
    const stopped: Answer = (response) => {
      streaming(response, OPENING[format]);
      response.end();
    };
    const { text } = await asked(each, stopped);
    expect(dialect.streamErrorOf(text)?.message).toMatch(/before it was complete|closed the stream|broke off/);
    expect(dialect.endsWell(text)).toBe(false);
  });

  test('a stream that breaks before its first word is a status', async () => {
    const early: Answer = (response) => {
      streaming(response, ': hello\n\n');
      setTimeout(() => response.destroy(), 10);
    };
    const { status, text } = await asked(each, early);
    expect(status).toBe(502);
    dialect.errorOf(JSON.parse(text));
  });

  test('a stream of garbage is an error, not an answer', async () => {
    const { status, text } = await asked(each, sent(200, 'text/event-stream', 'data: this is no JSON\n\n'));
    if (status === 200) expect(dialect.streamErrorOf(text)).toBeDefined();
    else dialect.errorOf(JSON.parse(text));
    expect(dialect.endsWell(text)).toBe(false);
  });

  test('an error event of the upstream reaches the client as one of its own dialect', async () => {
    const failing = OPENING[format] + sseEvent({ ...errorBody(format, 'server_error', 'the model fell over') });
    const { text } = await asked(each, sent(200, 'text/event-stream', failing));
    expect(dialect.streamErrorOf(text)?.message).toBe('the model fell over');
    expect(dialect.endsWell(text)).toBe(false);
  });

  test('C3 a JSON answer to a streaming request becomes a stream', async () => {
    const { status, headers, text } = await asked(each, json(200, FINE[format]));
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(text).toContain('fine');
    expect(dialect.endsWell(text)).toBe(true);
    expect(dialect.streamErrorOf(text)).toBeUndefined();
  });
});

test.each(titled.filter((each) => !each.stream))('$title: an answer that is cut is a 502', async (each) => {
  const cut: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"id":');
    setTimeout(() => response.destroy(), 20);
  };
  const { status, text } = await asked(each, cut);
  expect(status).toBe(502);
  expect(each.dialect.errorOf(JSON.parse(text)).message).toMatch(/the answer of http:\/\/127.* was cut/);
});

test.each(dialects)('$name: an upstream that is not there is a 502 that names it', async (dialect) => {
  for (const stream of [false, true]) {
    const answer = await post(`${gateway.url}${dialect.path}`, dialect.question('groq/m', { stream }));
    expect(answer.status).toBe(502);
    const { message } = dialect.errorOf(await answer.json());
    expect(message).toBe('could not reach http://127.0.0.1:1: ECONNREFUSED; is it running?');
  }
});
