import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBody } from '../../src/codecs/body.ts';
import { topLevelMembers } from '../../src/codecs/scan.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { JsonValue } from '../../src/model/json.ts';

const read = (text: string) => readBody('openai-chat', Buffer.from(text));
const large = ` "padding": "${'x'.repeat(5_000)}"`;

describe('the body scanner', () => {
  test('finds the same top-level members as JSON.parse, whatever is nested inside', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (value, spaced) => {
        const bytes = Buffer.from(JSON.stringify(value, null, spaced ? 2 : 0));
        const found = topLevelMembers(bytes).map((member) => [
          member.key,
          JSON.parse(bytes.toString('utf8', member.valueStart, member.valueEnd)),
        ]);
        expect(Object.fromEntries(found)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    ['{"a":[1,{"b":"]"}', 'brackets never closed'],
    ['{"a":[1}]}', 'brackets that do not match'],
    ['{"a" 1}', 'no colon'],
    ['{"a":1 "b":2}', 'no comma'],
    ['{"a":}', 'no value'],
    ['{"a":nul}', 'half a word'],
    ['{"a":"open}', 'an open string'],
    ['{"a":1} trailing', 'text behind the end'],
    ['[1,2]', 'an array'],
    ['', 'nothing'],
  ])('refuses %s: %s', (text) => {
    expect(() => topLevelMembers(Buffer.from(text))).toThrow(GatewayError);
  });
});

describe('what routing reads', () => {
  test.each([
    ['small', ''],
    ['large', large],
  ])('model, stream and fallbacks of a %s body', (_size, padding) => {
    const { head } = read(
      `{"messages":[{"model":"decoy"}],"fallbacks":["a/b",{"provider":"c","model":"d/e"},"bare",{"model":"x"}],"stream":true,"model":"openai/gpt-4o"${padding && `,${padding}`}}`,
    );
    expect(head).toEqual({ model: 'openai/gpt-4o', stream: true, fallbacks: ['a/b', 'c/d/e'] });
  });

  test.each([
    ['{"messages":[]}', /model is required/],
    ['{"model":7}', /model is required/],
    ['{"model":"a/b","stream":"yes"}', /stream must be true or false/],
    ['{"model":"a/b","fallbacks":"c\\/d"}', /fallbacks must be a list/],
    ['{"model":"a/b",}', /not valid JSON/],
    ['not json', /not valid JSON/],
    ['null', /must be a JSON object/],
  ])('refuses %s', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('another model name in the bytes', () => {
  test('only the name changes: spacing, key order, number forms and escapes stay', () => {
    const text = `{ "messages" : [{"role":"user","content":"\\u00e9 \\"model\\": 1.0e2"}],\n "model" :"openai/gpt-4o" , "temperature":1.0}`;
    const { source } = read(text);
    expect(Buffer.from(source.withModel('gpt-4o')).toString()).toBe(text.replace('openai/gpt-4o', 'gpt-4o'));
  });

  test('E10 gateway-only fields are cut out and members are put in', () => {
    const { source } = read('{"fallbacks":["a/b"],"model":"openai/x","stream":true}');
    const sent = Buffer.from(source.withModel('x', '"stream_options":{"include_usage":true}')).toString();
    expect(sent).toBe('{"stream_options":{"include_usage":true},"model":"x","stream":true}');
  });

  test('any body with members put in parses to the same plus those', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (rest) => {
        const body = JSON.parse(JSON.stringify({ ...rest, model: 'a/b', stream: false, fallbacks: ['x/y'] }));
        const sent = readBody('openai-chat', Buffer.from(JSON.stringify(body))).source.withModel('b', '"extra":1');
        const { fallbacks: _cut, ...kept } = body;
        expect(JSON.parse(Buffer.from(sent).toString())).toEqual({ extra: 1, ...kept, model: 'b' });
      }),
    );
  });
});

describe('fallbacks of a Messages body', () => {
  const asked = (fallbacks: JsonValue) => {
    const bytes = Buffer.from(JSON.stringify({ model: 'anthropic/m', max_tokens: 1, messages: [], fallbacks }));
    const { head, source } = readBody('anthropic-messages', bytes);
    return { ours: head.fallbacks, sent: JSON.parse(Buffer.from(source.withModel('m')).toString()).fallbacks };
  };

  test.each<{ fallbacks: JsonValue }>([
    { fallbacks: 'default' },
    { fallbacks: [{ model: 'claude-haiku-4-5', max_tokens: 5 }] },
  ])('that the API knows itself travel on: $fallbacks', ({ fallbacks }) => {
    expect(asked(fallbacks)).toEqual({ ours: [], sent: fallbacks });
  });

  test.each<{ fallbacks: JsonValue }>([
    { fallbacks: ['openai/gpt-5'] },
    { fallbacks: [{ provider: 'openai', model: 'gpt-5' }] },
  ])('that name providers are ours: $fallbacks', ({ fallbacks }) => {
    expect(asked(fallbacks)).toEqual({ ours: ['openai/gpt-5'], sent: undefined });
  });
});

describe('a body whose URL names the model', () => {
  const said = { model: 'gemini/gemini-3-pro', stream: true };
  const readSaid = (text: string) => readBody('gemini', Buffer.from(text), said);

  test('says neither model nor verb, and travels as it came', () => {
    const { head, source } = readSaid('{"contents": [] }');
    expect(head).toEqual({ ...said, fallbacks: [] });
    expect(source.withModel('gemini-3-pro').toString()).toBe('{"contents": [] }');
  });

  test('loses what only the gateway reads', () => {
    const { head, source } = readSaid('{"model":"x","contents": [1],"stream":false,"fallbacks":["a/b"]}');
    expect(head).toEqual({ ...said, fallbacks: ['a/b'] });
    expect(source.withModel('gemini-3-pro').toString()).toBe('{"contents": [1]}');
  });
});
