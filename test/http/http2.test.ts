import { createServer, type Server, type ServerResponse } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAmazonFrameReader } from '../../src/codecs/amazon-frames.ts';
import { drained } from '../../src/http/event-stream.ts';
import { eventually, type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { wireAnswers } from '../support/wire-answers.ts';

// Clients that speak HTTP/2 from their first byte: node's own, and AWS's SDK.

interface Asked {
  readonly size: number;
  /** How it ended: with an answer, or cut by whoever asked. */
  readonly closed: Promise<'complete' | 'cut'>;
}

let server: Server;
let gateway: Gateway;
let session: ClientHttp2Session;
let asked: Asked[];
let script: (response: ServerResponse) => void;

const chat = wireAnswers.find(({ format }) => format === 'openai-chat');
if (!chat) throw new Error('no chat answers');
const STREAM = Buffer.concat(chat.stream);

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let size = 0;
    for await (const piece of request) size += piece.length;
    asked.push({
      size,
      closed: new Promise((resolve) => {
        response.on('close', () => resolve(response.writableFinished ? 'complete' : 'cut'));
      }),
    });
    script(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(async () => {
  asked = [];
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  gateway = await startGatewayHere({ providers: { openai: keyed(`http://127.0.0.1:${port}/v1`) } }, { graceMs: 300 });
  session = connect(gateway.url);
});

afterEach(async () => {
  session.destroy();
  await gateway.stop();
});

const whole = (body: unknown) => (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const streamed = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });

/** Whether a request that begins now gets an answer. Node 20 refuses it at once, later ones with the session's end. */
async function isAnswered(open: ClientHttp2Session): Promise<boolean> {
  try {
    const stream = open.request({ ':path': '/health' });
    return await new Promise((resolve) => {
      stream.on('response', () => resolve(true)).on('error', () => resolve(false));
    });
  } catch {
    return false;
  }
}

const PATH = '/v1/chat/completions';

function post(body: unknown, path = PATH): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' });
  stream.end(typeof body === 'string' ? body : JSON.stringify(body));
  return stream;
}

const question = (more: object = {}) => ({
  model: 'openai/m',
  messages: [{ role: 'user', content: 'Hi' }],
  ...more,
});

const statusOf = (stream: ClientHttp2Stream): Promise<number> =>
  new Promise((resolve, reject) => {
    stream.on('response', (headers) => resolve(Number(headers[':status'])));
    stream.on('error', reject);
  });

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const chunkOf = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

describe('over HTTP/2', () => {
  test('many requests share a connection', async () => {
    script = (response) => streamed(response).end(STREAM);
    const texts = await Promise.all(Array.from({ length: 40 }, () => textOf(post(question({ stream: true })))));
    expect(texts).toHaveLength(40);
    for (const text of texts) expect(text).toContain('data: [DONE]');
  });

  test('a huge request arrives whole', async () => {
    script = whole(chat.whole);
    const body = JSON.stringify(question({ messages: [{ role: 'user', content: 'x'.repeat(20 * 1024 * 1024) }] }));
    const stream = post(body);
    const [status, text] = await Promise.all([statusOf(stream), textOf(stream)]);
    expect([status, JSON.parse(text).choices[0].message.content]).toEqual([200, 'fine']);
    expect(asked[0]?.size).toBeGreaterThan(20 * 1024 * 1024);
  });

  test('a huge answer arrives whole', async () => {
    const content = 'y'.repeat(20 * 1024 * 1024);
    script = whole({
      ...chat.whole,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    });
    const { choices } = JSON.parse(await textOf(post(question())));
    expect(choices[0].message.content.length).toBe(content.length);
  });

  test('a body above the limit is refused with a status', async () => {
    const small = await startGatewayHere({
      providers: { openai: keyed('http://127.0.0.1:1/v1') },
      client: { max_request_body_size_mb: 1 },
    });
    const own = connect(small.url);
    const stream = own.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/json' });
    const status = statusOf(stream);
    stream.end('x'.repeat(3 * 1024 * 1024));
    expect(await status).toBe(413);
    expect(JSON.parse(await textOf(stream)).error.message).toContain('larger than 1 MB');
    own.destroy();
    await small.stop();
  });

  test('a client that leaves in the middle of a stream ends the upstream request', async () => {
    script = (response) => streamed(response).write(chunkOf('half an'));
    const stream = post(question({ stream: true }));
    await new Promise((resolve) => stream.once('data', resolve));
    stream.close();
    expect(await asked[0]?.closed).toBe('cut');
  });

  test('a connection that breaks ends all that was under way on it', async () => {
    script = (response) => streamed(response).write(chunkOf('half an'));
    const streams = [1, 2, 3].map(() => post(question({ stream: true })).on('error', () => {}));
    await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('data', resolve))));
    session.destroy();
    expect(await Promise.all(asked.map(({ closed }) => closed))).toEqual(['cut', 'cut', 'cut']);
  });

  test('a client that leaves before the answer ends the upstream request too', async () => {
    script = () => {};
    const stream = post(question());
    await eventually(
      async () => asked.length,
      (count) => count === 1,
    );
    stream.close();
    expect(await asked[0]?.closed).toBe('cut');
  });

  test('a reader that is slow slows its upstream, and gets everything in the end', async () => {
    const piece = chunkOf('z'.repeat(60_000));
    const pieces = 300;
    let written = 0;
    script = async (response) => {
      streamed(response);
      for (; written < pieces && !response.destroyed; written++) {
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end(STREAM);
    };
    const stream = post(question({ stream: true }));
    await statusOf(stream);
    stream.pause();
    let before = -1;
    await eventually(
      async () => {
        const isStill = written === before;
        before = written;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return isStill && written > 0;
      },
      (isStill) => isStill,
    );
    // the buffers of three sockets are all that stands between the two
    expect(written).toBeLessThan(pieces / 2);
    const text = await textOf(stream);
    expect(text.split('zzz', 2)).toHaveLength(2);
    expect(text.length).toBeGreaterThan(pieces * 60_000);
    expect(text).toContain('data: [DONE]');
  });

  test('a slow reader that leaves lets go of its upstream', async () => {
    const piece = chunkOf('z'.repeat(60_000));
    script = async (response) => {
      streamed(response);
      while (!response.destroyed) {
        if (!response.write(piece)) await drained(response);
      }
    };
    const stream = post(question({ stream: true }));
    await statusOf(stream);
    stream.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    stream.close();
    expect(await asked[0]?.closed).toBe('cut');
  });

  test('an array that grows waits for its reader as well', async () => {
    const piece = chunkOf('z'.repeat(60_000));
    const pieces = 300;
    let written = 0;
    script = async (response) => {
      streamed(response);
      for (; written < pieces && !response.destroyed; written++) {
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end(STREAM);
    };
    const stream = post(
      { contents: [{ parts: [{ text: 'Hi' }] }] },
      '/genai/v1beta/models/openai/m:streamGenerateContent',
    );
    await statusOf(stream);
    stream.pause();
    let before = -1;
    await eventually(
      async () => {
        const isStill = written === before;
        before = written;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return isStill && written > 0;
      },
      (isStill) => isStill,
    );
    expect(written).toBeLessThan(pieces / 2);
    expect(JSON.parse(await textOf(stream)).length).toBeGreaterThan(pieces);
  });
});

