import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv-provider.js';
import { describe, expect, test } from 'vitest';
import { type ResultLimitsConfig, resultLimits } from '../../../src/config/tool-safety-section.ts';
import type { CatalogTool, ToolCallRequest, ToolResult } from '../../../src/mcp/contract.ts';
import type { Peer } from '../../../src/mcp/peer.ts';
import { LargeResults } from '../../../src/mcp/results/large-results.ts';
import type { Caller } from '../../../src/model/call.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { nobody } from '../../support/mcp-clients.ts';

const TOOL: CatalogTool = {
  name: 'ref-big',
  clientId: 'ref-id',
  clientName: 'ref',
  upstreamName: 'big',
  inputSchema: { type: 'object', properties: {} },
  definition: { name: 'big' },
  annotations: {},
  autoExecute: true,
};

interface Made {
  readonly results: LargeResults;
  tick(ms: number): void;
}

function made(
  rules: Record<string, unknown> = {},
  client?: Parameters<typeof resultLimits.parse>[0],
  definition: JsonObject = {},
): Made {
  let nowMs = 0;
  const tool = { ...TOOL, definition: { ...TOOL.definition, ...definition } };
  const results = new LargeResults({
    rules: resultLimits.parse({ max_tokens: 100, preview_bytes: 40, ...rules }),
    limitsOf: () => client as ReturnType<ConstructorParameters<typeof LargeResults>[0]['limitsOf']>,
    catalog: () => ({ version: 1, tools: [tool], byName: new Map([[tool.name, tool]]) }),
    now: () => nowMs,
  });
  return {
    results,
    tick: (ms) => {
      nowMs += ms;
    },
  };
}

const text = (value: string): ToolResult => ({ content: [{ type: 'text', text: value }] });
const texts = (result: ToolResult): string =>
  result.content.map((block) => String(block.text ?? block.type)).join('\n');
const handleIn = (result: ToolResult): string => /res_[\w-]+/.exec(texts(result))?.[0] ?? '';
const numbered = (count: number): string =>
  Array.from({ length: count }, (_, at) => `line number ${at + 1}`).join('\n');
const peer: Peer = {
  capabilities: {},
  identity: {},
  hasSession: true,
  ask: () => Promise.reject(new Error('not asked')),
  tell: () => {},
};
const call = (more: Partial<Pick<ToolCallRequest, 'name' | 'caller' | 'peer'>> = {}) => ({
  name: 'ref-big',
  caller: nobody,
  ...more,
});
const team = (virtualKey: string): Caller => ({ ...nobody, virtualKey });

