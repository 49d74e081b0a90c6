import { expect, test } from 'vitest';
import { GatewayError } from '../../src/model/errors.ts';
import { CallQueue, type Place } from '../../src/providers/call-queue.ts';

const never = new AbortController().signal;

/** Places in a queue, and which of them had their turn, in that order. */
function scene(concurrency: number, bufferSize = 1, dropsExcess = false) {
  const queue = new CallQueue('openai', { concurrency, bufferSize, dropsExcess });
  const begun: string[] = [];
  const enter = (name: string, signal = never): Place => {
    const place = queue.enter(signal);
    void place.turn.then(
      () => begun.push(name),
      () => undefined,
    );
    return place;
  };
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { enter, begun, settled };
}

test('as many as may go at once do, the others in the order in which they came', async () => {
  const { enter, begun, settled } = scene(2);
  const [first, second, third] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
  await settled();
  expect(begun).toEqual(['a', 'b']);
  second?.leave();
  first?.leave();
  await settled();
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  third?.leave();
  enter('e');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('nobody who comes just as one leaves is before those who wait', async () => {
  const { enter, begun, settled } = scene(1);
  const first = enter('a');
  enter('b');
  first.leave();
  enter('c');
  await settled();
  expect(begun).toEqual(['a', 'b']);
});

test('leaving twice lets one in', async () => {
  const { enter, begun, settled } = scene(1);
  const first = enter('a');
  for (const name of ['b', 'c']) enter(name);
  first.leave();
  first.leave();
  await settled();
  expect(begun).toEqual(['a', 'b']);
});

test('a call that is cancelled gives up its place, waiting or not, and says why', async () => {
  const { enter, begun, settled } = scene(1);
  const [under, waiting] = [new AbortController(), new AbortController()];
  enter('a', under.signal);
  const given = enter('b', waiting.signal);
  enter('c');
  const stopped = new GatewayError('overloaded', 'the gateway stops');
  waiting.abort(stopped);
  await expect(given.turn).rejects.toBe(stopped);
  await settled();
  expect(begun).toEqual(['a']);
  under.abort();
  await settled();
  expect(begun).toEqual(['a', 'c']);
});

test('who was cancelled before takes no place', async () => {
  const { enter, begun, settled } = scene(1);
  expect(() => enter('a', AbortSignal.abort())).toThrow(expect.objectContaining({ kind: 'cancelled' }));
  enter('b');
  await settled();
  expect(begun).toEqual(['b']);
});

test('where excess is dropped, what comes while the buffer is full is refused, and told what to do', () => {
  const { enter } = scene(1, 1, true);
  const first = enter('a');
  enter('b');
  expect(() => enter('c')).toThrow(
    expect.objectContaining({
      kind: 'queue-full',
      message: expect.stringMatching(
        /^request dropped: queue is full: .*"openai".* 1 calls .* 1 that wait; send it again/,
      ),
    }),
  );
  first.leave();
  enter('d');
  expect(() => enter('e')).toThrow(/queue is full/);
});

test('where it is not, the buffer is no limit', async () => {
  const { enter, begun, settled } = scene(1, 1, false);
  const places = ['a', 'b', 'c', 'd'].map((name) => enter(name));
  for (const place of places) {
    place.leave();
    await settled();
  }
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});
