import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { type ChatResponse, eventsOf, foldAll } from '../../../src/model/response.ts';
import { cases, type Digest, type Recording } from '../../support/recordings.ts';
import { shared, sharedPath } from '../../support/shared.ts';
import { dataOf, decodedStream, encodedStream, requestOf } from './support.ts';

const recordings = cases({ endpoint: 'anthropic.messages' });
const answered = recordings.filter((recording) => !recording.digest.error);
const named = (some: readonly Recording[]) => some.map((recording) => [recording.id, recording] as const);

function responseOf({ response }: Recording, pieceSize?: number): ChatResponse {
  if (response.sse !== undefined) return foldAll(decodedStream(response.sse, pieceSize));
  return anthropicMessages.decodeResponse(response.body ?? {});
}

/** Our reading in the digests' words: Anthropic's `input` leaves cached tokens out. */
function digestOf({ parts, reason, usage }: ChatResponse): Digest {
  const joined = (type: 'text' | 'reasoning') =>
    parts.flatMap((part) => (part.type === type && 'text' in part ? [part.text] : [])).join('');
  return {
    finish: reason.raw?.word ?? null,
    text: joined('text'),
    thinking: joined('reasoning'),
    blocks: parts.map((part) => String(part.origin?.block.type)),
    toolCalls: parts.flatMap((part) =>
      part.type === 'tool-call' ? [{ id: part.id, name: part.name, arguments: JSON.parse(part.input || '{}') }] : [],
    ),
    usage: {
      input: usage.input - usage.cacheRead - usage.cacheWrite,
      output: usage.output,
      cacheRead: usage.cacheRead,
      cacheWrite: usage.cacheWrite,
    },
  };
}

