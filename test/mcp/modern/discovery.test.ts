import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, test } from 'vitest';
import { verdictOf, verdictOfFailure } from '../../../src/mcp/modern/discovery.ts';

const error = (code: number, data?: object) =>
  ({ jsonrpc: '2.0', id: 1, error: { code, message: 'no', ...(data && { data: { ...data } }) } }) as const;
const result = (given: object) => ({ jsonrpc: '2.0', id: 1, result: { ...given } }) as const;

test('a server that says it supports the revision is of the newer era', () => {
  const answer = result({
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    instructions: 'Read me',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'new', version: '3' } },
  });
  expect(verdictOf(answer)).toEqual({
    era: 'modern',
    discovery: { capabilities: { tools: {} }, serverInfo: { name: 'new', version: '3' }, instructions: 'Read me' },
  });
});

test.each([
  ['no method', error(-32601)],
  ['no parameters', error(-32602)],
  ['an error of its own', error(-32000)],
  ['an empty result', result({})],
  ['other versions', result({ supportedVersions: ['2031-01-01'], capabilities: {} })],
  ['that it would rather be greeted', error(-32022, { supported: ['2025-11-25'], requested: '2026-07-28' })],
])('a server that answers with %s is of the older era', (_, answer) => {
  expect(verdictOf(answer)).toEqual({ era: 'legacy', isSure: true });
});

test.each([
  error(-32020),
  error(-32021, { requiredCapabilities: { sampling: {} } }),
  error(-32022, { supported: ['2031-01-01'], requested: '2026-07-28' }),
])('an error that only the newer era has is no reason to fall back', (answer) => {
  expect(() => verdictOf(answer)).toThrow();
});

test.each([
  [404, true],
  [400, true],
  [405, true],
  [401, false],
  [403, false],
  [429, false],
  [503, false],
])('status %i means the older era, for sure: %s', (status, isSure) => {
  expect(verdictOfFailure(new StreamableHTTPError(status, 'no'))).toEqual({ era: 'legacy', isSure });
});

test('a server that cannot be reached has no era', () => {
  const failure = new TypeError('fetch failed');
  expect(() => verdictOfFailure(failure)).toThrow(failure);
});
