import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import { type ClientFormat, clientFormats } from '../support/client-formats.ts';
import { type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { type Answer, startUpstream, type Upstream } from '../support/upstream.ts';
import { type WireAnswers, wireAnswers } from '../support/wire-answers.ts';

// Every wire format of a provider that misbehaves, seen by a client of every format, whole and streamed.

let upstream: Upstream;
let gateway: Gateway;

/** A provider that speaks the format and no other. */
const MODEL: Readonly<Record<CodecId, string>> = {
  'openai-chat': 'chatty/m',
  'anthropic-messages': 'anthropic/m',
  'openai-responses': 'responsive/m',
  gemini: 'gemini/m',
  'bedrock-converse': 'bedrock/amazon.nova-pro-v1:0',
};

const custom = (base: string, ...allowed: readonly string[]) => ({
  ...keyed(base),
  custom_provider_config: {
    base_provider_type: 'openai',
    allowed_requests: Object.fromEntries(allowed.map((name) => [name, true])),
  },
});

/** As it is configured at `base`; `network` is put on top. */
const providersAt = (base: string, network: object = {}) => {
  const providers = {
    chatty: custom(`${base}/v1`, 'chat_completion', 'chat_completion_stream'),
    responsive: custom(`${base}/v1`, 'responses', 'responses_stream'),
    anthropic: keyed(base),
    gemini: keyed(base),
    bedrock: keyed(base),
  };
  return Object.fromEntries(
    Object.entries(providers).map(([name, provider]) => [
      name,
      { ...provider, network_config: { ...provider.network_config, ...network } },
    ]),
  );
};

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({ providers: providersAt(upstream.url) });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

interface Case {
  readonly title: string;
  readonly client: ClientFormat;
  readonly wire: WireAnswers;
  readonly stream: boolean;
}

const CASES: readonly Case[] = clientFormats.flatMap((client) =>
  wireAnswers.flatMap((wire) =>
    [false, true].map((stream) => ({
      title: `${client.format} over ${wire.format}, ${stream ? 'streamed' : 'whole'}`,
      client,
      wire,
      stream,
    })),
  ),
);

const titled = (cases: readonly Case[]) => cases.map((each) => [each.title, each] as const);

interface Got {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** The message of the error answer. */
  error(): string;
}

/** Asks once against `answer`, then makes sure that the next request works. */
async function asked({ client, wire, stream }: Case, answer: Answer): Promise<Got> {
  upstream.answers(answer);
  const response = await client.ask(gateway.url, MODEL[wire.format], stream);
  const text = await client.read(response).catch((thrown: unknown) => `[connection lost: ${String(thrown)}]`);
  upstream.answers(sent('application/json', JSON.stringify(wire.whole)));
  const next = await client.ask(gateway.url, MODEL[wire.format], false);
  expect(client.textOf(await next.text())).toBe('fine');
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    text,
    error: () => client.errorOf(response, text),
  };
}

const sent =
  (type: string | undefined, body: string | Buffer, { status = 200, headers = {} } = {}): Answer =>
  (response) => {
    response.writeHead(status, { ...(type !== undefined && { 'content-type': type }), ...headers }).end(body);
  };

const open = (response: ServerResponse, type: string, bytes: Buffer): void => {
  response.writeHead(200, { 'content-type': type }).write(bytes);
};

const HTML = '<html><head><title>Under repair</title></head><body>nginx</body></html>';

type Refused = readonly [
  what: string,
  answer: (wire: WireAnswers) => Answer,
  status: number | undefined,
  words: RegExp,
];

