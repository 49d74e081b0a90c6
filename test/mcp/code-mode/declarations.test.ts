import { describe, expect, test } from 'vitest';
import { bindingLevelOf, fileListing, fileText, toolDocumentation } from '../../../src/mcp/code-mode/files.ts';
import { boundServers } from '../../../src/mcp/code-mode/names.ts';
import { typeText } from '../../../src/mcp/code-mode/type-text.ts';
import type { CatalogTool } from '../../../src/mcp/contract.ts';
import type { JsonObject } from '../../../src/model/json.ts';

const tool = (name: string, more: Partial<CatalogTool> = {}): CatalogTool => {
  const [clientName = '', upstreamName = ''] = [name.slice(0, name.indexOf('-')), name.slice(name.indexOf('-') + 1)];
  const inputSchema = more.inputSchema ?? { type: 'object', properties: {} };
  const definition = { name: upstreamName, inputSchema };
  return {
    name,
    clientId: clientName,
    clientName,
    upstreamName,
    definition,
    annotations: {},
    autoExecute: true,
    ...more,
    inputSchema,
  };
};

const TOOLS = [
  tool('GitHub-create-issue', {
    description: 'Creates an issue. It can have labels.\nAnd much more.',
    inputSchema: {
      type: 'object',
      properties: {
        labels: { type: 'array', items: { type: 'string' } },
        title: { type: 'string', description: 'The title' },
      },
      required: ['title'],
    },
    autoExecute: false,
  }),
  tool('GitHub-list', { description: 'x'.repeat(200) }),
  tool('db-delete', {
    definition: { outputSchema: { type: 'object', properties: { rows: { type: 'integer' } }, required: ['rows'] } },
  }),
];

describe('types', () => {
  test.each<[JsonObject, string]>([
    [{ type: 'string' }, 'string'],
    [{ type: 'integer' }, 'number'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ enum: ['a', 1, null] }, '"a" | 1 | null'],
    [{ const: true }, 'true'],
    [{ type: 'array', items: { type: ['string', 'number'] } }, '(string | number)[]'],
    [{ type: 'array' }, 'any[]'],
    [{ type: 'array', prefixItems: [{ type: 'string' }, {}] }, '[string, any]'],
    [
      { type: 'object', properties: { b: {}, 'a-b': { type: 'boolean' } }, required: ['a-b'] },
      '{ "a-b": boolean; b?: any }',
    ],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    [{ anyOf: [{ type: 'string' }, { type: 'object', properties: { a: {} } }] }, 'string | { a?: any }'],
    [
      {
        allOf: [
          { type: 'object', properties: { a: {} } },
          { type: 'object', properties: { b: {} } },
        ],
      },
      '{ a?: any } & { b?: any }',
    ],
    [
      { $ref: '#/$defs/node', $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } } },
      '{ next?: any }',
    ],
    [{ $ref: 'https://elsewhere.example/x' }, 'any'],
    [{ enum: Array.from({ length: 100 }, (_, index) => `v${index}`) }, 'string'],
    [{}, 'any'],
  ])('%j is %s', (schema, type) => {
    expect(typeText(schema)).toBe(type);
  });
});

