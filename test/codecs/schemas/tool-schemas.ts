import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';
import { shared, sharedPath } from '../../support/shared.ts';

/** A tool of a real server or client: where it is from, and what it takes. */
export type NamedSchema = readonly [name: string, schema: JsonObject];

const SERVERS: readonly (readonly [name: string, ...args: readonly string[]])[] = [
  ['server-everything', 'dist/index.js'],
  ['server-filesystem', 'dist/index.js', '.'],
  ['server-memory', 'dist/index.js'],
];

/** The tools of the MCP project's reference servers, as they list them over stdio. */
export async function referenceServerSchemas(): Promise<NamedSchema[]> {
  const listed = await Promise.all(
    SERVERS.map(async ([name, file, ...args]) => {
      const path = resolve(import.meta.dirname, '../../../node_modules/@modelcontextprotocol', name, file ?? '');
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [path, ...args],
        stderr: 'ignore',
      });
      const client = new Client({ name: 'test', version: '1' });
      await client.connect(transport);
      const { tools } = await client.listTools();
      await client.close();
      // a tool's schema came as JSON
      return tools.map((tool): NamedSchema => [`${name} ${tool.name}`, tool.inputSchema as JsonObject]);
    }),
  );
  return listed.flat();
}

/** Every tool in the captured requests of Claude Code, Codex and Gemini CLI, each schema once. */
export function capturedSchemas(): NamedSchema[] {
  if (!shared) return [];
  const found = new Map<string, NamedSchema>();
  for (const client of ['claude-code', 'codex', 'gemini-cli']) {
    const folder = sharedPath('captures', client);
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const text = readFileSync(resolve(folder, file), 'utf8');
      for (const [name, schema] of schemasIn(JSON.parse(text)))
        found.set(JSON.stringify(schema), [`${client} ${name}`, schema]);
    }
  }
  return [...found.values()];
}

const SCHEMA_FIELDS = ['input_schema', 'parametersJsonSchema', 'parameters', 'inputSchema'];

function schemasIn(value: JsonValue): NamedSchema[] {
  if (Array.isArray(value)) return value.flatMap(schemasIn);
  if (!isObject(value)) return [];
  const own = SCHEMA_FIELDS.map((field) => value[field]).find(isObject);
  if (own && typeof value.name === 'string') return [[value.name, own]];
  return Object.values(value).flatMap((inner) => (inner === undefined ? [] : schemasIn(inner)));
}

/** Schemas that servers of the wild have, or that a hostile one might. */
export const HARD_SCHEMAS: readonly NamedSchema[] = [
  ['empty', {}],
  ['bare object', { type: 'object' }],
  ['no type', { properties: { a: { type: 'string' } } }],
  ['draft 4', { type: 'object', properties: { n: { type: 'integer', minimum: 0, exclusiveMinimum: true } } }],
  [
    'draft 7 tuple',
    { type: 'object', properties: { at: { type: 'array', items: [{ type: 'number' }, { type: 'number' }] } } },
  ],
  ['OpenAPI', { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true, format: 'enum', enum: ['x'] } } }],
  [
    'wrong types',
    { type: 'object', properties: { a: { type: 'str' }, b: { type: 'any' }, c: { type: ['int', 'null'] } } },
  ],
  ['required in the property', { type: 'object', properties: { a: { type: 'string', required: true } } }],
  [
    'required but undescribed',
    { type: 'object', properties: { o: { type: 'object', required: ['x'] } }, required: ['o', 'p'] },
  ],
  [
    'array without items',
    { type: 'object', properties: { tags: { type: 'array' }, more: { type: ['array', 'null'] } } },
  ],
  [
    'keywords as names',
    {
      type: 'object',
      properties: {
        type: { type: 'string' },
        properties: { type: 'object' },
        enum: { type: 'array', items: { type: 'string' } },
        $ref: { type: 'string' },
        valueOf: { type: 'number' },
      },
      required: ['type', 'toString'],
    },
  ],
  [
    'choice at the top',
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
  ],
  [
    'choice of objects',
    {
      oneOf: [
        { type: 'object', properties: { by: { const: 'id' }, id: { type: 'integer' } }, required: ['by', 'id'] },
        { type: 'object', properties: { by: { const: 'name' }, name: { type: 'string' } }, required: ['by', 'name'] },
      ],
    },
  ],
  [
    'reference at the top',
    {
      $ref: '#/$defs/args',
      $defs: {
        args: { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, required: ['a'] },
        a: { type: 'string' },
      },
    },
  ],
  [
    'allOf at the top',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'string' } } },
        { properties: { b: { type: 'integer' } }, required: ['b'] },
      ],
    },
  ],
  [
    'recursion',
    {
      type: 'object',
      properties: { node: { $ref: '#/definitions/node' } },
      definitions: { node: { type: 'object', properties: { next: { $ref: '#/definitions/node' } } } },
    },
  ],
  ['recursion to the top', { type: 'object', properties: { child: { $ref: '#' }, label: { type: 'string' } } }],
  [
    'references in a circle',
    {
      type: 'object',
      properties: { a: { $ref: '#/$defs/a' } },
      $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } },
    },
  ],
  [
    'reference to nowhere',
    { type: 'object', properties: { a: { $ref: '#/$defs/gone' }, b: { $ref: 'https://example.com/x.json' } } },
  ],
  [
    'many references',
    {
      type: 'object',
      properties: { a: { $ref: '#/$defs/l0' } },
      $defs: Object.fromEntries(
        Array.from({ length: 24 }, (_, n) => [
          `l${n}`,
          n < 23
            ? { type: 'object', properties: { x: { $ref: `#/$defs/l${n + 1}` }, y: { $ref: `#/$defs/l${n + 1}` } } }
            : { type: 'string' },
        ]),
      ),
    },
  ],
  [
    'maps, anything, booleans',
    {
      type: 'object',
      properties: {
        map: { type: 'object', additionalProperties: { type: 'string' } },
        any: {},
        yes: true,
        list: { type: 'array', items: true },
      },
    },
  ],
  [
    'conditions',
    {
      type: 'object',
      properties: { a: { type: 'string' } },
      if: { properties: { a: { const: 'x' } } },
      else: { required: ['b'] },
      not: { required: ['c'] },
    },
  ],
  ['broken pattern', { type: 'object', properties: { a: { type: 'string', pattern: '([' } } }],
  [
    'no choice at all',
    { type: 'object', properties: { a: { enum: [] }, b: { anyOf: [] }, c: { type: 'string', enum: [null, ''] } } },
  ],
  [
    'constants',
    {
      type: 'object',
      properties: { a: { const: 1 }, b: { const: null }, c: { const: { x: 1 } }, d: { enum: [1, 'a', true, null] } },
    },
  ],
  [
    'names of schemas',
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      $id: 'urn:x',
      $comment: 'c',
      type: 'object',
      properties: { a: { type: 'string', $comment: 'd' } },
    },
  ],
  ['no name', { type: 'object', properties: { '': { type: 'string' }, a: { type: 'string' } }, required: ['', 'a'] }],
  [
    'itself in many ways',
    {
      allOf: [{ $ref: '#' }, { $ref: '#' }, { $ref: '#/$defs/x' }],
      $defs: { x: { oneOf: [{ $ref: '#' }, { $ref: '#/$defs/x' }, { anyOf: [{ $ref: '#' }, {}] }] } },
    },
  ],
];
