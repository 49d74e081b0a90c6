import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import OpenAI, { toFile } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Gateway, startGatewayHere } from '../support/gateway.ts';

// Files that a provider is to keep: what is large travels while it comes.

type Serve = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

let server: Server;
let serve: Serve;
let asked: IncomingMessage[] = [];
let gateway: Gateway;
const sockets = new Set<Socket>();

const MB = 1024 * 1024;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    asked.push(incoming);
    void serve(incoming, response);
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // a listening TCP server has an address
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const network_config = { base_url, max_retries: 1, retry_backoff_initial: 1, retry_backoff_max: 2 };
  gateway = await startGatewayHere({
    client: { max_request_body_size_mb: 8 },
    providers: {
      openai: { keys: [{ name: 'k', value: 'sk-ours', models: ['*'], weight: 1 }], network_config },
      anthropic: { keys: [{ name: 'k', value: 'sk-ours', models: ['*'], weight: 1 }], network_config },
    },
  });
});

afterEach(() => {
  asked = [];
});

afterAll(async () => {
  await gateway.stop();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const collected = async (incoming: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece);
  return Buffer.concat(pieces);
};

const KEPT = { id: 'file-1', object: 'file', bytes: 1, filename: 'a.jsonl', purpose: 'batch' };

let received: Buffer = Buffer.alloc(0);

/** Keeps what comes. */
const keep: Serve = async (incoming, response) => {
  received = await collected(incoming);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(KEPT));
};

const BOUNDARY = 'bound';
const CONTENT_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const field = (name: string, value: string) =>
  `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const fileHead = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\ncontent-type: application/jsonl\r\n\r\n`;
const END = `\r\n--${BOUNDARY}--\r\n`;
const form = (before: string, size: number, behind = '') =>
  Buffer.concat([
    Buffer.from(before + fileHead),
    Buffer.alloc(size, '{"line":1}\n'),
    Buffer.from(behind === '' ? END : `\r\n${behind.trimEnd()}${END}`),
  ]);

/** An upload in the client's own hands. */
function sending(path: string, headers: Record<string, string | number> = {}) {
  const { port } = new URL(gateway.url);
  const upload = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path,
    headers: { 'content-type': CONTENT_TYPE, ...headers },
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => upload.on('response', resolve).on('error', reject));
  // whoever breaks off has no answer
  answer.catch(() => {});
  return { upload, answer };
}