describe('virtual files', () => {
  test('one file holds a server, on a line for each tool', () => {
    expect(fileListing(TOOLS, 'server')).toBe('servers/GitHub.d.ts\nservers/db.d.ts');
    expect(fileText('servers/GitHub.d.ts', {}, TOOLS, 'server').split('\n').slice(4)).toEqual([
      'declare const GitHub: {',
      '  create_issue(input: { title: string; labels?: string[] }): Promise<any>; // Creates an issue.',
      `  list(input?: Record<string, any>): Promise<any>; // ${'x'.repeat(79)}…`,
      '};',
    ]);
    expect(fileText('db', {}, TOOLS, 'server')).toContain(
      'delete(input?: Record<string, any>): Promise<{ rows: number }>;',
    );
  });

  test('or one file holds one tool', () => {
    expect(bindingLevelOf('tool')).toBe('tool');
    expect(bindingLevelOf('whatever')).toBe('server');
    expect(fileListing(TOOLS, 'tool')).toBe(
      'servers/GitHub/create-issue.d.ts\nservers/GitHub/list.d.ts\nservers/db/delete.d.ts',
    );
    const text = fileText('servers/GitHub/create-issue.d.ts', {}, TOOLS, 'tool');
    expect(text).toContain('create_issue(');
    expect(text).not.toContain('list(');
  });

  test.each(['servers/github.d.ts', 'GITHUB', 'github.pyi', '/servers/GitHub.ts', './servers/GitHub.d.ts'])(
    '%s leads to the file',
    (name) => {
      expect(fileText(name, {}, TOOLS, 'server')).toBe(fileText('servers/GitHub.d.ts', {}, TOOLS, 'server'));
    },
  );

  test('lines are clamped, and the first line says which there are', () => {
    const whole = fileText('db', {}, TOOLS, 'server').split('\n');
    expect(whole[0]).toBe('// Total lines: 6 (this is the complete file, no need to paginate)');
    expect(fileText('db', { startLine: 5, endLine: 99 }, TOOLS, 'server').split('\n')).toEqual([
      '// Total lines: 6 (lines 5 to 6 are shown)',
      ...whole.slice(5),
    ]);
    expect(fileText('db', { startLine: -3, endLine: 0 }, TOOLS, 'server').split('\n')).toHaveLength(2);
  });

  test.each([
    ['../../etc/passwd', /must not contain "\.\."/],
    ['servers/nobody.d.ts', /There is no file "servers\/nobody\.d\.ts"[\s\S]*servers\/db\/delete\.d\.ts/],
    ['db/nothing', /There is no file/],
    ['db/delete/more', /There is no file/],
  ])('%s is told what there is', (name, text) => {
    expect(fileText(name, {}, TOOLS, 'tool')).toMatch(text);
  });

  test('nothing connected is told as such', () => {
    expect(fileListing([], 'server')).toMatch(/^No servers are connected/);
  });

  test('documentation holds everything, and names that lead nowhere are told what there is', () => {
    expect(toolDocumentation('github', 'create_issue', TOOLS)).toMatch(
      /And much more\.[\s\S]*must be allowed[\s\S]*title \(string, required\): The title[\s\S]*await GitHub\.create_issue\(\{ title: "\.\.\." \}\)/,
    );
    expect(toolDocumentation('GitHub', 'GitHub-create-issue', TOOLS)).toContain('create_issue');
    expect(toolDocumentation('x', 'y', TOOLS)).toBe('There is no server "x". These are the servers: GitHub, db');
    expect(toolDocumentation('db', 'y', TOOLS)).toBe('Server "db" has no tool "y". These are its tools: delete');
  });

  test('H9 the same tools give the same text, remembered', () => {
    const again = TOOLS.map((each) => ({ ...each }));
    expect(fileText('GitHub', {}, again, 'server')).toBe(fileText('GitHub', {}, TOOLS, 'server'));
    expect(boundServers(TOOLS)).toBe(boundServers(TOOLS));
  });
});

describe('names in scripts', () => {
  test('no two are the same, and no word of the language is hidden', () => {
    const tools = ['a-read-file', 'a-read_file', 'a-Read_File', 'a-1st', 'Math-x', 'delete-x', 'café.x-y'].map((name) =>
      tool(name),
    );
    const shown = boundServers(tools).map(({ name, aliases, tools: own }) => [
      name,
      aliases,
      own.map((each) => [each.name, ...each.aliases]),
    ]);
    expect(shown).toEqual([
      ['a', [], [['read_file', 'read-file'], ['read_file_2'], ['Read_File'], ['_1st', '1st']]],
      ['Math_', ['math_'], [['x']]],
      ['delete_', [], [['x']]],
      ['café_x', [], [['y']]],
    ]);
  });
});
