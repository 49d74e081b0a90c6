import { ToolSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import type { CatalogTool } from '../../src/mcp/contract.ts';
import { readTools } from '../../src/mcp/listed-tools.ts';
import { Listing } from '../../src/mcp/server/listing.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';

/** A server's definition as clients of `/mcp` read it. */
function shown(definition: JsonObject): JsonObject {
  const tools = readTools([{ name: 'odd', ...definition }], () => undefined).map(
    (tool): CatalogTool => ({ ...tool, name: 'ref-odd', clientId: 'id', clientName: 'ref', autoExecute: false }),
  );
  const { tools: listed } = JSON.parse(new Listing(({ name }) => name).textOf(tools));
  const [only]: unknown[] = listed;
  if (!isObject(only)) throw new Error('the list has one tool');
  return only;
}

const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };

test.each<[string, JsonObject, JsonObject]>([
  ['a description that is null', { description: null }, {}],
  ['a description that is a number', { description: 5 }, {}],
  ['a title that is none', { title: {} }, {}],
  ['annotations that are null', { annotations: null }, { annotations: {} }],
  [
    'hints of which one is no hint',
    { annotations: { readOnlyHint: true, openWorldHint: 'yes' } },
    { annotations: { readOnlyHint: true } },
  ],
  ['icons that are no list', { icons: 'x.png' }, {}],
  ['_meta that is null', { _meta: null }, {}],
  ['execution that is null', { execution: null }, {}],
  ['an outputSchema that is a list', { outputSchema: [] }, {}],
])('%s does not spoil the list', (_, given, told) => {
  const definition = shown({ inputSchema: schema, kept: 1, ...given });
  expect(definition).toEqual({ name: 'ref-odd', inputSchema: schema, kept: 1, ...told });
  expect(ToolSchema.safeParse(definition).success).toBe(true);
});

test.each<[string, JsonObject, JsonObject]>([
  ['no type', { properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
  ['two types', { type: ['object', 'null'] }, { type: 'object' }],
  ['no properties but null', { type: 'object', properties: null }, { type: 'object', properties: {} }],
  [
    'arguments that are anything, nothing and odd',
    { type: 'object', properties: { any: true, none: false, odd: null, a: { type: 'string' } }, $defs: { x: {} } },
    { type: 'object', properties: { any: {}, odd: {}, a: { type: 'string' } }, $defs: { x: {} } },
  ],
  ['a name where names belong', { type: 'object', required: 'a' }, { type: 'object', properties: {} }],
  [
    'required names among others',
    { type: 'object', properties: { a: {} }, required: ['a', 1, null] },
    { type: 'object', properties: { a: {} }, required: ['a'] },
  ],
])('an inputSchema with %s is one that clients read', (_, inputSchema, told) => {
  const definition = shown({ inputSchema });
  expect(definition).toEqual({ name: 'ref-odd', inputSchema: told });
  expect(ToolSchema.safeParse(definition).success).toBe(true);
});
