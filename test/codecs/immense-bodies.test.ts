import { describe, expect, test } from 'vitest';
import { readBody } from '../../src/codecs/body.ts';
import { parsedInput } from '../../src/codecs/call-input.ts';
import { codecs } from '../../src/codecs/index.ts';
import { excessOf, MOST_LEVELS, MOST_VALUES } from '../../src/codecs/measure.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { cpuMs } from '../support/cpu.ts';

const MILLION = 1_000_000;
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
/** White space that makes a text long enough to be measured. */
const LONG = ' '.repeat(1.1 * MILLION);
const counted = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('bodies are measured before they are read', () => {
  test.each<[string, string, ReturnType<typeof excessOf>]>([
    ['as deep as may be', LONG + nested(MOST_LEVELS), undefined],
    ['a level deeper', LONG + nested(MOST_LEVELS + 1), 'levels'],
    ['many lists beside each other', `[${'[],'.repeat(400_000)}[]]`, undefined],
    ['more of them', `[${'[],'.repeat(600_000)}[]]`, 'values'],
    ['a long list of numbers', `[${'1,'.repeat(MOST_VALUES - 10)}1]`, undefined],
    ['a longer one', `[${'1,'.repeat(MOST_VALUES)}1]`, 'values'],
    ['an object with very many names', `{${counted(100_000, (at) => `"k${at}":1`)}${LONG}}`, 'values'],
    ['many objects with a few names each', `[${'{"role":1,"content":2},'.repeat(100_000)}1]`, undefined],
    ['a text of brackets', `${LONG}["${nested(MILLION)}"]`, undefined],
    ['a text of escaped quotes and commas', `${LONG}["${'\\",'.repeat(MILLION)}"]`, undefined],
    ['a text that ends in backslashes', `${LONG}["${'\\\\'.repeat(99)}",${nested(MOST_LEVELS)}]`, 'levels'],
    ['a text that never ends', `${LONG}["${'x'.repeat(MILLION)}`, undefined],
    ['short, however deep', nested(10_000), undefined],
  ])('%s', (_what, text, excess) => {
    expect(excessOf(Buffer.from(text))).toBe(excess);
  });

  const bodies: readonly [string, string, RegExp][] = [
    [
      'nests without end',
      `{"model":"a/b","messages":[],"zz":${nested(MILLION)}}`,
      /nests deeper than 512 levels.*flatter/,
    ],
    ['holds empty lists only', `{"model":"a/b","zz":[${'[],'.repeat(MILLION)}1]}`, /about a million values.*leave out/],
  ];
  test.each(bodies)('one that %s is refused in words that say what to do', (_what, text, message) => {
    const { source } = readBody('openai-chat', Buffer.from(text));
    expect(() => source.body).toThrow(
      expect.objectContaining({ kind: 'invalid-request', message: expect.stringMatching(message) }),
    );
  });

  test('one that nobody has to read travels as it is', () => {
    const text = `{"model":"a/b","messages":[],"zz":${nested(MILLION)}}`;
    expect(readBody('openai-chat', Buffer.from(text)).source.withModel('b').length).toBe(text.length - 2);
  });

  test('arguments that nest without end are told as text', () => {
    expect(parsedInput(`{"a":${nested(MILLION)}}`)).toBeUndefined();
    expect(parsedInput(`{"a":"${'x'.repeat(2 * MILLION)}"}`)).toBeDefined();
  });

  test('an event that nests without end is no event', () => {
    const event = Buffer.from(`data: {"a":${nested(MILLION)}}\n\n`);
    expect(() => createSseReader().push(event)).toThrow(/an event of the stream nests deeper than 512 levels/);
  });

  test('a name that no model has is refused before it is told in headers', () => {
    const named = (length: number) => () => readBody('openai-chat', Buffer.from(`{"model":"a/${'b'.repeat(length)}"}`));
    expect(named(2_000)).not.toThrow();
    expect(named(5_000)).toThrow(/model is 5002 characters long; name one of at most 2048/);
  });
});

