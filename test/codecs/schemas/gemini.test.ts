import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import type { Loss } from '../../../src/model/loss.ts';
import { foreignRequest, objects, requestOf, TARGET } from '../gemini/support.ts';
import { problemsIn } from '../gemini-body.ts';

interface Declared {
  readonly declaration: JsonObject;
  readonly losses: readonly Loss[];
}

function declared(inputSchema: JsonObject): Declared {
  const tools = [{ type: 'function', name: 'f', description: 'd', inputSchema, owner: 'client' }] as const;
  const messages = [{ role: 'user', parts: [{ type: 'text', text: 'x' }] }] as const;
  const { body, losses } = gemini.encodeRequest(foreignRequest(messages, { tools }), TARGET);
  expect(problemsIn(body)).toEqual([]);
  return { declaration: objects(objects(body.tools)[0]?.functionDeclarations)[0] ?? {}, losses };
}

/** The schema of the one property `p`. */
function written(p: JsonObject, more: JsonObject = {}): unknown {
  const { declaration } = declared({ type: 'object', properties: { p }, ...more });
  const { parameters, parametersJsonSchema } = declaration;
  const schema = parameters ?? parametersJsonSchema;
  return isObject(schema) && isObject(schema.properties) ? schema.properties.p : undefined;
}

describe('a tool’s schema', () => {
  test.each<[string, JsonObject, unknown]>([
    [
      'A1 ranges go into the description',
      { type: 'number', exclusiveMinimum: 0, description: 'Size' },
      { type: 'NUMBER', description: 'Size (greater than 0)' },
    ],
    [
      'A1 formats that it does not know go into the description',
      { type: 'string', format: 'uri' },
      { type: 'STRING', description: '(format uri)' },
    ],
    ['A1 formats that it knows stay', { type: 'string', format: 'date-time' }, { type: 'STRING', format: 'date-time' }],
    [
      'A2 propertyNames deep inside is removed',
      {
        type: 'object',
        properties: { a: { type: 'object', properties: { b: { type: 'string' } }, propertyNames: { pattern: 'x' } } },
      },
      { type: 'OBJECT', properties: { a: { type: 'OBJECT', properties: { b: { type: 'STRING' } } } } },
    ],
    ['A3 a type or null is nullable', { type: ['string', 'null'] }, { type: 'STRING', nullable: true }],
    [
      'A3 several types are a choice',
      { type: ['string', 'integer', 'null'], description: 'Id' },
      {
        anyOf: [
          { type: 'STRING', description: 'Id', nullable: true },
          { type: 'INTEGER', description: 'Id', nullable: true },
        ],
      },
    ],
    [
      'A3 a choice with null is nullable',
      { anyOf: [{ type: 'integer' }, { type: 'null' }], default: null },
      { type: 'INTEGER', nullable: true, default: null },
    ],
    [
      'A4 nothing stands beside anyOf',
      { description: 'Who', anyOf: [{ type: 'string' }, { type: 'integer' }] },
      {
        anyOf: [
          { type: 'STRING', description: 'Who' },
          { type: 'INTEGER', description: 'Who' },
        ],
      },
    ],
    ['A5 an array has items', { type: 'array' }, { type: 'ARRAY', items: { type: 'STRING' } }],
    [
      'A5 also inside a choice',
      { anyOf: [{ type: 'array' }, { type: 'string' }] },
      { anyOf: [{ type: 'ARRAY', items: { type: 'STRING' } }, { type: 'STRING' }] },
    ],
    ['A6 const is a choice of one', { const: 'file' }, { type: 'STRING', enum: ['file'] }],
    ['A6 a constant that is no text is told in words', { const: 3 }, { type: 'NUMBER', description: '(always 3)' }],
    [
      'A6 oneOf is anyOf',
      { oneOf: [{ type: 'string' }, { type: 'boolean' }] },
      { anyOf: [{ type: 'STRING' }, { type: 'BOOLEAN' }] },
    ],
    [
      'A6 choices that are no texts are told in words',
      { type: 'integer', enum: [1, 2] },
      { type: 'INTEGER', description: '(one of 1, 2)' },
    ],
    [
      'A6 an empty choice is told in words',
      { type: 'string', enum: ['', 'a'] },
      { type: 'STRING', enum: ['a'], description: '(may be empty)' },
    ],
    [
      'A7 counts stay numbers',
      { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 3 },
      { type: 'ARRAY', items: { type: 'STRING', minLength: 1 }, maxItems: 3 },
    ],
    [
      'allOf is merged',
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { properties: { b: { type: 'integer' } }, required: ['b'] },
        ],
      },
      { type: 'OBJECT', properties: { a: { type: 'STRING' }, b: { type: 'INTEGER' } }, required: ['a', 'b'] },
    ],
    [
      'only properties that exist are required',
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b'] },
      { type: 'OBJECT', properties: { a: { type: 'STRING' } }, required: ['a'] },
    ],
  ])('%s', (_what, schema, expected) => {
    expect(written(schema)).toEqual(expected);
  });

  test('A2 references are inlined', () => {
    const $defs = { point: { type: 'object', properties: { x: { type: 'number' } }, additionalProperties: false } };
    expect(written({ $ref: '#/$defs/point', description: 'Where' }, { $defs })).toEqual({
      type: 'OBJECT',
      description: 'Where',
      properties: { x: { type: 'NUMBER' } },
    });
    expect(written({ $ref: '#/definitions/point' }, { definitions: $defs })).toEqual({
      type: 'OBJECT',
      properties: { x: { type: 'NUMBER' } },
    });
  });

  test('A2 one that refers to itself keeps its references, as JSON Schema', () => {
    const $defs = { node: { type: 'object', properties: { next: { $ref: '#/$defs/node', title: 'n' } } } };
    const { declaration } = declared({ type: 'object', properties: { p: { $ref: '#/$defs/node' } }, $defs });
    expect(declaration.parametersJsonSchema).toEqual({
      type: 'object',
      properties: { p: { $ref: '#/$defs/node' } },
      $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
    });
  });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'maps',
      { type: 'object', additionalProperties: { type: 'string', minLength: 1 } },
      { type: 'object', additionalProperties: { type: 'string', description: '(at least this many characters: 1)' } },
    ],
    [
      'tuples',
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
    ],
    ['values of any kind', { description: 'Any JSON' }, { description: 'Any JSON' }],
  ])('keeps %s, as JSON Schema', (_what, schema, expected) => {
    expect(written(schema)).toEqual(expected);
  });

  test('without properties is left out', () => {
    expect(declared({ type: 'object', properties: {} }).declaration).toEqual({ name: 'f', description: 'd' });
    expect(declared({}).declaration).toEqual({ name: 'f', description: 'd' });
  });

  test('that loses keywords has an entry in the ledger', () => {
    const { losses } = declared({
      $schema: 'x',
      type: 'object',
      properties: { a: { type: 'string' } },
      additionalProperties: false,
    });
    expect(losses).toEqual([
      {
        field: 'tools.0.parameters',
        action: 'rewritten',
        reason: expect.stringContaining('$schema, additionalProperties'),
      },
    ]);
  });

  test('of any shape becomes one that the API takes', () => {
    const leaf = fc.record(
      {
        type: fc.constantFrom(
          'string',
          'integer',
          'number',
          'boolean',
          'array',
          'object',
          ['string', 'null'],
          ['array', 'string'],
        ),
        enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 3 }),
        const: fc.oneof(fc.string(), fc.integer(), fc.boolean()),
        format: fc.constantFrom('uri', 'date-time', 'int32'),
        $ref: fc.constantFrom('#/$defs/a', '#/$defs/b', '#', 'other.json'),
        description: fc.string(),
        exclusiveMinimum: fc.integer(),
        additionalProperties: fc.boolean(),
        'x-unknown': fc.anything({ maxDepth: 1, values: [fc.integer()] }),
      },
      { requiredKeys: [] },
    );
    const { schema } = fc.letrec((tie) => ({
      schema: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.record(
          {
            type: fc.constant('object'),
            properties: fc.dictionary(fc.string(), tie('schema'), { maxKeys: 3 }),
            required: fc.array(fc.string()),
          },
          { requiredKeys: ['properties'] },
        ),
        fc.record({ type: fc.constant('array'), items: tie('schema') }),
        fc.record(
          { anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }), description: fc.string() },
          { requiredKeys: ['anyOf'] },
        ),
        fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
        fc.record({
          allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
          patternProperties: fc.constant({}),
        }),
      ),
    }));
    fc.assert(
      fc.property(schema, schema, schema, (p, a, b) => {
        // what fast-check builds is JSON
        const given = JSON.parse(JSON.stringify({ type: 'object', properties: { p }, $defs: { a, b } })) as JsonObject;
        const before = JSON.stringify(given);
        declared(given);
        expect(JSON.stringify(given)).toBe(before);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a schema of a Gemini client', () => {
  const given = {
    name: 'f',
    parameters: {
      type: 'OBJECT',
      properties: {
        city: { type: 'STRING', nullable: true, minLength: '1', enum: ['a'] },
        days: { type: 'ARRAY', items: { type: 'INTEGER', format: 'int32' }, max_items: '7' },
        which: { any_of: [{ type: 'STRING' }, { type: 'NUMBER' }], nullable: true },
        unit_type: { type: 'STRING', format: 'enum', example: 'C' },
      },
      required: ['city'],
      propertyOrdering: ['city', 'days'],
    },
  };
  const request = requestOf(
    { contents: [{ parts: [{ text: 'x' }] }], tools: [{ functionDeclarations: [given] }] },
    { raw: false },
  );

  test('A10 is JSON Schema to every other format, counts as numbers', () => {
    expect(request.tools).toMatchObject([{ type: 'function', name: 'f' }]);
    expect(request.tools[0]?.type === 'function' && request.tools[0].inputSchema).toEqual({
      type: 'object',
      properties: {
        city: { type: ['string', 'null'], minLength: 1, enum: ['a', null] },
        days: { type: 'array', items: { type: 'integer', format: 'int32' }, maxItems: 7 },
        which: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
        unit_type: { type: 'string', examples: ['C'] },
      },
      required: ['city'],
    });
  });

  test('goes to Gemini as it came', () => {
    expect(gemini.encodeRequest(request, TARGET).body.tools).toEqual([{ functionDeclarations: [given] }]);
  });
});
