import { expect, test } from 'vitest';
import { isLoud, lowestLevel } from '../../src/mcp/server/log-levels.ts';
import { matchesTemplate, unwrappedUri, wrappedUri } from '../../src/mcp/server/uris.ts';
import { cpuMs } from '../support/cpu.ts';

test.each(['file:///a/b c', 'test://x?y=1#z', 'bifrost://inner/test://x', 'x:{id}', 'plain'])(
  'the URI %s comes back',
  (uri) => {
    expect(unwrappedUri(wrappedUri('my_client', uri))).toEqual({ client: 'my_client', uri });
  },
);

test.each(['test://x', 'bifrost://', 'bifrost://client', 'bifrost://client/', ''])('%s is no wrapped URI', (uri) => {
  expect(unwrappedUri(uri)).toBeUndefined();
});

test.each([
  ['test://{id}/data', 'test://7/data', true],
  ['test://{id}/data', 'test:///data', true],
  ['test://{id}/data', 'test://7/date', false],
  ['test://{id}/data', 'test://data', false],
  ['file:///{+path}', 'file:///a/b/c', true],
  ['x://{a}/{b}', 'x://1/2', true],
  ['x://{a}/{b}', 'x://12', false],
  ['aba{x}aba', 'ababa', false],
  ['search://q{?text}', 'search://q?text=a', true],
  ['fixed://uri', 'fixed://uri', true],
  ['fixed://uri', 'fixed://uri2', false],
])('the template %s and %s match: %s', (template, uri, matches) => {
  expect(matchesTemplate(template, uri)).toBe(matches);
});

test('a template of many expressions costs no more than its URI is long', () => {
  const template = `x://${'{+a}/'.repeat(40)}end`;
  const spentMs = cpuMs(() => expect(matchesTemplate(template, `x://${'/'.repeat(200_000)}`)).toBe(false));
  expect(spentMs).toBeLessThan(500);
});

test.each([
  ['info', undefined, true],
  ['info', 'info', true],
  ['debug', 'info', false],
  ['emergency', 'error', true],
  ['nonsense', 'debug', false],
])('a message of level %s for a client that asked for %s: %s', (level, wanted, loud) => {
  expect(isLoud(level, wanted)).toBe(loud);
});

test.each([
  [['error', 'debug', 'info'], 'debug'],
  [['', 'error'], 'error'],
  [[], undefined],
])('of %o the lowest is %s', (levels, lowest) => {
  expect(lowestLevel(levels)).toBe(lowest);
});