const FORMATS = ['anthropic-messages', 'gemini', 'bedrock-converse', 'openai-responses'] as const;
const MODELS: Readonly<Record<CodecId, string>> = {
  'anthropic-messages': 'claude-sonnet-4-5',
  'bedrock-converse': 'amazon.nova-pro-v1:0',
  'openai-chat': 'gpt-4o',
  'openai-responses': 'gpt-5',
  gemini: 'gemini-2.5-pro',
};

function encoded(body: JsonObject, format: CodecId) {
  const decoded = codecs['openai-chat'].decodeRequest(body);
  const request = { model: 'a/b', stream: false, fallbacks: [], untouched: false, ...decoded };
  return codecs[format].encodeRequest(request, { model: MODELS[format], stream: false });
}

const user = { role: 'user', content: 'hi' };
const called = (id: string, at: number): JsonObject[] => [
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: `{"a":${at}}` } }],
  },
  { role: 'tool', tool_call_id: id, content: `r${at}` },
];
const offering = (parameters: JsonObject): JsonObject => ({
  messages: [user],
  tools: [{ type: 'function', function: { name: 'f', parameters, strict: true } }],
});
const named = (count: number, value: (at: number) => JsonValue): JsonObject =>
  Object.fromEntries(counted(count, (at) => [`p${at}`, value(at)]));

/** Bodies by how much there is of what could be counted again and again. */
const GROWING: readonly [string, (count: number) => JsonObject][] = [
  [
    'turns',
    (count) => ({ messages: counted(count, (at) => ({ role: at % 2 ? 'assistant' : 'user', content: `m${at}` })) }),
  ],
  ['messages of one turn', (count) => ({ messages: counted(count, (at) => ({ role: 'user', content: `m${at}` })) })],
  [
    'parts of a message',
    (count) => ({ messages: [{ role: 'user', content: counted(count, (at) => ({ type: 'text', text: `${at}` })) }] }),
  ],
  ['calls that share an id', (count) => ({ messages: [user, ...counted(count, (at) => called('same', at)).flat()] })],
  [
    'results of one call',
    (count) => ({ messages: [user, ...called('a', 0), ...counted(count, (at) => called('a', at).slice(1)).flat()] }),
  ],
  ['unknown fields', (count) => ({ messages: [user], ...named(count, () => 1) })],
  [
    'properties of which each is required',
    (count) =>
      offering({
        type: 'object',
        properties: named(count, () => ({ type: 'string' })),
        required: Object.keys(named(count, () => 1)),
      }),
  ],
  [
    'parts of a schema',
    (count) =>
      offering({ allOf: counted(count, (at) => ({ type: 'object', properties: { [`a${at}`]: { type: 'string' } } })) }),
  ],
  [
    'choices of one property',
    (count) =>
      offering({
        anyOf: counted(count, (at) => ({ type: 'object', properties: { a: { const: `${at}` } }, required: ['a'] })),
      }),
  ],
  [
    'references',
    (count) =>
      offering({
        type: 'object',
        properties: named(count, () => ({ $ref: '#/$defs/a' })),
        $defs: { a: { type: 'string' } },
      }),
  ],
];

describe('four times as much takes about four times as long', () => {
  test.each(GROWING)('of %s', (_what, body) => {
    for (const format of FORMATS) {
      encoded(body(300), format);
      const small = Math.min(...[1, 2].map(() => cpuMs(() => encoded(body(1_500), format))));
      const large = Math.min(...[1, 2].map(() => cpuMs(() => encoded(body(6_000), format))));
      // what grows with the square takes sixteen times as long, and seconds
      expect(large, `${format}: ${small} ms became ${large} ms`).toBeLessThan(10 * small + 150);
    }
  });
});