/** No status where the wire's own error says whose fault it is. */
const refused: readonly Refused[] = [
  [
    'an HTML page of an error',
    () => sent('text/html', HTML, { status: 503 }),
    503,
    /503 with an HTML page: Under repair/,
  ],
  ['a page in place of an answer', () => sent('text/html', HTML), 502, /text\/html in place of a JSON object: <html>/],
  ['an empty body', () => sent('application/json', ''), 502, /in place of a JSON object/],
  [
    'an empty body of no type',
    () => sent(undefined, ''),
    502,
    /in place of a JSON object|before it was complete|closed the stream/,
  ],
  [
    'no content',
    () => sent(undefined, '', { status: 204 }),
    502,
    /in place of a JSON object|before it was complete|closed the stream/,
  ],
  ['what is no JSON', () => sent('application/json', 'fine, thanks'), 502, /JSON object: fine, thanks/],
  ['JSON of another kind', () => sent('application/json', '["fine"]'), 502, /JSON object: \["fine"\]/],
  [
    'JSON that ends too early',
    ({ whole }) => sent('application/json', JSON.stringify(whole).slice(0, -9)),
    502,
    /in place of a JSON object: \{"/,
  ],
  [
    'an error under status 200',
    ({ refusal }) => sent('application/json', JSON.stringify(refusal('the model fell over'))),
    undefined,
    /the model fell over/,
  ],
  ['an object of nothing', () => sent('application/json', '{}'), 502, /./],
  [
    'an address elsewhere',
    () => sent(undefined, '', { status: 301, headers: { location: 'https://new.example/v2?key=secret' } }),
    502,
    /redirect \(301\) to https:\/\/new\.example\/v2;/,
  ],
  [
    'an address elsewhere, for this time',
    () => sent('text/html', HTML, { status: 307, headers: { location: '/login' } }),
    502,
    /redirect \(307\) to \/login;/,
  ],
  [
    'an encoding that nobody asked for',
    () => sent('application/json', 'x', { headers: { 'content-encoding': 'secret-zip' } }),
    502,
    /encoding "secret-zip"/,
  ],
  [
    'a broken encoding',
    () => sent('application/json', 'no gzip', { headers: { 'content-encoding': 'gzip' } }),
    502,
    /broken gzip body/,
  ],
  [
    'a connection that closes',
    () => (response) => void response.destroy(),
    502,
    /could not reach http:\/\/127.*closed the connection/,
  ],
  [
    'a connection that closes behind the head',
    () => (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).flushHeaders();
      setTimeout(() => response.destroy(), 5);
    },
    502,
    /the answer of http:\/\/127.* was cut/,
  ],
  [
    'a connection that closes in a body',
    () => (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"id":');
      setTimeout(() => response.destroy(), 5);
    },
    502,
    /the answer of http:\/\/127.* was cut/,
  ],
];

describe.each(titled(CASES))('%s', (_title, each) => {
  const { client, wire, stream } = each;

  test.each(refused)('%s is an error that says so', async (_what, answer, status, words) => {
    const got = await asked(each, answer(wire));
    expect(got.error()).toMatch(words);
    expect(got.error()).not.toContain('key=secret');
    expect(got.contentType).toBe('application/json');
    if (status === undefined) expect(got.status).toBeGreaterThanOrEqual(500);
    else expect(got.status).toBe(status);
  });

  const saysFine = ({ status, text, error }: Got): void => {
    if (status !== 200) throw new Error(`status ${status}: ${error()}`);
    expect(stream ? client.streamTextOf(text) : client.textOf(text)).toBe('fine');
    if (stream) expect([client.endsWell(text), client.streamErrorOf(text)]).toEqual([true, undefined]);
  };

  const whole = Buffer.from(JSON.stringify(wire.whole));
  const good = stream ? Buffer.concat(wire.stream) : whole;
  const type = stream ? wire.streamType : 'application/json';

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const)('an answer in %s is read', async (encoding, pack) => {
    saysFine(await asked(each, sent(type, pack(good), { headers: { 'content-encoding': encoding } })));
  });

  test('an answer behind 64 KB of headers is read', async () => {
    saysFine(await asked(each, sent(type, good, { headers: { 'x-policy': 'p'.repeat(64 * 1024) } })));
  });

  test('an answer in single bytes is read', async () => {
    saysFine(
      await asked(each, async (response) => {
        response.writeHead(200, { 'content-type': type });
        for (const byte of good) await new Promise((done) => response.write(Buffer.of(byte), done));
        response.end();
      }),
    );
  });

  test('JSON under another type is read', async () => {
    saysFine(await asked(each, sent('text/plain', whole)));
  });

  test('C3 a whole answer is read, whether or not a stream was asked for', async () => {
    saysFine(await asked(each, sent('application/json', whole)));
  });

  test('an error behind a head of success is told, and the stream is no answer', async () => {
    const got = await asked(each, sent(wire.streamType, wire.failure('the model fell over')));
    if (got.status === 200) expect(client.streamErrorOf(got.text)).toBe('the model fell over');
    else expect(got.error()).toBe('the model fell over');
    expect(got.status >= 400 || !client.endsWell(got.text)).toBe(true);
  });
});