describe('H8 a result that is too large', () => {
  test('becomes its beginning and a handle, and is read by pages and searched', async () => {
    const { results } = made();
    const shown = await results.shown(call(), text(numbered(1_000)));
    expect(texts(shown)).toMatch(
      /^\[Too large to be shown whole: 15892 characters \(about 3973 tokens\)\. It is kept for 30 minutes as "res_[\w-]{16}", 1000 lines: .*readResult.*grepResult.*\]\nline number 1\nline number 2\nline number $/s,
    );
    const handle = handleIn(shown);
    expect(shown._meta).toEqual({
      'bifrost/result': { handle, uri: `bifrost-result://${handle}`, characters: 15_892, lines: 1_000 },
    });
    const read = async (input: JsonObject) => texts(await results.read('readResult', { handle, ...input }, nobody));
    expect(await read({ offset: 500, limit: 2 })).toBe(
      '[Lines 500 to 501 of 1000. Go on with {"offset": 502}.]\nline number 500\nline number 501',
    );
    expect(await read({ offset: -1 })).toBe('[Lines 1000 to 1000 of 1000. That is the end.]\nline number 1000');
    expect(await read({ offset: 2_000 })).toBe('There is no line 2000: the result has 1000 lines.');
    // a page has a limit of its own
    expect(await read({ limit: 1_000 })).toMatch(/^\[Lines 1 to 1\d of 1000\. Go on/);
    const found = async (input: JsonObject) => texts(await results.read('grepResult', { handle, ...input }, nobody));
    expect(await found({ pattern: 'number 99', context: 0 })).toMatch(
      /^\[Matches 1 to 10 of 11\. Go on with {"skip": 10}\.\]\n99: line number 99\n--\n990: /,
    );
    expect(await found({ pattern: '^line number 5$', context: 1 })).toBe(
      '[Matches 1 to 1 of 1.]\n4- line number 4\n5: line number 5\n6- line number 6',
    );
    expect(await found({ pattern: 'nothing' })).toBe('[No line matches: 1000 lines were searched.]');
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown> | undefined, string, boolean]>([
    ['that fits', {}, undefined, 'x'.repeat(400), false],
    ['one byte over', {}, undefined, 'x'.repeat(401), true],
    ['in bytes, not letters', {}, undefined, '語'.repeat(134), true],
    ['that fits in bytes', {}, undefined, '語'.repeat(133), false],
    ['by max_bytes', { max_tokens: 0, max_bytes: 10 }, undefined, 'x'.repeat(11), true],
    ['without limits', { max_tokens: 0 }, undefined, 'x'.repeat(1_000_000), false],
    ['switched off', { enabled: false }, undefined, 'x'.repeat(1_000_000), false],
    ['switched off for the client', {}, { enabled: false, tools: {} }, 'x'.repeat(1_000), false],
    ['larger for the client', {}, { max_tokens: 1_000, tools: {} }, 'x'.repeat(1_000), false],
    ['smaller for the tool', {}, { max_tokens: 1_000, tools: { big: { max_tokens: 10 } } }, 'x'.repeat(100), true],
    ['with limits for another tool', {}, { tools: { small: { max_tokens: 10 } } }, 'x'.repeat(100), false],
  ])('%s', async (_, rules, client, value, isCut) => {
    const { results } = made(rules, client);
    const result = text(value);
    const shown = await results.shown(call(), result);
    expect(shown !== result).toBe(isCut);
    expect(results.offersReaders(nobody)).toBe(isCut);
  });

  test('at the address of one server nothing is changed', () => {
    const result = text('x'.repeat(1_000));
    expect(made().results.shown(call({ peer: { ...peer, scope: 'ref' } }), result)).toBe(result);
  });

  test('as one line of JSON it is written out, and other long lines are broken, so that pages have an end', async () => {
    const { results } = made();
    const list = JSON.stringify(Array.from({ length: 300 }, (_, id) => ({ id })));
    const json = handleIn(await results.shown(call(), text(list)));
    const found = await results.read('grepResult', { handle: json, pattern: '"id": 299', context: 0 }, nobody);
    expect(texts(found)).toBe('[Matches 1 to 1 of 1.]\n900:   "id": 299');
    const flat = handleIn(await results.shown(call(), text('x'.repeat(5_000_000))));
    expect(texts(await results.read('readResult', { handle: flat, offset: 2_500 }, nobody))).toMatch(
      /^\[Lines 2500 to 2500 of 2500\. That is the end\.\]\nx{2000}$/,
    );
  });

  test('of several blocks keeps what is no text, and counts media', async () => {
    const { results } = made({ max_media_bytes: 100 });
    const image = (length: number): JsonObject => ({ type: 'image', mimeType: 'image/png', data: 'A'.repeat(length) });
    const link = { type: 'resource_link', uri: 'file:///a', name: 'a' };
    const shown = await results.shown(call(), {
      content: [
        { type: 'text', text: numbered(100) },
        image(60),
        image(60),
        link,
        { type: 'resource', resource: { uri: 'file:///b', text: 'tail' } },
      ],
    });
    expect(shown.content).toEqual([
      { type: 'text', text: expect.stringMatching(/^\[Too large/) },
      image(60),
      { type: 'text', text: expect.stringMatching(/^\[image\/png left out by the gateway: 60 bytes of base64/) },
      link,
    ]);
    const handle = handleIn(shown);
    expect(texts(await results.read('readResult', { handle, offset: -1 }, nobody))).toContain('tail');
    const only = await results.shown(call(), { content: [{ type: 'text', text: 'a' }, image(101)] });
    expect(texts(only)).toMatch(/^a\n\[image\/png left out/);
  });

  test('of a caller without a key, who says who it is, is nobody else’s either', async () => {
    const { results } = made();
    const [ada, bob] = ['ada', 'bob'].map((mcpSessionId): Caller => ({ ...nobody, mcpSessionId }));
    const handle = handleIn(await results.shown(call({ caller: ada ?? nobody }), text(numbered(100))));
    expect(texts(await results.read('readResult', { handle }, ada ?? nobody))).toContain('1');
    for (const other of [bob ?? nobody, nobody]) {
      await expect(results.read('readResult', { handle }, other)).rejects.toMatchObject({ kind: 'not-found' });
    }
  });

  test('is somebody else’s secret, and gone after a while', async () => {
    const { results, tick } = made();
    const handle = handleIn(await results.shown(call({ caller: team('a') }), text(numbered(100))));
    const read = (caller: Caller) => results.read('readResult', { handle }, caller);
    await expect(read(team('b'))).rejects.toMatchObject({ kind: 'not-found' });
    await expect(read(nobody)).rejects.toMatchObject({ kind: 'not-found' });
    expect([results.offersReaders(team('a')), results.offersReaders(team('b'))]).toEqual([true, false]);
    tick(20 * 60_000);
    await read(team('a'));
    tick(20 * 60_000);
    await read(team('a'));
    tick(31 * 60_000);
    await expect(read(team('a'))).rejects.toMatchObject({ message: expect.stringMatching(/call the tool again/) });
    expect(results.offersReaders(team('a'))).toBe(false);
  });

  test('makes room by giving up the longest unused one, first of its own caller', async () => {
    const { results } = made({ max_kept_bytes_per_caller: 20_000, max_kept_bytes: 40_000 });
    // random, so that it does not grow smaller when it is kept
    const noise = () =>
      Buffer.from(Array.from({ length: 6_000 }, () => Math.floor(Math.random() * 256))).toString('base64');
    const keep = async (owner: string) => handleIn(await results.shown(call({ caller: team(owner) }), text(noise())));
    const has = (owner: string, handle: string) =>
      results.read('readResult', { handle }, team(owner)).then(
        () => true,
        () => false,
      );
    const first = await keep('a');
    const other = await keep('b');
    const second = await keep('a');
    const third = await keep('a');
    expect([await has('a', first), await has('b', other), await has('a', second), await has('a', third)]).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  test('is only cut where readers are never offered', async () => {
    const { results } = made({ reader_tools: 'never' });
    const shown = await results.shown(call(), text(numbered(100)));
    expect(texts(shown)).toMatch(/Ask for a smaller part/);
    expect(shown._meta).toBeUndefined();
    expect(results.offersReaders(nobody)).toBe(false);
  });
});

describe('G19 structured content that is too large', () => {
  const outputSchema: JsonObject = {
    type: 'object',
    properties: {
      rows: { type: 'array', items: { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] } },
    },
    required: ['rows'],
    additionalProperties: false,
  };
  const rows = (count: number): JsonObject => ({
    rows: Array.from({ length: count }, (_, id) => ({ id, note: 'x'.repeat(50) })),
  });
  const result = (structure: JsonObject, isError?: boolean): ToolResult => ({
    content: [{ type: 'text', text: JSON.stringify(structure) }],
    structuredContent: structure,
    ...(isError && { isError }),
  });
  const accepts = (schema: JsonObject, { structuredContent, isError }: ToolResult): boolean =>
    isError === true ||
    (structuredContent !== undefined && new AjvJsonSchemaValidator().getValidator(schema)(structuredContent).valid);

  test.each<[string, JsonObject, JsonObject, boolean]>([
    ['is less of the same shape', outputSchema, rows(100), false],
    [
      'with long texts',
      { type: 'object', properties: { page: { type: 'string' } }, required: ['page'] },
      { page: 'x'.repeat(10_000) },
      false,
    ],
    [
      'that cannot be less is an error, which nobody validates',
      { ...outputSchema, properties: { rows: { type: 'array', minItems: 60 } } },
      rows(100),
      true,
    ],
  ])('%s', async (_, schema, structure, isError) => {
    const { results } = made({}, undefined, { outputSchema: schema });
    const shown = await results.shown(call({ peer }), result(structure));
    expect(accepts(schema, shown)).toBe(true);
    expect(shown.isError ?? false).toBe(isError);
    expect(JSON.stringify(shown).length).toBeLessThan(1_500);
    expect(texts(shown)).toMatch(/^\[Too large/);
    expect(texts(await results.read('readResult', { handle: handleIn(shown) }, nobody))).toMatch(/^\[Lines 1 to/);
  });

  test('without an output schema, or for a model, is left out', async () => {
    for (const [definition, peers] of [
      [{}, { peer }],
      [{ outputSchema }, {}],
    ] as const) {
      const shown = await made({}, undefined, definition).results.shown(call(peers), result(rows(100)));
      expect(shown.structuredContent).toBeUndefined();
      expect(shown.isError).toBeUndefined();
    }
  });

  test('of an error stays an error without it', async () => {
    const shown = await made({}, undefined, { outputSchema }).results.shown(call({ peer }), result(rows(100), true));
    expect(shown).toMatchObject({ isError: true });
    expect(shown.structuredContent).toBeUndefined();
  });

  test('beside a short text is kept whole under the handle, and the text stays', async () => {
    const { results } = made({}, undefined, { outputSchema });
    const shown = await results.shown(call({ peer }), {
      content: [{ type: 'text', text: '100 rows' }],
      structuredContent: rows(100),
    });
    expect(texts(shown)).toMatch(/^\[Too large[\s\S]*100 rows$/);
    expect(texts(await results.read('grepResult', { handle: handleIn(shown), pattern: '"id": 99' }, nobody))).toContain(
      '99',
    );
  });
});

describe('a pattern', () => {
  const search = async (value: string, input: JsonObject) => {
    const { results } = made();
    const handle = handleIn(await results.shown(call(), text(value)));
    return results.read('grepResult', { handle, ...input }, nobody).then(texts);
  };
  const lines = `${numbered(100)}\nError: the (first) thing\nerror again`;

  test.each<[string, JsonObject, RegExp]>([
    ['text', { pattern: 'Error:', context: 0 }, /^\[Matches 1 to 1 of 1\.\]\n101: Error: the \(first\) thing$/],
    ['text whatever its case', { pattern: 'error', ignore_case: true, context: 0 }, /of 2\.\]\n101: .*\n102: /],
    ['an expression', { pattern: '^(Error|error)\\b', context: 0 }, /of 2\.\]/],
    ['an expression whatever its case', { pattern: '^ERROR.*ing$', ignore_case: true }, /of 1\.\]/],
    ['an escape that needs none', { pattern: 'the \\(first\\) \\thing|\\-x|\\_', context: 0 }, /No line matches/],
    ['a later part', { pattern: 'number 1', skip: 10, context: 0 }, /^\[Matches 11 to 12 of 12\.\]\n19: .*\n--\n100: /],
    [
      'matches beside each other',
      { pattern: 'number 10', context: 3 },
      /10: line number 10\n[\s\S]*--\n97- .*\n98- .*\n99- .*\n100: line/,
    ],
  ])('%s', async (_, input, told) => {
    expect(await search(lines, input)).toMatch(told);
  });

  test.each<[string, JsonObject, RegExp]>([
    ['that is none', { pattern: '(unclosed' }, /pattern is no regular expression/],
    ['that is empty', { pattern: '' }, /pattern is empty/],
    ['that is no text', { pattern: 5 }, /must be a text/],
    ['that would run for ever', { pattern: '^(x+x+)+y$' }, /took longer than 2000 ms/],
  ])('%s is refused with advice', async (_, input, told) => {
    await expect(search(`${'x'.repeat(1_500)}\n${numbered(50)}`, input)).rejects.toThrow(told);
  });

  test('that runs for long holds up nobody', async () => {
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 10);
    await search(`${'x'.repeat(1_500)}`, { pattern: '^(x+x+)+y$' }).catch(() => {});
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(50);
  });
});

test('what fits costs no copy: the very same result, without a promise', () => {
  const { results } = made({ max_tokens: 25_000 } satisfies Partial<ResultLimitsConfig>);
  const result = { ...text('small'), structuredContent: { a: [1, 2, 3] } };
  expect(results.shown(call(), result)).toBe(result);
});