/** Cheap and repeatable: a piece size of its own for each recording. */
const pieceSizeOf = (id: string): number => 1 + ([...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 97);

describe.runIf(shared)('recorded answers', () => {
  test('there are recordings to check', () => {
    expect(answered.length).toBeGreaterThan(100);
  });

  test.each(named(answered))('%s reads as the official SDK reads it', (_id, recording) => {
    const digest = digestOf(responseOf(recording));
    const { usage, ...content } = recording.digest;
    expect(digest).toMatchObject(content);
    expect(digest.usage).toMatchObject(usage ?? {});
  });

  test.each(named(answered.filter(({ stream }) => stream)))('%s reads the same in small pieces', (id, recording) => {
    expect(responseOf(recording, pieceSizeOf(id))).toEqual(responseOf(recording, 1_000_000));
  });

  test.each(named(answered))('%s folds back from its own events', (_id, recording) => {
    const response = responseOf(recording);
    expect(foldAll(eventsOf(response))).toEqual(response);
  });

  test.each(named(answered.filter(({ stream }) => !stream)))('%s is written again as it came', (_id, recording) => {
    const body = recording.response.body ?? {};
    const written = anthropicMessages.encodeResponse(anthropicMessages.decodeResponse(body));
    expect(written).toEqual({
      ...body,
      stop_reason: stopReasonDue(recording),
      usage: expect.objectContaining(presentCounts(body.usage)),
    });
  });

  test.each(named(answered.filter(({ stream }) => !stream)))(
    '%s means the same when it is streamed',
    (_id, recording) => {
      const response = responseOf(recording);
      const streamed = foldAll(decodedStream(encodedStream(eventsOf(response), response.model)));
      expect(digestOf(streamed)).toEqual({ ...digestOf(response), finish: stopReasonDue(recording) });
      expect(anthropicMessages.encodeResponse(streamed)).toEqual(anthropicMessages.encodeResponse(response));
    },
  );

  test.each(named(answered.filter(({ stream }) => stream)))(
    '%s keeps its blocks when streamed on',
    (_id, recording) => {
      const response = responseOf(recording);
      const streamed = foldAll(decodedStream(encodedStream(decodedStream(recording.response.sse ?? ''))));
      expect(streamed.parts).toEqual(response.parts);
      expect(streamed.reason).toEqual(response.reason);
      expect(streamed.usage).toEqual(response.usage);
    },
  );

  test.each(named(answered.filter(({ stream }) => stream)))(
    '%s tells its usage and end at a glance',
    (_id, recording) => {
      const { usage, reason } = responseOf(recording);
      const glance = anthropicMessages.glance(Buffer.from(recording.response.sse ?? ''), 'sse');
      expect(glance).toEqual({ usage, reason, complete: true });
    },
  );

  test.each(named(answered.filter(({ stream }) => stream)))('%s cut before its end is an error', (id, recording) => {
    const sse = recording.response.sse ?? '';
    const end = sse.lastIndexOf('event: message_stop');
    const cut = Math.floor((end * (pieceSizeOf(id) + 1)) / 100);
    for (const half of [sse.slice(0, cut), sse.slice(0, end)]) {
      expect(() => decodedStream(half)).toThrow(expect.objectContaining({ kind: 'network' }));
      expect(anthropicMessages.glance(Buffer.from(half), 'sse').complete).toBe(false);
    }
  });
});

/** One answer ends with end_turn behind calls made by code; whoever sees a call is told tool_use. */
const stopReasonDue = ({ digest }: Recording): unknown =>
  digest.finish === 'end_turn' && digest.blocks?.includes('tool_use') ? 'tool_use' : digest.finish;

function presentCounts(usage: unknown): JsonObject {
  if (!isObject(usage)) return {};
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}

describe.runIf(shared)('recorded errors', () => {
  const failed = recordings.filter(({ digest }) => digest.error?.status);

  test.each(named(failed))('%s keeps its status and its message', (_id, { response, digest }) => {
    const text = response.text ?? JSON.stringify(response.body);
    const error = anthropicMessages.decodeError(response.status, text, response.headers);
    expect(error.details.status).toBe(digest.error?.status);
    expect(digest.error?.message).toContain(error.message.slice(0, 60));
    const written = anthropicMessages.encodeError(error);
    expect(written.status).toBe(response.status);
    expect(written.body).toEqual(response.body);
  });

  test('an error in mid-stream is thrown, and seen at a glance', () => {
    const broken = recordings.filter(({ digest }) => digest.error && !digest.error.status);
    expect(broken.length).toBeGreaterThan(0);
    for (const { response } of broken) {
      const sse = response.sse ?? '';
      expect(() => decodedStream(sse)).toThrow(GatewayError);
      expect(anthropicMessages.glance(Buffer.from(sse), 'sse')).toMatchObject({
        complete: false,
        error: { kind: 'overloaded', message: 'Overloaded' },
      });
    }
  });
});

const captured = shared
  ? readdirSync(sharedPath('captures/claude-code'))
      .filter((name) => name.startsWith('req-'))
      .map((name) => [name, JSON.parse(readFileSync(sharedPath('captures/claude-code', name), 'utf8')).body] as const)
  : [];

const recorded = recordings.flatMap(({ id, request }) => (request.body ? [[id, request.body] as const] : []));
const bodies: (readonly [string, JsonObject])[] = [...recorded, ...captured];

/** Every block of a body in order, results of tools ahead of the rest of their message, as they must stand. */
function blocksOf(body: JsonObject): unknown[] {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const asBlocks = (content: unknown): unknown[] =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : [];
  const isResult = (block: unknown) => isObject(block) && block.type === 'tool_result';
  return [
    ...asBlocks(body.system),
    ...messages.flatMap(({ content }) => {
      const blocks = asBlocks(content);
      return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
    }),
  ];
}

describe.runIf(shared)('recorded requests', () => {
  test('there are requests to check', () => {
    expect(bodies.length).toBeGreaterThan(130);
  });

  test.each(bodies)('%s goes out as it came, but for the model', (_id, body) => {
    const { body: sent, losses } = anthropicMessages.encodeRequest(requestOf(body), {
      model: 'other-model',
      stream: body.stream === true,
    });
    expect(sent).toEqual({ ...body, model: 'other-model' });
    expect(losses).toEqual([]);
  });

  test.each(bodies)('%s keeps its content when it is built anew', (_id, body) => {
    const { body: sent, losses } = anthropicMessages.encodeRequest(requestOf(body, { raw: false }), {
      model: String(body.model),
      stream: body.stream === true,
    });
    const kept = blocksOf(body).filter((block) => !isEmptyText(block));
    expect(blocksOf(sent)).toEqual(kept);
    expect(losses.map(({ reason }) => reason)).toEqual(
      blocksOf(body)
        .filter(isEmptyText)
        .map(() => 'a text block must not be empty'),
    );
    expect(otherFields(sent)).toEqual(otherFields(body));
  });
});

const isEmptyText = (block: unknown): boolean =>
  isObject(block) && block.type === 'text' && String(block.text).trim() === '';

/** Without messages and system, which are compared as blocks, and without what says nothing. */
function otherFields({ messages: _messages, system: _system, ...rest }: JsonObject): JsonObject {
  const saysNothing = (field: string, value: unknown) =>
    (field === 'tools' && Array.isArray(value) && value.length === 0) || (field === 'stream' && value === false);
  return Object.fromEntries(Object.entries(rest).filter(([field, value]) => !saysNothing(field, value)));
}

test('the data of every streamed event repeats the name of the event', () => {
  const text = encodedStream(eventsOf(anthropicMessages.decodeResponse({ id: 'msg_1', content: [] })));
  expect(dataOf(text).map((data) => data.type)).toEqual(['message_start', 'message_delta', 'message_stop']);
});
