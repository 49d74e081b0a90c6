import { describe, expect, test } from 'vitest';
import { readDocument } from '../../../src/mcp/openapi/document.ts';
import { toolsOfDocument } from '../../../src/mcp/openapi/tools.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { petstore } from '../../support/openapi-api.ts';

const OPTIONS = { clientName: 'pets', includeDeprecated: false };

const read = async (document: object | string, options = OPTIONS) =>
  toolsOfDocument(await readDocument(typeof document === 'string' ? document : JSON.stringify(document)), options);

const document = (paths: object, more: object = {}) => ({
  openapi: '3.1.0',
  info: { title: 't', version: '1' },
  paths,
  ...more,
});

const inputOf = async (given: object): Promise<JsonObject> => {
  const { tools } = await read(given);
  const input = tools[0]?.definition.inputSchema;
  return isObject(input) ? input : {};
};

test('operations become tools, named by their ids, or by method and path', async () => {
  const { tools } = await read(petstore('http://localhost'));
  expect(tools.map(({ name, operation }) => [name, operation.method, operation.path])).toEqual([
    ['pets_list', 'GET', '/pets'],
    ['createPet', 'POST', '/pets'],
    ['get_pets_petId', 'GET', '/pets/{petId}'],
    ['deletePet', 'DELETE', '/pets/{petId}'],
    ['photo', 'GET', '/pets/{petId}/photo'],
  ]);
});

test('an id of megabytes is cut before it is looked at', async () => {
  const operationId = `a${'-_'.repeat(1_000_000)}!b`;
  const { tools } = await read(document({ '/a': { get: { operationId, responses: {} } } }));
  expect(tools.map(({ name }) => name)).toEqual(['a']);
});

test('deprecated operations are tools only where that is asked for', async () => {
  const { tools } = await read(petstore('http://localhost'), { ...OPTIONS, includeDeprecated: true });
  expect(tools.find(({ name }) => name === 'old')?.definition.description).toMatch(/^Deprecated\./);
});

test('what no tool can stand for is told with the reason', async () => {
  const { unsupported } = await read(petstore('http://localhost'));
  expect(unsupported).toEqual([
    expect.objectContaining({ operation_id: 'upload', reason: expect.stringContaining('multipart/form-data') }),
    expect.objectContaining({ operation_id: 'remote', reason: expect.stringContaining('another document') }),
  ]);
});

test('TRACE is no tool: nothing can send it', async () => {
  const { tools, unsupported } = await read(document({ '/a': { trace: {}, head: {}, options: {} } }));
  expect(tools.map(({ name }) => name)).toEqual(['head_a', 'options_a']);
  expect(unsupported).toMatchObject([{ method: 'TRACE', reason: expect.stringContaining('cannot be sent') }]);
});

test('parameters of every place and the body stand in one schema', async () => {
  const { tools } = await read(petstore('http://localhost'));
  const [list, create, get] = tools.map(({ definition }) => definition);
  expect(list).toMatchObject({ title: 'Lists pets', description: 'Lists pets' });
  expect(list?.inputSchema).toEqual({
    type: 'object',
    properties: {
      limit: { type: 'integer', exclusiveMinimum: 0 },
      tags: { type: 'array', items: { type: 'string' } },
      ids: { type: 'array', items: { type: 'integer' } },
      where: { type: 'object' },
      'X-Trace': { type: 'string' },
      session: { type: 'string' },
    },
  });
  expect(create?.inputSchema).toEqual({
    type: 'object',
    properties: {
      body: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string' },
          nick: { type: ['string', 'null'] },
          kind: { type: 'string', enum: ['cat', 'dog'] },
        },
      },
    },
    required: ['body'],
  });
  expect(get).toMatchObject({
    description: 'One pet\n\nWith everything known of it.',
    inputSchema: { required: ['petId'] },
  });
});

test.each([
  ['get', { readOnlyHint: true, destructiveHint: false, idempotentHint: true }],
  ['post', { readOnlyHint: false, destructiveHint: false, idempotentHint: false }],
  ['put', { readOnlyHint: false, destructiveHint: true, idempotentHint: true }],
  ['patch', { readOnlyHint: false, destructiveHint: true, idempotentHint: false }],
  ['delete', { readOnlyHint: false, destructiveHint: true, idempotentHint: true }],
])('%s has the hints of its method', async (method, hints) => {
  const { tools } = await read(document({ '/a': { [method]: {} } }));
  expect(tools[0]?.definition.annotations).toEqual({ ...hints, openWorldHint: true });
});

