import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import {
  anthropicTools,
  cerebrasTools,
  groqTools,
  mistralTools,
  openAiTools,
} from '../../../src/codecs/schemas/strict.ts';
import { bedrockSchema, novaSchema } from '../../../src/codecs/schemas/targets.ts';
import { type ToolSchemas, toolSchema } from '../../../src/codecs/schemas/tool-schema.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import type { Loss } from '../../../src/model/loss.ts';
import { shared } from '../../support/shared.ts';
import { type SchemaTarget, strictSchemaProblems } from '../../support/strict-schemas.ts';
import { foreignRequest, objects } from '../gemini/support.ts';
import { capturedSchemas, HARD_SCHEMAS, type NamedSchema, referenceServerSchemas } from './tool-schemas.ts';

const TOOLS: Readonly<Record<string, ToolSchemas>> = {
  openai: openAiTools,
  anthropic: anthropicTools,
  groq: groqTools,
  mistral: mistralTools,
  cerebras: cerebrasTools,
  bedrock: { plain: bedrockSchema },
  nova: { plain: novaSchema },
};

const places = { schema: 'parameters', strict: 'strict' };

/** A schema as the target gets it, and by which rules a server of it would judge that. */
function derived(target: string, inputSchema: JsonObject, strict: boolean) {
  const tools = TOOLS[target];
  if (!tools) throw new Error(`no target ${target}`);
  const losses: Loss[] = [];
  const { schema, isStrict } = toolSchema({ inputSchema, strict }, tools, places, losses);
  return { schema, losses, isStrict, judge: judgeOf(target, isStrict) };
}

function judgeOf(target: string, isStrict: boolean): SchemaTarget {
  if (target === 'cerebras') return isStrict ? 'cerebras-strict' : 'openai';
  // the targets' names are the judges'
  return (isStrict ? `${target}-strict` : target) as SchemaTarget;
}

/** What a declaration holds of the schema; a function that takes nothing has no parameters. */
function geminiParameters(inputSchema: JsonObject) {
  const tools = [{ type: 'function', name: 'f', inputSchema, owner: 'client' }] as const;
  const { body } = gemini.encodeRequest(foreignRequest([], { tools }), { model: 'm', stream: false });
  const [declaration = {}] = objects(objects(body.tools)[0]?.functionDeclarations);
  const { parameters, parametersJsonSchema } = declaration;
  if (isObject(parametersJsonSchema)) return { schema: parametersJsonSchema, form: 'json' };
  return { schema: isObject(parameters) ? parameters : NOTHING, form: 'openapi' };
}

const NOTHING: JsonObject = { type: 'OBJECT', properties: { none: { type: 'STRING' } } };

function problemsOf(inputSchema: JsonObject): string[] {
  const ours = Object.keys(TOOLS).flatMap((target) =>
    [false, true].flatMap((strict) => {
      const { schema, judge } = derived(target, inputSchema, strict);
      return strictSchemaProblems(judge, schema).map((problem) => `${judge}: ${problem}`);
    }),
  );
  const { schema, form } = geminiParameters(inputSchema);
  const judges: SchemaTarget[] = form === 'openapi' ? ['gemini', 'vertex'] : ['gemini-json', 'vertex-json'];
  return [...ours, ...judges.flatMap((judge) => strictSchemaProblems(judge, schema).map((one) => `${judge}: ${one}`))];
}

const take = (schemas: readonly NamedSchema[]) =>
  test.each(schemas)('%s', (_name, schema) => {
    const before = JSON.stringify(schema);
    expect(problemsOf(schema)).toEqual([]);
    expect(JSON.stringify(schema)).toBe(before);
  });

