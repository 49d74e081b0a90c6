import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { callFailure, timedOut } from '../../src/mcp/execute.ts';
import { refusalOf } from '../../src/mcp/filters.ts';
import { headersFor } from '../../src/mcp/forward-headers.ts';
import { LineSplitter, Tail } from '../../src/mcp/lines.ts';
import { parseToolArguments } from '../../src/mcp/tool-arguments.ts';
import { GatewayError } from '../../src/model/errors.ts';

describe('filters', () => {
  const client = { name: 'ref', disabled: false, tools_to_execute: ['*'], tools_to_auto_execute: [] };
  const tool = { name: 'ref-echo', upstreamName: 'echo' };

  test.each<[string, { includeClients?: string[]; includeTools?: string[] }, boolean]>([
    ['no filter', {}, true],
    ['the client named', { includeClients: ['ref'] }, true],
    ['the client named in other case', { includeClients: ['Ref'] }, false],
    ['all clients', { includeClients: ['*'] }, true],
    ['no client', { includeClients: [] }, false],
    ['the tool named', { includeTools: ['ref-echo'] }, true],
    ['all tools of the client', { includeTools: ['ref-*'] }, true],
    ['a bare star for tools', { includeTools: ['*'] }, false],
    ['the tool without its client', { includeTools: ['echo'] }, false],
    ['no tool', { includeTools: [] }, false],
    ['both filters, one against it', { includeClients: ['ref'], includeTools: ['other-*'] }, false],
  ])('%s', (_, caller, allowed) => {
    expect(refusalOf(tool, client, caller) === undefined).toBe(allowed);
  });
});

describe('headers for MCP servers', () => {
  const caller = {
    virtualKey: 'sk-bf-1234',
    forwardHeaders: { 'anthropic-beta': 'x' },
    mcpHeaders: {
      'x-user': 'ann',
      authorization: 'Bearer theirs',
      cookie: 'c',
      'x-api-key': 'k',
      'x-token': 'sk-bf-1234',
    },
  };

  test.each<[string, string[], Record<string, string>]>([
    ['nothing allowed', [], {}],
    ['one, in any case', ['X-User'], { 'x-user': 'ann' }],
    ['what is never passed on', ['cookie', 'x-api-key', 'host'], {}],
    ['the virtual key under any name', ['x-token'], {}],
    ['all', ['*'], { 'anthropic-beta': 'x', 'x-user': 'ann', authorization: 'Bearer theirs' }],
  ])('%s', (_, allowed, expected) => {
    expect(headersFor(allowed, caller)).toEqual(expected);
  });
});

describe('calls', () => {
  test.each([
    ['', {}],
    [' ', {}],
    ['{"a":1}', { a: 1 }],
  ])('the arguments %j', (text, expected) => {
    expect(parseToolArguments('ref-echo', text)).toEqual(expected);
  });

  test.each(['{"a":', '[1]', '"text"', 'null'])('the arguments %s are refused', (text) => {
    expect(() => parseToolArguments('ref-echo', text)).toThrow(/^failed to parse tool arguments for 'ref-echo': ./);
  });

  test.each([
    [30_000, '30s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [1_500, '1.5s'],
    [250, '250ms'],
  ])('a timeout of %d ms reads %s', (timeoutMs, text) => {
    const { message, kind } = timedOut('ref-echo', timeoutMs);
    expect([kind, message]).toEqual(['timeout', `MCP tool call timed out after ${text}: ref-echo`]);
  });

  test.each<[string, unknown, string, string | undefined]>([
    ['wrong arguments', new McpError(ErrorCode.InvalidParams, 'no'), 'invalid-request', '-32602'],
    ['an error of the server', new McpError(ErrorCode.InternalError, 'no'), 'bad-response', '-32603'],
    ['a lost connection', new McpError(ErrorCode.ConnectionClosed, 'gone'), 'network', undefined],
    ['a failed transport', new TypeError('fetch failed'), 'network', undefined],
    ['a timeout', new GatewayError('timeout', 'late'), 'timeout', undefined],
  ])('%s', (_, thrown, kind, code) => {
    const failure = callFailure('ref-echo', thrown);
    expect([failure.kind, failure.details.code]).toEqual([kind, code]);
  });
});

describe('lines', () => {
  test('are the same however the bytes are cut', () => {
    const bytes = Buffer.from('one\ntwö\n\nthree');
    for (let size = 1; size <= bytes.length; size += 1) {
      const splitter = new LineSplitter(100);
      const lines: string[] = [];
      for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
      expect(lines).toEqual(['one', 'twö', '']);
    }
  });

  test('a line without end is refused, and the next one read', () => {
    const splitter = new LineSplitter(4);
    expect(() => splitter.push(Buffer.from('12345'))).toThrow('a line of more than 4 bytes');
    expect(splitter.push(Buffer.from('6\n7\n'))).toEqual(['6', '7']);
  });

  test('a tail keeps the last 200, and the one that is not finished', () => {
    const tail = new Tail();
    tail.write(Array.from({ length: 1_000 }, (_, line) => `line ${line}\n`).join(''));
    tail.write('half');
    expect([tail.lines.length, tail.lines[0], tail.lines.at(-1)]).toEqual([200, 'line 801', 'half']);
  });
});
