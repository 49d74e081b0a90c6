import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Upload } from '../../src/model/operation.ts';
import { Patience, patiently } from '../../src/providers/operations/patience.ts';
import { eventually, type Gateway, post, startGatewayHere } from '../support/gateway.ts';

// What is passed through may be large: it travels while it comes, in both directions.

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let serve: Serve;
let asked: IncomingMessage[];
let gateway: Gateway;
const sockets = new Set<Socket>();

const MB = 1024 * 1024;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    asked.push(incoming);
    serve(incoming, response);
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // a listening TCP server has an address
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const network_config = { base_url, max_retries: 2, retry_backoff_initial: 1, retry_backoff_max: 2 };
  const key = { name: 'k', value: 'sk-ours', models: ['*'], weight: 1 };
  gateway = await startGatewayHere({
    client: { max_request_body_size_mb: 1 },
    providers: {
      openai: {
        keys: [
          { ...key, models: ['gpt-4o'] },
          { ...key, name: 'other', value: 'sk-other', models: ['gpt-5'] },
        ],
        network_config,
      },
      anthropic: { keys: [key], network_config },
      gemini: { keys: [key], network_config: { ...network_config, base_url: 'http://127.0.0.1:9' } },
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

asked = [];

const collected = async (incoming: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece);
  return Buffer.concat(pieces);
};

/** Reads all, and answers with what it read. */
const echo: Serve = async (incoming, response) => {
  const body = await collected(incoming);
  response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(body);
};

/** An upload in the client's own hands. */
function sending(path: string, headers: Record<string, string | number> = {}) {
  const { port } = new URL(gateway.url);
  const upload = request({ port, host: '127.0.0.1', method: 'POST', path, headers });
  const answer = new Promise<IncomingMessage>((resolve, reject) => upload.on('response', resolve).on('error', reject));
  // whoever breaks off has no answer
  answer.catch(() => {});
  return { upload, answer };
}

const CHAT = '/anthropic_passthrough/v1/messages';

describe('an upload', () => {
  test('is read by the provider while the client still sends it', async () => {
    let heard = '';
    serve = (incoming, response) => {
      incoming.on('data', (piece: Buffer) => {
        heard += piece.toString();
      });
      incoming.on('end', () => response.end(heard));
    };
    const { upload, answer } = sending(CHAT, { 'content-type': 'application/json' });
    let sent = '';
    for (const piece of ['{"model":"claude-sonnet-4-5","messages":[', '{"role":"user","content":"hi"}', ']}']) {
      sent += piece;
      upload.write(piece);
      await eventually(
        async () => heard,
        (text) => text === sent,
      );
    }
    upload.end();
    expect((await collected(await answer)).toString()).toBe(sent);
  });

  test('may be larger than other bodies may be, and keeps its length', async () => {
    serve = echo;
    const large = Buffer.alloc(5 * MB, 'sound ');
    const answer = await post(`${gateway.url}/anthropic_passthrough/v1/audio/x`, large, {
      'content-type': 'audio/wav',
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(large)).toBe(true);
    expect(asked[0]?.headers).toMatchObject({ 'content-length': String(large.length), 'content-type': 'audio/wav' });
    expect(asked[0]?.headers['transfer-encoding']).toBeUndefined();
    expect((await post(`${gateway.url}/v1/embeddings`, large)).status).toBe(413);
  });

  test('whose length nobody knows travels in chunks, under our key alone', async () => {
    serve = echo;
    const { upload, answer } = sending(CHAT, { 'x-api-key': 'theirs', authorization: 'Bearer theirs' });
    upload.write('{"model":"m","x":"');
    upload.end('y"}');
    expect((await collected(await answer)).toString()).toBe('{"model":"m","x":"y"}');
    expect(asked[0]?.headers['x-api-key']).toBe('sk-ours');
    expect(JSON.stringify(asked[0]?.headers)).not.toContain('theirs');
  });

  test('in an encoding that nobody knows here travels as it is', async () => {
    serve = echo;
    const headers = { 'content-encoding': 'zstd' };
    const answer = await post(`${gateway.url}${CHAT}`, Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), headers);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    expect(asked[0]?.headers['content-encoding']).toBe('zstd');
  });

  test.each([
    ['gpt-4o', 'Bearer sk-ours'],
    ['gpt-5', 'Bearer sk-other'],
  ])('goes under the key of %s, though it names the model at its end', async (model, authorization) => {
    serve = echo;
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(600_000) }], model, stream: true });
    const answer = await post(`${gateway.url}/openai_passthrough/v1/chat/completions`, body);
    expect(await answer.text()).toBe(body);
    expect(asked[0]?.headers.authorization).toBe(authorization);
  });

  test('waits while the provider does not read, and goes on once it does', async () => {
    let reading: () => void = () => {};
    serve = (incoming, response) => {
      reading = () => void echo(incoming, response);
    };
    const size = 48 * MB;
    const { upload, answer } = sending(CHAT, { 'content-length': size });
    upload.write('{"model":"m","x":"');
    upload.end(Buffer.alloc(size - 18, 'x'));
    const sent = () => upload.socket?.bytesWritten ?? 0;
    let before = -1;
    await eventually(
      async () => {
        const [last, now] = [before, sent()];
        before = now;
        await new Promise((next) => setTimeout(next, 40));
        return asked.length === 1 && now > 0 && now === last && sent() === now;
      },
      (isStill) => isStill,
    );
    const held = upload.socket?.writableLength ?? 0;
    // what waits in the client's own hands has gone nowhere
    expect(held).toBeGreaterThan(size / 2);
    reading();
    const told = await answer;
    let bytes = 0;
    for await (const piece of told) bytes += (piece as Buffer).length;
    expect(bytes).toBe(size);
  });

  test('ends upstream when the client leaves', async () => {
    let cut: () => void = () => {};
    const isCut = new Promise<void>((resolve) => {
      cut = resolve;
    });
    serve = (incoming) =>
      incoming
        .on('error', () => cut())
        .on('close', () => cut())
        .resume();
    const { upload } = sending(CHAT, { 'content-length': 10 * MB });
    upload.on('error', () => {});
    upload.write('{"model":"m",');
    await eventually(
      async () => asked.length,
      (count) => count === 1,
    );
    upload.destroy();
    await isCut;
    expect(asked[0]?.complete).toBe(false);
  });

  test('that the provider breaks off is an error in the client’s dialect, and nobody is asked again', async () => {
    serve = (incoming) => void incoming.once('data', () => incoming.socket.destroy());
    const body = Buffer.concat([Buffer.from('{"model":"m","x":"'), Buffer.alloc(2 * MB, 'x'), Buffer.from('"}')]);
    const answer = await post(`${gateway.url}${CHAT}`, body);
    expect(answer.status).toBe(502);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { message: expect.stringContaining('it closed') } });
    expect(text).not.toContain('sk-ours');
    expect(asked).toHaveLength(1);
  });

  test('of which nothing was sent is tried again', async () => {
    const body = JSON.stringify({ contents: [{ parts: [{ text: 'x'.repeat(600_000) }] }] });
    const answer = await post(`${gateway.url}/genai_passthrough/v1beta/models/never-there:generateContent`, body);
    expect(answer.status).toBe(502);
    const page = await eventually(
      async () =>
        (await (await fetch(`${gateway.url}/api/logs?models=never-there`)).json()) as {
          logs: { number_of_retries?: number }[];
        },
      ({ logs }) => logs.length > 0,
    );
    expect(page.logs[0]?.number_of_retries).toBe(2);
  });

  test('is answered before it is over where the provider does so', async () => {
    serve = (_incoming, response) => {
      response.writeHead(413, { 'content-type': 'application/json' }).end('{"too":"large"}');
    };
    const { upload, answer } = sending(CHAT, { 'content-length': 50 * MB });
    upload.on('error', () => {});
    upload.write('{"model":"m",');
    const told = await answer;
    expect([told.statusCode, (await collected(told)).toString()]).toEqual([413, '{"too":"large"}']);
    upload.destroy();
  });
});

test('a slow client costs the provider none of its time, a slow provider its own', async () => {
  vi.useFakeTimers();
  try {
    let isOver = false;
    const patience = new Patience(1_000, () => {
      isOver = true;
    });
    async function* slowly(): AsyncGenerator<Uint8Array, void> {
      for (const byte of [1, 2]) {
        await vi.advanceTimersByTimeAsync(5_000);
        yield Uint8Array.of(byte);
      }
    }
    const upload: Upload = { length: 2, isBegun: false, pieces: slowly };
    for await (const _piece of patiently(upload, patience, () => {})) await vi.advanceTimersByTimeAsync(900);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(isOver).toBe(true);
    isOver = false;
    patience.end();
    patience.start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(isOver).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