describe('A10 every target takes its own form of', () => {
  describe('schemas of the wild', () => take(HARD_SCHEMAS));

  test('every tool of the reference servers', async () => {
    const schemas = await referenceServerSchemas();
    expect(schemas.length).toBeGreaterThan(30);
    for (const [name, schema] of schemas) expect([name, problemsOf(schema)]).toEqual([name, []]);
  }, 30_000);

  describe.runIf(shared)('every tool of the captured clients', () => take(capturedSchemas()));

  test('anything that looks like a schema', () => {
    const keyword = fc.constantFrom('items', 'additionalProperties', 'not', 'if', 'else', 'contains', 'propertyNames');
    const { schema } = fc.letrec<{ schema: JsonObject; leaf: JsonObject }>((tie) => ({
      leaf: fc.record(
        {
          type: fc.constantFrom('string', 'object', 'array', 'integer', 'Number', 'any', ['string', 'null'], 3),
          enum: fc.constantFrom([], ['a'], [1, null]),
          const: fc.constantFrom(1, 'x', null),
          pattern: fc.constantFrom('[', '^(?!x)', 'a'),
          required: fc.constantFrom(['a', 'b'], true, ['a', 'a'], []),
          format: fc.constantFrom('uri', 'date-time', 7),
          minimum: fc.constantFrom(0, '1'),
          exclusiveMinimum: fc.constantFrom(true, false, 3),
          minItems: fc.constantFrom(2, -1),
          $ref: fc.constantFrom('#', '#/$defs/x', '#/properties/a', '#/nowhere', 'other.json'),
          description: fc.constantFrom('d', 4),
        },
        { requiredKeys: [] },
      ) as fc.Arbitrary<JsonObject>,
      schema: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        tie('leaf'),
        fc
          .tuple(
            tie('leaf'),
            fc.dictionary(fc.constantFrom('a', 'b', 'type', '$ref', ''), tie('schema'), { maxKeys: 3 }),
          )
          .map(([leaf, properties]): JsonObject => ({ ...leaf, properties })),
        fc
          .tuple(tie('leaf'), keyword, tie('schema'))
          .map(([leaf, key, inner]): JsonObject => ({ ...leaf, [key]: inner })),
        fc
          .tuple(
            tie('leaf'),
            fc.constantFrom('anyOf', 'oneOf', 'allOf', 'prefixItems'),
            fc.array(tie('schema'), { maxLength: 3 }),
          )
          .map(([leaf, key, list]): JsonObject => ({ ...leaf, [key]: list })),
        fc.tuple(tie('leaf'), tie('schema')).map(([leaf, x]): JsonObject => ({ ...leaf, $defs: { x } })),
      ),
    }));
    fc.assert(
      fc.property(schema, (given) => {
        expect(problemsOf(given)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('a derivation', () => {
  const deep = (levels: number): JsonObject => {
    let schema: JsonObject = { type: 'string' };
    for (let level = 0; level < levels; level++) schema = { type: 'object', properties: { in: schema } };
    return schema;
  };

  test.each([50, 2_000])('ends on %i levels', (levels) => {
    const schema = deep(levels);
    expect(() => geminiParameters(schema)).not.toThrow();
    for (const target of Object.keys(TOOLS)) expect(() => derived(target, schema, true)).not.toThrow();
  });

  test('A15 gives the same bytes for the same schema, and the very same object for the same object', () => {
    for (const [, schema] of HARD_SCHEMAS) {
      for (const target of Object.keys(TOOLS)) {
        const first = derived(target, schema, false);
        const again = derived(target, JSON.parse(JSON.stringify(schema)) as JsonObject, false);
        expect(JSON.stringify(again)).toBe(JSON.stringify(first));
        expect(derived(target, schema, false).schema).toBe(first.schema);
      }
    }
  });

  test('A9 leaves alone what the target takes as it is', () => {
    const schema: JsonObject = {
      type: 'object',
      properties: { at: { oneOf: [{ type: 'string', format: 'uri' }, { type: 'null' }], default: null } },
      required: ['at'],
    };
    for (const target of ['openai', 'anthropic', 'groq', 'mistral', 'bedrock']) {
      expect(derived(target, schema, false)).toMatchObject({ losses: [] });
      expect(derived(target, schema, false).schema).toBe(schema);
    }
  });
});

describe('each rule', () => {
  const first = (target: string, inputSchema: JsonObject, strict = false) => derived(target, inputSchema, strict);

  test.each<[string, string, JsonObject, JsonObject, string[]]>([
    [
      'A8 an object with properties',
      'openai',
      {},
      { type: 'object', properties: {} },
      ['invented parameters.type', 'invented parameters.properties'],
    ],
    [
      'A5 items',
      'openai',
      { type: 'object', properties: { a: { type: 'array' } } },
      { type: 'object', properties: { a: { type: 'array', items: {} } } },
      ['invented parameters.properties.a.items'],
    ],
    [
      'no choice at the top',
      'anthropic',
      {
        type: 'object',
        properties: { a: { type: 'string' }, b: {} },
        anyOf: [{ required: ['a'] }, { required: ['b'] }],
      },
      {
        type: 'object',
        properties: { a: { type: 'string' }, b: {} },
        description: '(Give one of these sets of arguments: a; or b.)',
      },
      ['rewritten parameters'],
    ],
    [
      'a choice of objects is one object',
      'anthropic',
      {
        anyOf: [
          { properties: { k: { const: 1 }, a: {} }, required: ['k'] },
          { properties: { k: { const: 2 } }, required: ['k'] },
        ],
      },
      {
        type: 'object',
        properties: { k: { anyOf: [{ const: 1 }, { const: 2 }] }, a: {} },
        required: ['k'],
        description: '(Give one of these sets of arguments: k; or k.)',
      },
      ['rewritten parameters', 'invented parameters.type'],
    ],
    [
      'three keywords at the top, references written out',
      'nova',
      {
        $schema: 'x',
        type: 'object',
        properties: { a: { $ref: '#/$defs/a' } },
        $defs: { a: { type: 'string' } },
        additionalProperties: false,
      },
      { type: 'object', properties: { a: { type: 'string' } } },
      ['rewritten parameters.$defs', 'dropped parameters.$schema', 'dropped parameters.additionalProperties'],
    ],
    [
      'B15 no empty names',
      'bedrock',
      { type: 'object', properties: { '': {}, a: {} }, required: ['', 'a'] },
      { type: 'object', properties: { a: {} }, required: ['a'] },
      ['dropped parameters.properties.'],
    ],
    [
      'no names of schemas',
      'mistral',
      { $schema: 'x', type: 'object', properties: {} },
      { type: 'object', properties: {} },
      ['dropped parameters.$schema'],
    ],
    [
      'required needs properties',
      'groq',
      { type: 'object', properties: { o: { type: 'object', required: ['x'] } } },
      { type: 'object', properties: { o: { type: 'object' } } },
      ['dropped parameters.properties.o.required'],
    ],
  ])('%s (%s)', (_what, target, given, expected, entries) => {
    const { schema, losses } = first(target, given);
    expect(schema).toEqual(expected);
    expect(losses.map(({ action, field }) => `${action} ${field}`)).toEqual(entries);
  });
});

describe('strict tools of another dialect', () => {
  const closed: JsonObject = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };

  test('stay strict where the schema says all that strict mode asks for', () => {
    expect(derived('openai', closed, true)).toMatchObject({ isStrict: true, losses: [], schema: closed });
    expect(derived('anthropic', closed, true)).toMatchObject({ isStrict: true, losses: [] });
  });

  test('are closed, which is what strict means, and keep in words what strict mode has no keyword for', () => {
    const given: JsonObject = { type: 'object', properties: { a: { type: 'string', minLength: 2 } }, required: ['a'] };
    const { schema, isStrict, losses } = derived('openai', given, true);
    expect(isStrict).toBe(true);
    expect(schema).toEqual({
      type: 'object',
      properties: { a: { type: 'string', description: '(minLength: 2)' } },
      required: ['a'],
      additionalProperties: false,
    });
    expect(losses.map(({ field }) => field)).toEqual([
      'parameters.properties.a.minLength',
      'parameters.properties.a.description',
      'parameters.additionalProperties',
    ]);
  });

  test.each<[string, string, JsonObject]>([
    ['an optional property', 'openai', { ...closed, required: [] }],
    ['a map', 'openai', { ...closed, additionalProperties: { type: 'string' } }],
    ['a condition', 'anthropic', { ...closed, if: { required: ['a'] } }],
    ['a schema that holds itself', 'anthropic', { ...closed, properties: { a: { $ref: '#' } } }],
    ['a server without strict tools', 'groq', closed],
  ])('are plain ones for %s (%s), and the ledger says why', (_why, target, given) => {
    const { isStrict, losses, schema } = derived(target, given, true);
    expect(isStrict).toBe(false);
    expect(schema).toEqual(derived(target, given, false).schema);
    expect(losses).toContainEqual({
      field: 'strict',
      action: 'dropped',
      reason: expect.stringMatching(/^not strict here: /),
    });
  });
});