describe('a gateway that stops', () => {
  test('says goodbye, lets an open stream finish within its grace, and takes nothing new', async () => {
    let finish = (): void => {};
    script = (response) => {
      streamed(response).write(chunkOf('half an'));
      finish = () => response.end(STREAM);
    };
    const stream = post(question({ stream: true }));
    const text = textOf(stream);
    await statusOf(stream);
    const goodbye = new Promise<number>((resolve) => session.once('goaway', resolve));
    const stopped = gateway.stop();
    expect(await goodbye).toBe(0);
    const late = isAnswered(session);
    finish();
    expect(await text).toContain('data: [DONE]');
    await stopped;
    expect(await late).toBe(false);
    gateway = await startGatewayHere({ providers: {} });
  });

  test('ends a stream that outlasts its grace, upstream too', async () => {
    script = (response) => streamed(response).write(chunkOf('half an'));
    const stream = post(question({ stream: true })).on('error', () => {});
    session.on('error', () => {});
    await statusOf(stream);
    const startedAt = performance.now();
    await gateway.stop();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await asked[0]?.closed).toBe('cut');
    gateway = await startGatewayHere({ providers: {} });
  });
});

describe('the AWS SDK', () => {
  let client: BedrockRuntimeClient;

  beforeEach(() => {
    client = new BedrockRuntimeClient({
      region: 'us-east-1',
      endpoint: `${gateway.url}/bedrock`,
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
      maxAttempts: 1,
    });
  });

  afterEach(() => client.destroy());

  const QUESTION: ConverseCommandInput = {
    modelId: 'openai/m',
    messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
  };

  test('streams a long answer whole', async () => {
    script = (response) => {
      streamed(response);
      for (let at = 0; at < 2_000; at++) response.write(chunkOf(`word ${at} `));
      response.end(STREAM);
    };
    const { stream } = await client.send(new ConverseStreamCommand(QUESTION));
    let text = '';
    for await (const { contentBlockDelta } of stream ?? []) text += contentBlockDelta?.delta?.text ?? '';
    expect(text).toContain('word 1999 fine');
  });

  test('aborts up to the provider', async () => {
    script = (response) => streamed(response).write(chunkOf('half an'));
    const abort = new AbortController();
    const { stream } = await client.send(new ConverseStreamCommand(QUESTION), { abortSignal: abort.signal });
    const reading = (async () => {
      for await (const { contentBlockDelta } of stream ?? []) if (contentBlockDelta) abort.abort();
    })();
    client.destroy();
    await reading.catch(() => {});
    expect(await asked[0]?.closed).toBe('cut');
  });

  test('is told by an exception that a stream was cut', async () => {
    script = (response) => {
      streamed(response).write(chunkOf('half an'));
      setTimeout(() => response.destroy(), 20);
    };
    const { stream } = await client.send(new ConverseStreamCommand(QUESTION));
    const reading = (async () => {
      for await (const _event of stream ?? []);
    })();
    await expect(reading).rejects.toThrow(/cut|complete/);
  });

  test('sends a large document and gets an answer', async () => {
    script = whole(chat.whole);
    const text = 'long '.repeat(1_000_000);
    const { output } = await client.send(
      new ConverseCommand({ ...QUESTION, messages: [{ role: 'user', content: [{ text }] }] }),
    );
    expect(output?.message?.content).toEqual([{ text: 'fine' }]);
    expect(asked[0]?.size).toBeGreaterThan(text.length);
  });
});

test('frames arrive over HTTP/2 as they are made', async () => {
  script = (response) => streamed(response).end(STREAM);
  const path = `/bedrock/model/${encodeURIComponent('openai/m')}/converse-stream`;
  const stream = post({ messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }, path);
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  const frames = createAmazonFrameReader().push(Buffer.concat(pieces));
  expect(frames.map(({ headers }) => headers[':event-type']).at(-1)).toBe('metadata');
});