describe('names', () => {
  test.each([
    ['getUser', 'getUser'],
    ['users/get-by id', 'users_get-by_id'],
    ['__private__', 'private'],
    ['größe', 'gr_e'],
  ])('%s becomes %s', async (operationId, name) => {
    const { tools } = await read(document({ '/a': { get: { operationId } } }));
    expect(tools.map((tool) => tool.name)).toEqual([name]);
  });

  test('two operations of one name are told apart, whatever the case', async () => {
    const paths = {
      '/a': { get: { operationId: 'x.y' } },
      '/b': { get: { operationId: 'x_y' } },
      '/c': { get: { operationId: 'X_Y' } },
    };
    expect((await read(document(paths))).tools.map(({ name }) => name)).toEqual(['x_y', 'x_y_2', 'X_Y_3']);
  });

  test('a long name is cut so that 64 characters hold it with its prefix', async () => {
    const operationId = 'a'.repeat(100);
    const { tools } = await read(document({ '/a': { get: { operationId } }, '/b': { get: { operationId } } }));
    expect(tools.map(({ name }) => `pets-${name}`.length)).toEqual([64, 64]);
    expect(new Set(tools.map(({ name }) => name)).size).toBe(2);
  });

  test('two parameters of one name, and one called body, keep apart', async () => {
    const parameters = [
      { name: 'id', in: 'path', required: true },
      { name: 'id', in: 'query' },
      { name: 'body', in: 'query' },
    ];
    const requestBody = { content: { 'application/json': {} } };
    const input = await inputOf(document({ '/a/{id}': { post: { parameters, requestBody } } }));
    expect(Object.keys(input.properties ?? {})).toEqual(['id', 'id_query', 'body', 'request_body']);
  });
});

describe('references', () => {
  const recursive = {
    components: {
      schemas: {
        Node: {
          type: 'object',
          properties: { value: { type: 'string' }, next: { $ref: '#/components/schemas/Node' } },
        },
        'a/b~c': { type: 'number' },
      },
    },
  };
  const posting = (schema: object) => ({
    '/a': { post: { requestBody: { content: { 'application/json': { schema } } } } },
  });

  test('a schema that holds itself stands in $defs', async () => {
    const input = await inputOf(document(posting({ $ref: '#/components/schemas/Node' }), recursive));
    expect(input).toEqual({
      type: 'object',
      properties: { body: { $ref: '#/$defs/Node' } },
      $defs: {
        Node: { type: 'object', properties: { value: { type: 'string' }, next: { $ref: '#/$defs/Node' } } },
      },
    });
  });

  test('names in references are unescaped', async () => {
    const input = await inputOf(document(posting({ $ref: '#/components/schemas/a~1b~0c' }), recursive));
    expect(input.properties).toEqual({ body: { type: 'number' } });
  });

  test('references in a circle, or to nothing, end and are told', async () => {
    const components = { schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } } };
    const circle = await read(document(posting({ $ref: '#/components/schemas/A' }), { components }));
    expect(circle.tools).toHaveLength(1);
    const parameters = [{ $ref: '#/components/parameters/P' }];
    const looping = { parameters: { P: { $ref: '#/components/parameters/P' } } };
    const loop = await read(document({ '/a': { get: { parameters } } }, { components: looping }));
    expect(loop.unsupported).toEqual([expect.objectContaining({ reason: 'references lead in a circle' })]);
    const nowhere = await read(document(posting({ $ref: '#/components/schemas/Missing' })));
    expect(nowhere.unsupported).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('not in the document') }),
    ]);
  });

  test('references that would multiply to millions stand once', async () => {
    const schemas: Record<string, object> = { L0: { type: 'string' } };
    for (let level = 1; level <= 30; level += 1) {
      const $ref = `#/components/schemas/L${level - 1}`;
      schemas[`L${level}`] = { type: 'object', properties: { left: { $ref }, right: { $ref } } };
    }
    const input = await inputOf(document(posting({ $ref: '#/components/schemas/L30' }), { components: { schemas } }));
    expect(JSON.stringify(input).length).toBeLessThan(10_000);
    expect(Object.keys(input.$defs ?? {})).toHaveLength(31);
  });

  test('what is too long together is left out at its far end, and every reference still leads to something', async () => {
    const schemas: Record<string, object> = {};
    for (let index = 0; index < 300; index += 1) {
      const next = { $ref: `#/components/schemas/S${(index + 1) % 300}` };
      schemas[`S${index}`] = { type: 'object', properties: { next, text: { description: 'x'.repeat(3_000) } } };
    }
    const paths = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`/b/${index}`, posting({ $ref: '#/components/schemas/S7' })['/a']]),
    );
    const { tools } = await read(document(paths, { components: { schemas } }));
    expect(tools).toHaveLength(1_000);
    expect(JSON.stringify(tools.map(({ definition }) => definition)).length).toBeLessThan(32 * 1024 * 1024);
    const input = tools[0]?.definition.inputSchema;
    const definitions = isObject(input) && isObject(input.$defs) ? input.$defs : {};
    expect(Object.keys(definitions)[0]).toBe('S7');
    const text = JSON.stringify(definitions);
    for (const [, name] of text.matchAll(/#\/\$defs\/(\w+)/g)) expect(definitions).toHaveProperty(String(name));
    expect(text).toContain('Left out here');
  });

  test('a chain of thousands of schemas is no deeper than one of two', async () => {
    const schemas: Record<string, object> = {};
    for (let index = 0; index < 20_000; index += 1) {
      schemas[`S${index}`] = { properties: { next: { $ref: `#/components/schemas/S${index + 1}` } } };
    }
    schemas.S20000 = { type: 'string' };
    const { tools } = await read(document(posting({ $ref: '#/components/schemas/S0' }), { components: { schemas } }));
    expect(tools).toHaveLength(1);
  });

  test('tools that would fill the memory are refused', async () => {
    const parameters = [{ name: 'a', in: 'query', schema: { enum: ['x'.repeat(5_000)] } }];
    const item = Object.fromEntries(
      ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'].map((method) => [method, {}]),
    );
    const paths = Object.fromEntries(Array.from({ length: 142 }, (_, index) => [`/${index}`, { parameters, ...item }]));
    expect((await read(document(paths))).tools).toHaveLength(994);
    parameters[0] = { name: 'a', in: 'query', schema: { enum: ['x'.repeat(36_000)] } };
    await expect(read(document(paths))).rejects.toThrow('more than 32 MiB');
  });

  test('a property called properties or $ref-like words is a property', async () => {
    const schema = {
      type: 'object',
      properties: { items: { type: 'string' }, example: { type: 'string' }, xml: { type: 'string' } },
    };
    expect(await inputOf(document(posting(schema)))).toMatchObject({ properties: { body: schema } });
  });
});

