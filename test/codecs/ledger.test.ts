import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { compacted } from '../../src/codecs/ledger.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Loss } from '../../src/model/loss.ts';
import { familyTraits } from '../../src/providers/models/families.ts';
import { type Difference, unaccounted } from '../support/ledger-walk.ts';
import { cases } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { capturedRequests } from './captured-requests.ts';
import { anyBody, longHistory } from './ledger-bodies.ts';
import { ODD_REQUESTS } from './odd-requests.ts';
import { requestOf } from './requests.ts';

/** Of each format one model that thinks and one that does not, so that both ways of writing are walked. */
const MODELS: Readonly<Record<CodecId, readonly [string, string]>> = {
  'anthropic-messages': ['claude-sonnet-4-5', 'claude-3-5-haiku-latest'],
  'bedrock-converse': ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'amazon.nova-pro-v1:0'],
  gemini: ['gemini-3-pro-preview', 'gemini-2.5-flash'],
  'openai-chat': ['gpt-5', 'gpt-4o'],
  'openai-responses': ['gpt-5', 'gpt-4o'],
};

const FORMATS = Object.keys(MODELS) as CodecId[];
const PAIRS = FORMATS.flatMap((from) =>
  FORMATS.filter((to) => to !== from).map((to): [CodecId, CodecId] => [from, to]),
);

const ENDPOINTS: Partial<Record<CodecId, string>> = {
  'anthropic-messages': 'anthropic.messages',
  gemini: 'gemini.generate',
  'openai-chat': 'openai.chat',
  'openai-responses': 'openai.responses',
};

interface Sent {
  readonly body: JsonObject;
  readonly losses: readonly Loss[];
}

function sent(from: CodecId, to: CodecId, model: string, body: JsonObject): Sent {
  const request = requestOf(codecs[from], { model: 'any', ...body });
  const target = { model, stream: request.stream, ...familyTraits(model) };
  const { body: written, losses } = codecs[to].encodeRequest(request, target);
  return { body: JSON.parse(JSON.stringify(written)), losses };
}

/** What is silently different; nothing where the target says plainly that it cannot serve the request. */
function silent(from: CodecId, to: CodecId, body: JsonObject): Difference[] {
  return MODELS[to].flatMap((model) => {
    let written: Sent;
    try {
      written = sent(from, to, model, body);
    } catch {
      return [];
    }
    return unaccounted(body, written.body, written.losses);
  });
}

const recorded = (format: CodecId): [string, JsonObject][] =>
  cases({ endpoint: ENDPOINTS[format] ?? 'none' }).flatMap(({ id, request, status }) =>
    request.body && status === 200 ? [[id, request.body] as [string, JsonObject]] : [],
  );

describe.runIf(shared)('every recorded and captured request', () => {
  const corpus = new Map(FORMATS.map((format) => [format, [...recorded(format), ...capturedRequests(format)]]));

  test.each(PAIRS)('from %s to %s differs only where the ledger says so', (from, to) => {
    const found = (corpus.get(from) ?? []).flatMap(([id, body]) =>
      silent(from, to, body).map(({ kind, field, value }) => `${id}: ${kind} ${field} = ${String(value).slice(0, 40)}`),
    );
    expect(found).toEqual([]);
  });
});

describe('any request', () => {
  test.each(PAIRS)('from %s to %s differs only where the ledger says so', (from, to) => {
    fc.assert(
      fc.property(anyBody(from), (body) => {
        expect(silent(from, to, body)).toEqual([]);
      }),
      { seed: 7, numRuns: 60 },
    );
  });
});

describe('odd but legal requests', () => {
  test.each(PAIRS)('from %s to %s differ only where the ledger says so', (from, to) => {
    const found = Object.entries(ODD_REQUESTS[from] ?? {}).flatMap(([what, body]) =>
      silent(from, to, body).map(
        ({ kind, field, value }) => `${what}: ${kind} ${field} = ${String(value).slice(0, 40)}`,
      ),
    );
    expect([...new Set(found)]).toEqual([]);
  });
});

describe('the walk itself', () => {
  const before = {
    messages: [{ role: 'user', content: [{ type: 'text', text: 'hello', cache_control: { ttl: '1h' } }] }],
  };
  const after = { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] };

  test('finds what is silently left out and what is silently added', () => {
    expect(unaccounted({ ...before, top_k: 5 }, { ...after, seed: 7 }, [])).toEqual([
      { kind: 'dropped', field: 'messages.0.content.0.cache_control.ttl', value: '1h' },
      { kind: 'dropped', field: 'top_k', value: 5 },
      { kind: 'invented', field: 'seed', value: 7 },
    ]);
  });

  test('takes a block for accounted only as often as the ledger tells', () => {
    const two = { messages: [{ role: 'user', content: [{ text: 'kept' }, { text: 'one' }, { text: 'two' }] }] };
    const kept = { messages: [{ role: 'user', content: [{ text: 'kept' }] }] };
    const loss: Loss = { field: 'messages.*.content.*', action: 'dropped', reason: 'r' };
    expect(unaccounted(two, kept, [loss])).toMatchObject([{ value: 'two' }]);
    expect(unaccounted(two, kept, [{ ...loss, count: 2 }])).toEqual([]);
  });

  test('is not content with an entry for another field', () => {
    const loss: Loss = { field: 'messages.0.content.0.citations', action: 'dropped', reason: 'r' };
    expect(unaccounted(before, after, [loss])).toHaveLength(1);
  });
});

describe('the ledger', () => {
  test.each(FORMATS)('of a history of 200 messages in %s is as long as that of a short one', (from) => {
    for (const to of FORMATS.filter((format) => format !== from)) {
      const [model] = MODELS[to];
      const long = sent(from, to, model, longHistory(from, 200)).losses;
      expect(long.length).toBeLessThanOrEqual(sent(from, to, model, longHistory(from, 8)).losses.length);
      expect(long.some(({ count = 1 }) => count >= 100)).toBe(true);
    }
  });

  test('tells the same loss once, with a count and without places', () => {
    const drop = (field: string, reason = 'no such field'): Loss => ({ field, action: 'dropped', reason });
    expect(compacted([drop('a.1.b'), drop('c'), drop('a.2.b'), drop('a.1.b')])).toEqual([
      { ...drop('a.*.b'), count: 3 },
      drop('c'),
    ]);
  });

  test('stays short where every reason is another one', () => {
    const many = Array.from(
      { length: 1_000 },
      (_, place): Loss => ({ field: `a.${place}`, action: 'dropped', reason: `${place}` }),
    );
    const told = compacted(many);
    expect(told.length).toBeLessThanOrEqual(5);
    expect(told.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(1_000);
  });
});
