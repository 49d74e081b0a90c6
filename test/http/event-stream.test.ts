import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { EventStream } from '../../src/http/event-stream.ts';

/** What `answer` writes within one turn of the event loop, in the pieces that left for the client at once. */
async function written(answer: (response: ServerResponse, left: () => number) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer((_, response) => {
      const { socket } = response;
      try {
        answer(response, () => (socket ? socket.bytesWritten - socket.writableLength : 0));
      } catch (thrown) {
        reject(thrown);
      }
      response.end();
      server.close(() => resolve());
    });
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const client = connect(port, '127.0.0.1', () =>
        client.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
      );
      client.resume();
    });
  });
}

test('the first words leave at once, what the same turn brings behind them leaves together', async () => {
  expect.assertions(3);
  await written((response, left) => {
    const stream = new EventStream(response, ': waiting\n\n', () => []);
    void stream.write('data: first\n\n');
    const first = left();
    expect(first).toBeGreaterThan('data: first\n\n'.length);
    void stream.write('data: second\n\n');
    void stream.write('data: third\n\n');
    expect(response.socket?.writableCorked).toBe(1);
    expect(left()).toBe(first);
  });
});