describe('documents', () => {
  test('YAML is read, with its anchors, and numbers as response codes', async () => {
    const yaml = `
openapi: 3.0.0
info: {title: Y, version: "1"}
paths:
  /a:
    get: &get
      operationId: first
      responses: {200: {description: ok}}
    post:
      <<: *get
      operationId: second
`;
    const { tools } = await read(yaml);
    expect(tools.map(({ name }) => name)).toEqual(['first', 'second']);
  });

  test('Swagger 2.0 is read: host, body, form and lists', async () => {
    const { tools, unsupported } = await read({
      swagger: '2.0',
      info: { title: 'S', version: '1' },
      host: 'api.example.com',
      basePath: '/v2',
      schemes: ['http', 'https'],
      paths: {
        '/a/{id}': {
          parameters: [{ name: 'id', in: 'path', required: true, type: 'integer' }, { $ref: '#/parameters/page' }],
          get: {
            operationId: 'a',
            parameters: [{ name: 'tags', in: 'query', type: 'array', items: { type: 'string' } }],
          },
          put: {
            operationId: 'b',
            parameters: [{ name: 'x', in: 'body', required: true, schema: { $ref: '#/definitions/X' } }],
          },
          post: {
            operationId: 'c',
            parameters: [{ name: 'color', in: 'formData', required: true, type: 'string' }],
          },
          patch: { operationId: 'd', parameters: [{ name: 'f', in: 'formData', type: 'file' }] },
        },
      },
      parameters: { page: { name: 'page', in: 'query', type: 'integer' } },
      definitions: { X: { type: 'object', properties: { n: { type: 'number' } } } },
    });
    expect(tools.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(tools[0]?.operation).toMatchObject({ servers: [{ url: 'https://api.example.com/v2' }] });
    expect(tools[0]?.operation.parameters.at(-1)).toMatchObject({ name: 'tags', style: 'form', explode: false });
    expect(tools[1]?.definition.inputSchema).toEqual({
      type: 'object',
      properties: {
        id: { type: 'integer' },
        page: { type: 'integer' },
        body: { type: 'object', properties: { n: { type: 'number' } } },
      },
      required: ['id', 'body'],
    });
    expect(tools[2]?.operation.body).toMatchObject({ encoding: 'form', required: true });
    expect(unsupported).toMatchObject([{ operation_id: 'd' }]);
  });

  test('1000 operations are tools, 1001 are refused', async () => {
    const many = (count: number) =>
      document(Object.fromEntries(Array.from({ length: count }, (_, index) => [`/p${index}`, { get: {} }])));
    expect((await read(many(1_000))).tools).toHaveLength(1_000);
    await expect(read(many(1_001))).rejects.toThrow('the document has 1001 operations, and at most 1000 can be tools');
  });

  test('a document of more than 5 MiB is refused', async () => {
    await expect(readDocument(' '.repeat(6 * 1024 * 1024))).rejects.toThrow('larger than 5 MiB');
  });

  test.each([
    ['', 'the document is empty'],
    ['{', 'it is not JSON'],
    ['a: [b', 'neither JSON nor YAML'],
    ['just text', 'the document is no object'],
    ['{"openapi":"4.0"}', 'neither "openapi": "3.x" nor "swagger": "2.0"'],
    ['{"hello":1}', 'neither "openapi": "3.x" nor "swagger": "2.0"'],
  ])('%j is refused with the reason', async (text, reason) => {
    await expect(readDocument(text)).rejects.toThrow(reason);
  });

  test('a few lines of YAML aliases that stand for gigabytes are refused', async () => {
    const lines = ['openapi: 3.0.0', 'a: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 10; level += 1) {
      lines.push(
        `b${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(',')}]`,
      );
    }
    await expect(readDocument(lines.join('\n'))).rejects.toThrow(/Excessive alias count/);
  });
});
