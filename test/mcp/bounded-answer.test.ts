import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bounded, textOf } from '../../src/mcp/bounded-answer.ts';
import { CausedMessages } from '../../src/mcp/caused-messages.ts';

/** An answer as undici gives it, of these pieces. */
function bodyOf(pieces: readonly string[]) {
  const body = new PassThrough();
  for (const piece of pieces) body.write(piece);
  body.end();
  return Object.assign(body, { text: async () => 'read by undici' });
}

describe('an answer that is held whole', () => {
  test('is read, characters that came in two pieces included', async () => {
    const [head, tail] = [Buffer.from('"grün"').subarray(0, 4), Buffer.from('"grün"').subarray(4)];
    const body = Object.assign(new PassThrough(), { text: async () => '' });
    body.write(head);
    body.end(tail);
    expect(await textOf(body, new Headers(), 100)).toBe('"grün"');
  });

  test('is let go of once it is longer than it may be', async () => {
    const body = bodyOf(['123456', '123456']);
    await expect(textOf(body, new Headers(), 10)).rejects.toThrow('the server answered with more than 10 bytes');
    expect(body.destroyed).toBe(true);
  });

  test('is not counted where its length was told', async () => {
    expect(await textOf(bodyOf(['1']), new Headers({ 'content-length': '1' }), 10)).toBe('read by undici');
    await expect(textOf(bodyOf(['1'.repeat(11)]), new Headers({ 'content-length': '11' }), 10)).rejects.toThrow();
  });
});

describe('an answer that passes', () => {
  const long = (type: string) => new Response('1'.repeat(11), { status: 201, headers: { 'content-type': type } });

  test('fails its reader once it is longer than it may be', async () => {
    await expect(bounded(long('application/json'), 10).text()).rejects.toThrow('more than 10 bytes');
    expect(await bounded(long('application/json'), 11).text()).toHaveLength(11);
    expect(bounded(long('application/json'), 11)).toMatchObject({ status: 201, ok: true });
  });

  test('may go on for ever as an event stream', async () => {
    expect(await bounded(long('text/event-stream'), 10).text()).toHaveLength(11);
  });
});

describe('events that answer a call', () => {
  const seen = { message: () => undefined, eventId: () => undefined, retry: () => undefined };
  const textIn = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

  test.each(['\n\n', '\r\n\r\n', '\r\r'])('end at %j, wherever it is cut', (end) => {
    const text = `id: 1\ndata: {"a":1}${end}data: {"b":2}${end}`;
    for (let place = 0; place <= text.length; place++) {
      const caused = new CausedMessages(seen);
      const pieces = [text.slice(0, place), text.slice(place)].map((piece) => textIn(caused.push(Buffer.from(piece))));
      expect([...pieces, textIn(caused.end())].join('')).toBe('id: 1\ndata: {"a":1}\n\ndata: {"b":2}\n\n');
    }
  });

  test('are not collected without an end', () => {
    const caused = new CausedMessages(seen, 100);
    for (let line = 0; line < 14; line++) caused.push(Buffer.from('data: 1\n'.slice(0, 7)));
    expect(() => caused.push(Buffer.from('data: 1'))).toThrow('an event of more than 100 characters');
  });
});
