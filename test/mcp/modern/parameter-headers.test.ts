import { describe, expect, test } from 'vitest';
import { argumentMismatch, headersOfArguments, parameterHeaders } from '../../../src/mcp/modern/parameter-headers.ts';

const region = { type: 'string', 'x-mcp-header': 'Region' };
const schema = {
  type: 'object',
  properties: {
    region,
    limits: { type: 'object', properties: { count: { type: 'integer', 'x-mcp-header': 'Count' } } },
    query: { type: 'string' },
  },
};
const declared = [
  { header: 'mcp-param-region', path: ['region'] },
  { header: 'mcp-param-count', path: ['limits', 'count'] },
];

test('marks are found at any depth of properties', () => {
  expect(parameterHeaders(schema)).toEqual(declared);
});

test('a property may be called like the mark, and examples may hold it', () => {
  const properties = { 'x-mcp-header': { type: 'string' }, a: { type: 'string', examples: [{ 'x-mcp-header': 'A' }] } };
  expect(parameterHeaders({ type: 'object', properties })).toEqual([]);
});

test.each([
  ['on the whole schema', { type: 'object', 'x-mcp-header': 'A' }],
  ['on an object', { properties: { a: { type: 'object', 'x-mcp-header': 'A' } } }],
  ['on a number', { properties: { a: { type: 'number', 'x-mcp-header': 'A' } } }],
  ['without a type', { properties: { a: { 'x-mcp-header': 'A' } } }],
  ['with an empty name', { properties: { a: { type: 'string', 'x-mcp-header': '' } } }],
  ['with a name of two words', { properties: { a: { type: 'string', 'x-mcp-header': 'My Region' } } }],
  ['with a line break', { properties: { a: { type: 'string', 'x-mcp-header': 'A\r\nB' } } }],
  ['twice', { properties: { a: region, b: { type: 'string', 'x-mcp-header': 'REGION' } } }],
  ['under items', { properties: { a: { type: 'array', items: region } } }],
  ['under anyOf', { properties: { a: { anyOf: [region] } } }],
  ['under $defs', { $defs: { a: region } }],
])('a mark %s makes a tool unusable over HTTP', (_, broken) => {
  expect(parameterHeaders({ type: 'object', ...broken })).toBeTypeOf('string');
});

test('values are written as text; null and what is not there go without a header', () => {
  const list = parameterHeaders({
    properties: { a: region, b: { type: 'boolean', 'x-mcp-header': 'B' }, c: { type: 'integer', 'x-mcp-header': 'C' } },
  });
  if (typeof list === 'string') throw new Error(list);
  expect(headersOfArguments(list, { a: 'é', b: false })).toEqual({
    'mcp-param-region': '=?base64?w6k=?=',
    'mcp-param-b': 'false',
  });
  expect(headersOfArguments(list, { a: null, c: 42 })).toEqual({ 'mcp-param-c': '42' });
});

describe('a call over HTTP', () => {
  const args = { region: 'us-west1', limits: { count: 42 } };

  test.each([
    ['the same values', { 'mcp-param-region': 'us-west1', 'mcp-param-count': '42' }],
    ['an encoded value', { 'mcp-param-region': '=?base64?dXMtd2VzdDE=?=', 'mcp-param-count': '42' }],
    ['another way to write a number', { 'mcp-param-region': 'us-west1', 'mcp-param-count': '42.0' }],
  ])('with %s passes', (_, headers) => {
    expect(argumentMismatch(declared, args, headers)).toBeUndefined();
  });

  test.each([
    ['another value', { 'mcp-param-region': 'eu', 'mcp-param-count': '42' }],
    ['no header', { 'mcp-param-count': '42' }],
    ['a broken encoding', { 'mcp-param-region': '=?base64?%%?=', 'mcp-param-count': '42' }],
  ])('with %s is refused', (_, headers) => {
    expect(argumentMismatch(declared, args, headers)).toBeTypeOf('string');
  });

  test('with a header for an argument that is not there is refused', () => {
    expect(argumentMismatch(declared, {}, { 'mcp-param-region': 'us-west1' })).toBeTypeOf('string');
  });
});