const sent = async (path: string, body: Buffer, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': CONTENT_TYPE, authorization: 'Bearer theirs', ...headers },
    body: new Uint8Array(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

describe('a file for the provider to keep', () => {
  test('is read by it while the client still sends it', async () => {
    let heard = 0;
    serve = (incoming, response) => {
      incoming.on('data', (piece: Buffer) => {
        heard += piece.length;
      });
      incoming.on('end', () =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(KEPT)),
      );
    };
    const body = form(field('purpose', 'batch'), MB);
    const { upload, answer } = sending('/v1/files?provider=openai', { 'content-length': body.length });
    let written = 0;
    for (const end of [500, 300_000, 700_000, body.length]) {
      upload.write(body.subarray(written, end));
      written = end;
      await eventually(
        async () => heard,
        (bytes) => bytes === written,
      );
    }
    upload.end();
    expect(JSON.parse((await collected(await answer)).toString())).toEqual(KEPT);
  });

  test('keeps its bytes and its length, under our key', async () => {
    serve = keep;
    const body = form(field('purpose', 'batch'), 2 * MB);
    expect(await sent('/v1/files?provider=openai&x=1', body)).toEqual({ status: 200, body: KEPT });
    expect(received.equals(body)).toBe(true);
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/v1/files?x=1' });
    expect(asked[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-ours',
      'content-type': CONTENT_TYPE,
      'content-length': String(body.length),
    });
  });

  test.each([
    ['in front of the file', form(field('provider', 'openai') + field('purpose', 'batch'), MB)],
    ['behind the file', form(field('purpose', 'batch'), MB, field('provider', 'openai'))],
  ])('goes to the provider that the form names %s, who is not told', async (_where, body) => {
    serve = keep;
    expect((await sent('/openai/v1/files', body)).status).toBe(200);
    expect(received.equals(form(field('purpose', 'batch'), MB))).toBe(true);
    expect(asked[0]?.headers['content-length']).toBe(String(received.length));
  });

  test('is sent by OpenAI’s SDK', async () => {
    serve = keep;
    const openai = new OpenAI({
      baseURL: `${gateway.url}/v1`,
      apiKey: 'theirs',
      defaultQuery: { provider: 'openai' },
      maxRetries: 0,
    });
    const content = Buffer.alloc(MB, 'x');
    const kept = await openai.files.create({ file: await toFile(content, 'a.jsonl'), purpose: 'batch' });
    expect(kept.id).toBe('file-1');
    expect(received.includes(content)).toBe(true);
    expect(received.includes('name="purpose"')).toBe(true);
  });

  test('whose length nobody knows travels in chunks, and is kept whole while it is small', async () => {
    serve = keep;
    for (const [size, length] of [
      [MB, undefined],
      [1_000, String(form(field('purpose', 'batch'), 1_000).length)],
    ] as const) {
      asked = [];
      const body = form(field('purpose', 'batch'), size);
      const { upload, answer } = sending('/v1/files?provider=openai');
      // in two pieces, or Node would count them
      upload.write(body.subarray(0, 100));
      upload.end(body.subarray(100));
      expect((await answer).statusCode).toBe(200);
      expect(received.equals(body)).toBe(true);
      expect(asked[0]?.headers['content-length']).toBe(length);
    }
  });

  test('stands in the log with its purpose and name', async () => {
    serve = keep;
    await sent('/v1/files?provider=openai', form(field('purpose', 'fine-tune'), MB));
    const row = await eventually(
      async () => {
        const { logs } = (await (await fetch(`${gateway.url}/api/logs?limit=1`)).json()) as { logs: { id: string }[] };
        return (await fetch(`${gateway.url}/api/logs/${logs[0]?.id}`)).text();
      },
      (text) => text.includes('fine-tune'),
    );
    expect(row).toContain('a.jsonl');
    expect(JSON.parse(row)).toMatchObject({ object: 'file_upload', provider: 'openai', status: 'success' });
  });
});

describe('a file that is too large', () => {
  test('is refused at once where it says so', async () => {
    const { upload, answer } = sending('/v1/files?provider=openai', { 'content-length': 20 * MB });
    upload.on('error', () => {});
    upload.write(field('purpose', 'batch'));
    const told = await answer;
    expect([told.statusCode, (await collected(told)).toString()]).toEqual([
      413,
      expect.stringContaining('max_request_body_size_mb'),
    ]);
    expect(asked).toHaveLength(0);
    upload.destroy();
  });

  test('is cut off where that shows on the way', async () => {
    let isCut = () => {};
    const cut = new Promise<void>((resolve) => {
      isCut = resolve;
    });
    serve = (incoming) =>
      void incoming
        .on('error', () => {})
        .on('close', () => isCut())
        .resume();
    const { upload, answer } = sending('/v1/files?provider=openai');
    upload.on('error', () => {});
    upload.write(form(field('purpose', 'batch'), 9 * MB));
    const told = await answer;
    expect(told.statusCode).toBe(413);
    expect(JSON.parse((await collected(told)).toString())).toMatchObject({
      error: { message: expect.stringContaining('larger than 8 MB') },
    });
    await cut;
    expect(asked).toHaveLength(1);
    expect(asked[0]?.complete).toBe(false);
    upload.destroy();
  });
});

describe('what goes wrong on the way', () => {
  test('a client that leaves ends the upload', async () => {
    let isCut = () => {};
    const cut = new Promise<void>((resolve) => {
      isCut = resolve;
    });
    serve = (incoming) =>
      void incoming
        .on('error', () => {})
        .on('close', () => isCut())
        .resume();
    const { upload } = sending('/v1/files?provider=openai', { 'content-length': 4 * MB });
    upload.on('error', () => {});
    upload.write(field('purpose', 'batch') + fileHead);
    await eventually(
      async () => asked.length,
      (count) => count === 1,
    );
    upload.destroy();
    await cut;
    expect(asked[0]?.complete).toBe(false);
  });

  test('a refusal keeps its status and words, also before the file is over', async () => {
    serve = (_incoming, response) => {
      const error = { message: 'Invalid purpose', type: 'invalid_request_error', param: 'purpose' };
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    };
    const { upload, answer } = sending('/v1/files?provider=openai', { 'content-length': 6 * MB });
    upload.on('error', () => {});
    upload.write(field('purpose', 'odd') + fileHead);
    const told = await answer;
    expect(told.statusCode).toBe(400);
    expect(JSON.parse((await collected(told)).toString())).toMatchObject({
      error: { message: 'Invalid purpose', param: 'purpose' },
    });
    upload.destroy();
  });

  test('trouble upstream is not tried again once a byte is out, and is while the file is kept', async () => {
    serve = async (incoming, response) => {
      await collected(incoming);
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"busy"}}');
    };
    expect(await sent('/v1/files?provider=openai', form(field('purpose', 'batch'), MB))).toMatchObject({
      status: 503,
      body: { error: { message: 'busy' } },
    });
    expect(asked).toHaveLength(1);
    expect((await sent('/v1/files?provider=openai', form(field('purpose', 'batch'), 1_000))).status).toBe(503);
    expect(asked).toHaveLength(3);
  });

  test.each([
    ['no provider is named', '/v1/files', form(field('purpose', 'batch'), MB), /add \?provider=openai/],
    ['it keeps no files', '/v1/files?provider=anthropic', form('', MB), /file_upload is not supported by anthropic/],
    ['it is no form', '/v1/files?provider=openai', Buffer.alloc(MB, 'x'), /not a valid form/],
  ])('nobody is asked where %s', async (_what, path, body, message) => {
    const told = await sent(path, body);
    expect(told).toMatchObject({ status: 400, body: { error: { message: expect.stringMatching(message) } } });
    expect(asked).toHaveLength(0);
  });
});
