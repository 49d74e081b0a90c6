import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseJsonText } from '../../src/config/json-text.ts';

const faultOf = (text: string): string => {
  try {
    parseJsonText(text, 'config.json');
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.message;
    throw thrown;
  }
  return 'no fault';
};

describe('a file that is not JSON', () => {
  test.each([
    ['', '1:1', 'the text ends where a value is expected'],
    ['{"a":1', '1:7', 'the text ends where "," or "}" is expected'],
    ['{\n  "a": 1,\n}', '3:1', 'remove the comma before this "}"'],
    ['[1,\n 2, ]', '2:5', 'remove the comma before this "]"'],
    ['{\n  // keys\n  "a": 1\n}', '2:3', 'JSON has no comments; remove this one'],
    ['{"a": 1} # end', '1:10', 'something follows the end of the document; remove it'],
    ["{'a': 1}", '1:2', 'write double quotes instead of single quotes'],
    ['{"a": tru}', '1:7', 'expected a value'],
    ['{"a" 1}', '1:6', 'expected ":" after the field name'],
    ['{"a": 1 "b": 2}', '1:9', 'expected "," or "}"'],
    ['{"a": "never closed}', '1:7', 'this text never closes, or holds a line break or a bad escape such as "\\x"'],
    ['{"a": 01}', '1:8', 'expected "," or "}"'],
    ['{a: 1}', '1:2', 'expected a field name in double quotes'],
    ['['.repeat(100_000), '1:102', 'nothing is read below 100 levels; nest it less'],
  ])('%j fails at %s: %s', (text, position, advice) => {
    expect(faultOf(text)).toBe(`config.json:${position} is not valid JSON: ${advice}`);
  });

  test('the message never quotes the file, which may hold keys', () => {
    expect(faultOf('{"value": "sk-secret", oops}')).not.toContain('sk-secret');
  });
});

test('the place of a value is known, and for a missing one that of the nearest value around it', () => {
  const { positionOf } = parseJsonText(
    '{\n  "mcp": {\n    "client_configs": [\n      { "name": 7 }\n    ]\n  }\n}',
    'f',
  );
  expect(positionOf(['mcp', 'client_configs', 0, 'name'])).toBe('4:17');
  expect(positionOf(['mcp', 'client_configs', 0, 'connection_type'])).toBe('4:7');
  expect(positionOf(['nowhere'])).toBe('1:1');
});

test('members that stand twice are known, without what is in them', () => {
  const { repeated, positionOf } = parseJsonText(
    '{"client": {"a": 1}, "mcp": [{"n": 1, "n": 2}],\n "client": {"a": {"b": 2}, "c": 3}}',
    'f',
  );
  expect(repeated).toEqual([['mcp', 0, 'n'], ['client']]);
  expect(positionOf(['client'])).toBe('2:12');
});

test('whatever JSON.parse accepts is accepted, and nothing else', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.boolean(), (json, at, cut) => {
      const text = cut ? json.slice(0, at % (json.length + 1)) + json.slice((at % (json.length + 1)) + 1) : json;
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        expect(faultOf(text)).toMatch(/^config\.json:\d+:\d+ is not valid JSON: /);
        return;
      }
      expect(parseJsonText(text, 'f').value).toEqual(value);
    }),
  );
});