describe('what is written out stays bounded', () => {
  const bomb = (levels: number, word: 'properties' | 'anyOf' | 'allOf'): JsonObject => {
    const twice = (at: number) => [{ $ref: `#/$defs/d${at}` }, { $ref: `#/$defs/d${at}` }];
    const level = (at: number): JsonObject => {
      const [a = {}, b = {}] = twice(at);
      return word === 'properties' ? { type: 'object', properties: { a, b } } : { [word]: [a, b] };
    };
    const leaf = { type: 'object', properties: { x: { type: 'string' } } };
    const $defs = Object.fromEntries(counted(levels, (at) => [`d${at}`, at === 0 ? leaf : level(at - 1)]));
    return { type: 'object', properties: { a: { $ref: `#/$defs/d${levels - 1}` } }, $defs };
  };
  const shared = {
    type: 'object',
    properties: named(3_000, () => ({ $ref: '#/$defs/long' })),
    $defs: { long: { type: 'string', enum: counted(20_000, (at) => `choice ${at}`) } },
  };
  const schemas: readonly [string, JsonObject][] = [
    ['properties that double sixty times', bomb(60, 'properties')],
    ['choices that double sixty times', bomb(60, 'anyOf')],
    ['parts that double sixty times', bomb(60, 'allOf')],
    ['a long list of choices that is referred to from everywhere', shared],
    [
      'a chain of ten thousand references',
      {
        type: 'object',
        properties: { a: { $ref: '#/$defs/d0' } },
        $defs: Object.fromEntries(
          counted(10_000, (at) => [`d${at}`, at === 9_999 ? { type: 'string' } : { $ref: `#/$defs/d${at + 1}` }]),
        ),
      },
    ],
    [
      'a thousand levels',
      counted(1_000, (at) => at).reduce<JsonObject>((inner) => ({ type: 'object', properties: { a: inner } }), {
        type: 'string',
      }),
    ],
  ];
  test.each(schemas)('of %s', (_what, schema) => {
    const most = 4 * JSON.stringify(schema).length + 3 * MILLION;
    for (const format of FORMATS) {
      const { tools: _, ...rest } = offering(schema);
      const body = { ...rest, tools: [{ type: 'function', function: { name: 'f', parameters: schema } }] };
      expect(JSON.stringify(encoded(body, format).body).length, format).toBeLessThan(most);
    }
  });

  test('the ledger names a hundred fields and counts the rest', () => {
    const { losses } = encoded({ messages: [user], ...named(20_000, () => 1) }, 'gemini');
    expect(losses.length).toBeLessThan(110);
    expect(losses.reduce((sum, { count = 1 }) => sum + count, 0)).toBeGreaterThanOrEqual(20_000);
    expect(losses.at(-1)).toMatchObject({ field: '*' });
  });

  test('calls that share an id have ids of their own, all of them short enough', () => {
    const calls = { messages: [user, ...counted(12_000, (at) => called('x'.repeat(64), at)).flat()] };
    const { messages } = encoded(calls, 'bedrock-converse').body as {
      messages: { content: { toolUse?: { toolUseId: string } }[] }[];
    };
    const ids = messages.flatMap(({ content }) =>
      content.flatMap(({ toolUse }) => (toolUse ? [toolUse.toolUseId] : [])),
    );
    expect(new Set(ids).size).toBe(12_000);
    expect(ids.every((id) => id.length <= 64)).toBe(true);
  });

  test.each(FORMATS)('an answer in %s tells a thousand of a hundred thousand citations', (format) => {
    const annotation = (at: number) => ({
      type: 'url_citation',
      url_citation: { url: `https://a.test/${at}`, title: 't', start_index: 0, end_index: 10_000 - (at % 100) },
    });
    const message = { role: 'assistant', content: 'x'.repeat(10_000), annotations: counted(100_000, annotation) };
    const answer = { id: 'c', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] };
    const told = JSON.stringify(
      codecs[format].encodeResponse(codecs['openai-chat'].decodeResponse(answer, {}), { model: 'm' }),
    );
    expect(told.split('https://a.test/').length - 1).toBeLessThanOrEqual(2_000);
    expect(told.length).toBeLessThan(20 * MILLION);
  });
});
