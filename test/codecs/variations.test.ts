import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import { type ChatResponse, foldAll } from '../../src/model/response.ts';
import { cases } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { ENDPOINTS, FORMATS, type Format, VARIATIONS, type Wire, wireOf } from './variations.ts';

// Recorded answers as other servers of the same API might have written them: what they say stays the same.

function read(codec: CodecId, wire: readonly Wire[]): ChatResponse {
  const decoder = codecs[codec].decodeStream({ callId: 'c' });
  return foldAll([...wire.flatMap((event) => [...decoder.push(event)]), ...decoder.end()]);
}

/** What an answer says: texts, thinking, calls, how it ended and what it cost. */
const said = (codec: CodecId, wire: readonly Wire[]): string => contentOf(() => read(codec, wire));

function contentOf(read: () => ChatResponse): string {
  let response: ChatResponse;
  try {
    response = read();
  } catch (thrown) {
    return `error: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
  const parts: unknown[][] = [];
  for (const part of response.parts) {
    if (part.type === 'tool-call') parts.push(['call', part.name, part.input === '' ? {} : JSON.parse(part.input)]);
    else if (part.type === 'text' || part.type === 'reasoning') {
      const last = parts.at(-1);
      if (part.text === '') continue;
      if (last?.[0] === part.type) last[1] = String(last[1]) + part.text;
      else parts.push([part.type, part.text]);
    } else parts.push([part.type]);
  }
  return JSON.stringify([parts, response.reason.kind, response.usage]);
}

const sseOf = (wire: readonly Wire[]): Buffer =>
  Buffer.from(wire.map(({ event, data }) => `${event ? `event: ${event}\n` : ''}data: ${data}\n\n`).join(''));

function atEnd(codec: Format, bytes: Buffer, shape: 'json' | 'sse'): string {
  const { complete, error, reason, usage } = codecs[codec].glance(bytes, shape);
  return JSON.stringify([complete, error?.message, reason?.kind, usage]);
}

describe.runIf(shared)('recorded streams', () => {
  for (const format of FORMATS) {
    const streams = cases({ endpoint: ENDPOINTS[format] }).flatMap(({ id, response: { sse } }) =>
      sse ? [{ id, wire: wireOf(sse) }] : [],
    );

    test.each(Object.entries(VARIATIONS))(`of ${format} say the same with %s`, (_what, vary) => {
      const differing = streams.filter(({ wire }) => said(format, wire) !== said(format, vary(wire, format)));
      expect(differing.map(({ id }) => id)).toEqual([]);
    });

    test.each(Object.entries(VARIATIONS))(`of ${format} that travel as bytes tell the same with %s`, (_what, vary) => {
      const told = (wire: readonly Wire[]): string => atEnd(format, sseOf(wire), 'sse');
      const differing = streams.filter(({ wire }) => told(wire) !== told(vary(wire, format)));
      expect(differing.map(({ id }) => id)).toEqual([]);
    });
  }
});

describe.runIf(shared)('recorded whole answers', () => {
  for (const format of FORMATS) {
    const answers = cases({ endpoint: ENDPOINTS[format] }).flatMap(({ id, status, response: { body } }) =>
      body && status === 200 ? [{ id, wire: [{ data: JSON.stringify(body) }] }] : [],
    );
    const wholly = (wire: readonly Wire[]): string => {
      const [{ data } = { data: '' }] = wire;
      return (
        contentOf(() => codecs[format].decodeResponse(JSON.parse(data), { callId: 'c' })) +
        atEnd(format, Buffer.from(data), 'json')
      );
    };

    test.each(Object.entries(VARIATIONS).slice(0, 4))(`of ${format} say the same with %s`, (_what, vary) => {
      const differing = answers.filter(({ wire }) => wholly(wire) !== wholly(vary(wire, format)));
      expect(differing.map(({ id }) => id)).toEqual([]);
    });
  }
});
