import { expect, test } from 'vitest';
import { decodedHeader, encodedHeader } from '../../../src/mcp/modern/header-values.ts';

// the table of 2026-07-28, "Value Encoding"
test.each([
  ['us-west1', 'us-west1'],
  ['two words', 'two words'],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
  ['', '=?base64??='],
])('%j is carried as %s, and read back', (value, header) => {
  expect(encodedHeader(value)).toBe(header);
  expect(decodedHeader(header)).toBe(value);
});

test.each(['=?base64?not base64?=', '=?base64?abc?=', 'grün'])('%s is no header value', (header) => {
  expect(decodedHeader(header)).toBeUndefined();
});

test('space around a value is not part of it', () => {
  expect(decodedHeader('  echo\t')).toBe('echo');
});
