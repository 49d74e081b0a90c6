import { expect, test } from 'vitest';
import { readTools, ToolList } from '../../src/mcp/listed-tools.ts';

const read = (tools: unknown[]) => {
  const warnings: string[] = [];
  return { tools: readTools(tools, (message) => warnings.push(message)), warnings };
};

/** A schema of so many levels of objects in objects. */
function nested(levels: number): object {
  let schema = {};
  for (let level = 0; level < levels; level++) schema = { properties: { inner: schema } };
  return schema;
}

test.each([
  ['no name', { description: 'x' }, 'its name is empty'],
  ['a blank name', { name: ' ' }, 'its name is empty'],
  ['a slash', { name: 'a/b' }, "its name 'a/b' contains '/' or '..'"],
  ['two dots', { name: 'a..b' }, "its name 'a..b' contains '/' or '..'"],
  ['a name used before', { name: 'good' }, "the name 'good' is listed twice"],
  ['no object', 'good', 'it is not an object'],
  [
    'a bottomless schema',
    { name: 'deep', inputSchema: nested(5_000) },
    "the definition of 'deep' has more than 500 levels",
  ],
])('a tool with %s is skipped with a warning', (_, tool, reason) => {
  const { tools, warnings } = read([{ name: 'good' }, tool]);
  expect(tools.map(({ upstreamName }) => upstreamName)).toEqual(['good']);
  expect(warnings).toEqual([`a tool was skipped: ${reason}`]);
});

test.each([
  ['none', undefined],
  ['null', null],
  ['an empty one', {}],
  ['one without properties', { type: 'object' }],
])('A8 a tool with no arguments has an object schema with properties, given %s', (_, inputSchema) => {
  const [tool] = read([{ name: 'a', inputSchema }]).tools;
  expect(tool?.inputSchema).toEqual({ type: 'object', properties: {} });
});

test('A10 the definition stays as the server gave it, but has a schema object where there was none', () => {
  const given = {
    name: 'a',
    title: 'A',
    inputSchema: { type: 'object' },
    outputSchema: { type: 'object' },
    _meta: { x: 1 },
  };
  expect(read([given]).tools[0]?.definition).toBe(given);
  expect(read([{ name: 'a' }]).tools[0]?.definition).toEqual({
    name: 'a',
    inputSchema: { type: 'object', properties: {} },
  });
});

test('A5 arrays without items get them, by position and not by name', () => {
  const inputSchema = {
    type: 'object',
    properties: {
      items: { type: 'string' },
      type: { type: ['array', 'null'] },
      list: { anyOf: [{ type: 'array' }, { type: 'array', items: { type: 'number' } }] },
      pair: { type: 'array', prefixItems: [{ type: 'array' }] },
    },
    $defs: { row: { type: 'array' } },
    required: ['items'],
  };
  expect(read([{ name: 'a', inputSchema }]).tools[0]?.inputSchema).toEqual({
    ...inputSchema,
    properties: {
      items: { type: 'string' },
      type: { type: ['array', 'null'], items: {} },
      list: {
        anyOf: [
          { type: 'array', items: {} },
          { type: 'array', items: { type: 'number' } },
        ],
      },
      pair: { type: 'array', prefixItems: [{ type: 'array', items: {} }] },
    },
    $defs: { row: { type: 'array', items: {} } },
  });
});

test('annotations are read, and what is none of them is not', () => {
  const annotations = { title: 'T', readOnlyHint: true, destructiveHint: 'no', other: 1 };
  expect(read([{ name: 'a', annotations }]).tools[0]?.annotations).toEqual({ title: 'T', readOnlyHint: true });
});

test('an equal list is no change, in whatever order it comes', () => {
  const list = new ToolList();
  const warn = () => {};
  expect(list.isKnown).toBe(false);
  expect(list.take([], warn)).toBe(true);
  expect(list.isKnown).toBe(true);
  expect(list.take([{ name: 'a' }, { name: 'b' }], warn)).toBe(true);
  const { tools } = list;
  expect(list.take([{ name: 'b' }, { name: 'a' }], warn)).toBe(false);
  expect(list.tools).toBe(tools);
  expect(list.take([{ name: 'b' }, { name: 'a', description: 'new' }], warn)).toBe(true);
});