/** Streams that end badly behind their first words. */
const broken: readonly (readonly [string, (wire: WireAnswers) => Answer, RegExp])[] = [
  [
    'an error event',
    ({ opening, failure, streamType }) => sent(streamType, Buffer.concat([...opening, failure('the model fell over')])),
    /^the model fell over$/,
  ],
  [
    'an end that is none',
    ({ opening, streamType }) => sent(streamType, Buffer.concat(opening)),
    /before it was complete|closed the stream|broke off|cut/,
  ],
  [
    'a connection that closes',
    ({ opening, streamType }) =>
      (response) => {
        open(response, streamType, Buffer.concat(opening));
        setTimeout(() => response.destroy(), 20);
      },
    /cut|before it was complete/,
  ],
  [
    'half an event',
    ({ opening, stream, streamType }) => {
      const [next] = stream.slice(-2);
      return sent(streamType, Buffer.concat([...opening, next?.subarray(0, 25) ?? Buffer.alloc(0)]));
    },
    /before it was complete|closed the stream|broke off|cut/,
  ],
];

describe.each(titled(CASES.filter(({ stream }) => stream)))('%s', (_title, each) => {
  const { client, wire } = each;

  test.each(broken)('%s behind the first words ends the stream with an error', async (_what, answer, words) => {
    const { status, text } = await asked(each, answer(wire));
    expect(status).toBe(200);
    expect(client.streamTextOf(text)).toBe('half an');
    expect(client.streamErrorOf(text)).toMatch(words);
    expect(client.endsWell(text)).toBe(false);
  });

  test('a stream that breaks before its first word is a status', async () => {
    const got = await asked(each, (response) => {
      response.writeHead(200, { 'content-type': wire.streamType }).flushHeaders();
      setTimeout(() => response.destroy(), 10);
    });
    expect(got.status).toBe(502);
    expect(got.error()).toMatch(/cut|before it was complete/);
  });

  test('a stream of garbage is an error, not an answer', async () => {
    const got = await asked(each, sent(wire.streamType, 'data: this is no JSON\n\n'));
    if (got.status === 200) expect(client.streamErrorOf(got.text)).toBeDefined();
    else expect(got.error()).not.toBe('');
    expect(client.endsWell(got.text)).toBe(false);
  });
});

describe('an upstream that is too slow', () => {
  let slow: Server;
  let hurried: Gateway;
  let drips: boolean;

  beforeAll(async () => {
    slow = createServer((request, response) => {
      request.resume();
      if (!drips) return;
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    // a listening TCP server has an address
    const { port } = slow.address() as AddressInfo;
    const network = { default_request_timeout_in_seconds: 0.25 };
    hurried = await startGatewayHere({ providers: providersAt(`http://127.0.0.1:${port}`, network) });
  });

  afterAll(async () => {
    await hurried.stop();
    slow.closeAllConnections();
    await new Promise((resolve) => slow.close(resolve));
  });

  test.each([
    ['says nothing', false],
    ['sends a byte now and then', true],
  ])('that %s is a timeout in the words of every format', async (_what, isDripping) => {
    drips = isDripping;
    const told = await Promise.all(
      CASES.map(async ({ client, wire, stream, title }) => {
        const response = await client.ask(hurried.url, MODEL[wire.format], stream);
        return [title, response.status, client.errorOf(response, await client.read(response))];
      }),
    );
    const words = expect.stringMatching(/did not answer within 0\.25 s; raise network_config/);
    expect(told).toEqual(CASES.map(({ title }) => [title, 504, words]));
  });
});
