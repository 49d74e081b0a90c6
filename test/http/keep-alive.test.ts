import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { EventStream, KeepAlive } from '../../src/http/event-stream.ts';
import { until } from '../support/mcp-clients.ts';

const HOUR_MS = 3_600_000;
const open: { close(): void }[] = [];

afterEach(() => {
  vi.useRealTimers();
  for (const each of open.splice(0)) each.close();
});

/** A stream that is watched, and what its client has read of it. */
async function watched(keepAlive: KeepAlive): Promise<{ stream: EventStream; read: () => string }> {
  let text = '';
  const streams: EventStream[] = [];
  const server = createServer((_, response) => {
    const stream = new EventStream(response, ': waiting\n\n', () => []);
    keepAlive.watch(stream);
    streams.push(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      keepAlive.stop();
      server.closeAllConnections();
      server.close();
    },
  });
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  void fetch(`http://127.0.0.1:${port}`)
    .then(async ({ body }) => {
      const decoder = new TextDecoder();
      for await (const piece of body ?? []) text += decoder.decode(piece, { stream: true });
    })
    .catch(() => undefined);
  await until(() => streams.length > 0);
  const [stream] = streams;
  if (!stream) throw new Error('the server was asked');
  return { stream, read: () => text };
}

test.each([-HOUR_MS, HOUR_MS])('a clock that is set by %d ms changes nothing for silent streams', async (byMs) => {
  const { stream, read } = await watched(new KeepAlive({ silenceMs: 30, checkEveryMs: 10 }));
  void stream.write('data: first\n\n');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + byMs });
  const twiceSilent = 'data: first\n\n: waiting\n\n: waiting\n\n';
  await until(() => read().includes(twiceSilent));
  expect(read()).toContain(twiceSilent);
});

test('a stream that is written to needs no keep-alive', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const keepAlive = new KeepAlive({ silenceMs: 10_000, checkEveryMs: 2_500 });
  open.push({ close: () => keepAlive.stop() });
  const stream = { silentChecks: 0, keepAlive: vi.fn() };
  keepAlive.watch(stream as unknown as EventStream);
  for (let turn = 0; turn < 10; turn++) {
    vi.advanceTimersByTime(10_000);
    stream.silentChecks = 0;
  }
  expect(stream.keepAlive).not.toHaveBeenCalled();
  vi.advanceTimersByTime(12_500);
  expect(stream.keepAlive).toHaveBeenCalledOnce();
});
