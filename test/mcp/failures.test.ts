import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, test } from 'vitest';
import { reasonOf } from '../../src/mcp/failures.ts';

test('a failure over HTTP is told with its status, without the colon in front of a body that is not there', () => {
  const told = (message: string) => reasonOf(new StreamableHTTPError(502, message));
  expect(told('Error POSTing to endpoint:  ')).toMatch(/Error POSTing to endpoint \(HTTP 502\)$/);
  expect(told('no gateway')).toMatch(/no gateway \(HTTP 502\)$/);
});

test('an answer of megabytes of blanks is told in no time', () => {
  const reason = reasonOf(new StreamableHTTPError(502, `broken${' '.repeat(5_000_000)}!`));
  expect(reason).toMatch(/broken \(HTTP 502\)$/);
});
