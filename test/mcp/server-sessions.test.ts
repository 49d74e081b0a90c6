import { expect, test, vi } from 'vitest';
import { Sessions } from '../../src/mcp/server/sessions.ts';

function listener() {
  const heard: string[] = [];
  let closed = false;
  return {
    heard,
    isClosed: () => closed,
    send: (message: string) => heard.push(message),
    close: () => {
      closed = true;
    },
  };
}

test('H3 a session ends when it was idle for too long', () => {
  let nowMs = 0;
  const sessions = new Sessions({ idleMs: 1000, now: () => nowMs });
  const used = sessions.open();
  const forgotten = sessions.open();
  nowMs = 800;
  expect(sessions.use(used.id)).toBe(used);
  nowMs = 1500;
  expect(sessions.use(used.id)).toBe(used);
  expect(sessions.use(forgotten.id)).toBeUndefined();
  expect(sessions.size).toBe(1);
});

test('H3 a new session takes the place of idle ones, so that they do not pile up', () => {
  let nowMs = 0;
  const sessions = new Sessions({ idleMs: 1000, now: () => nowMs });
  for (let count = 0; count < 50; count++) sessions.open();
  nowMs = 5000;
  sessions.open();
  expect(sessions.size).toBe(1);
});

test('H3 at the cap the least recently used session gives way, and its stream is closed', () => {
  const sessions = new Sessions({ maxSessions: 2 });
  const first = sessions.open();
  const second = sessions.open();
  const stream = listener();
  sessions.listen(second, stream);
  sessions.use(first.id);
  sessions.open();
  expect(sessions.use(first.id)).toBe(first);
  expect(sessions.use(second.id)).toBeUndefined();
  expect(stream.isClosed()).toBe(true);
});

test('a session with a running call is not idle', () => {
  let nowMs = 0;
  const sessions = new Sessions({ idleMs: 1000, now: () => nowMs });
  const session = sessions.open();
  const call = new AbortController();
  session.started(1, call);
  nowMs = 5000;
  expect(sessions.use(session.id)).toBe(session);
  session.ended(call);
  nowMs = 10_000;
  expect(sessions.use(session.id)).toBeUndefined();
});

test('ids are told apart by type, and one id may run twice', () => {
  const session = new Sessions().open();
  const [number, text, again] = [new AbortController(), new AbortController(), new AbortController()];
  session.started(1, number);
  session.started('1', text);
  session.started('1', again);
  session.cancel('1');
  expect([number, text, again].map((call) => call.signal.aborted)).toEqual([false, true, true]);
});

test('a message goes to the newest stream of each session only', () => {
  const sessions = new Sessions();
  const session = sessions.open();
  const [older, newer, stateless] = [listener(), listener(), listener()];
  sessions.listen(session, older);
  const { leave } = sessions.listen(session, newer);
  sessions.listen(undefined, stateless);
  sessions.notifyAll('one');
  leave();
  sessions.notifyAll('two');
  expect([older.heard, newer.heard, stateless.heard]).toEqual([['two'], ['one'], ['one', 'two']]);
});

test('a session keeps a few streams; one more closes the oldest', () => {
  const sessions = new Sessions({ maxListeners: 2 });
  const session = sessions.open();
  const streams = [listener(), listener(), listener()];
  for (const stream of streams) sessions.listen(session, stream);
  expect(streams.map((stream) => stream.isClosed())).toEqual([true, false, false]);
});

test('a stream without a session leaves nothing behind', () => {
  const sessions = new Sessions();
  const { leave } = sessions.listen(undefined, listener());
  expect(sessions.size).toBe(1);
  leave();
  expect(sessions.size).toBe(0);
});

test('session ids are long and of visible ASCII', () => {
  const sessions = new Sessions();
  const ids = new Set(Array.from({ length: 100 }, () => sessions.open().id));
  expect(ids.size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[\w-]{32}$/);
});

test.each([-1, 1])('a clock that is set by %d days ends no session', (days) => {
  const sessions = new Sessions();
  const session = sessions.open();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * 86_400_000 });
  try {
    sessions.open();
    expect(sessions.use(session.id)).toBe(session);
  } finally {
    vi.useRealTimers();
  }
});
