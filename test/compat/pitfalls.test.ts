import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Codec } from '../../src/codecs/codec.ts';
import { codecs } from '../../src/codecs/index.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import type { Tool } from '../../src/model/request.ts';
import { appended } from '../../src/model/request.ts';
import { requestOf } from '../codecs/requests.ts';
import { shared, sharedPath } from '../support/shared.ts';

const chat = codecs['openai-chat'];
const messages = codecs['anthropic-messages'];
const TARGET = { model: 'm', stream: false };

const SEARCH: Tool = {
  type: 'function',
  name: 'files-search',
  owner: 'gateway',
  inputSchema: { type: 'object', properties: {} },
};

/** A body in the Messages format with as many cache marks as the API takes. */
const MARKED: JsonObject = {
  model: 'm',
  max_tokens: 100,
  system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  tools: [{ name: 'look', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral', ttl: '1h' } }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'one', cache_control: { type: 'ephemeral' } }] },
    { role: 'assistant', content: 'two' },
    { role: 'user', content: [{ type: 'text', text: 'three', cache_control: { type: 'ephemeral' } }] },
  ],
};

/** Every cache mark of a body in order, with the text or the name that it stands beside. */
function marksIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(marksIn);
  if (!isObject(value)) return [];
  const { cache_control: mark, text, name } = value;
  const here = isObject(mark) ? [`${text ?? name}: ${mark.ttl ?? mark.type}`] : [];
  return [...here, ...Object.values(value).flatMap(marksIn)];
}

const withOurTool = (codec: Codec, body: JsonObject): JsonObject =>
  codec.encodeRequest(appended(requestOf(codec, body), { tools: [SEARCH] }), TARGET).body;

describe('cache marks', () => {
  test('F5 F7 survive beside tools of ours, each in its place and with its duration', () => {
    const body = withOurTool(messages, MARKED);
    expect(marksIn([body.system, body.tools, body.messages])).toEqual([
      'Be brief.: 1h',
      'look: 1h',
      'one: ephemeral',
      'three: ephemeral',
    ]);
  });

  test('F5 of a chat client reach a provider that has them', () => {
    const part = (text: string) => ({ type: 'text', text, cache_control: { type: 'ephemeral' } });
    const asked = requestOf(chat, {
      model: 'm',
      messages: [{ role: 'user', content: [part('long'), part('longer')] }],
    });
    expect(marksIn(messages.encodeRequest(asked, TARGET).body)).toEqual(['long: ephemeral', 'longer: ephemeral']);
  });

  test('F5 the same conversation, one turn longer, begins with the same bytes', () => {
    const turns = Array.isArray(MARKED.messages) ? MARKED.messages : [];
    const more = [...turns, { role: 'assistant', content: 'four' }, { role: 'user', content: 'five' }];
    const before = JSON.stringify(withOurTool(messages, MARKED).messages).slice(0, -1);
    const after = JSON.stringify(withOurTool(messages, { ...MARKED, messages: more }).messages);
    expect(after.startsWith(before)).toBe(true);
  });

  test("F6 are the client's alone: with four of them there, none is added", () => {
    expect(marksIn(withOurTool(messages, MARKED))).toHaveLength(4);
  });
});

const UNION = { oneOf: [{ type: 'string' }, { type: 'object', properties: { a: { type: 'number' } } }] };

test.each([chat, messages, codecs['openai-responses']])('A9 a union of types stays one for $id', (codec) => {
  const schema = { type: 'object' as const, properties: { value: UNION } };
  const tool: Tool = { type: 'function', name: 'put', owner: 'client', inputSchema: schema };
  const asked = appended(requestOf(chat, { model: 'm', messages: [{ role: 'user', content: 'x' }] }), {
    tools: [tool],
  });
  expect(JSON.stringify(codec.encodeRequest({ ...asked, raw: undefined }, TARGET).body)).toContain(
    JSON.stringify(UNION),
  );
});

const ID = /[A-J]\d+/g;
const HERE = resolve(import.meta.dirname, '..');

/** The ids at the beginning of any test's name. */
function provenRows(): Set<string> {
  const files = readdirSync(HERE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const texts = files.map((file) => readFileSync(resolve(HERE, file), 'utf8'));
  const names = texts.flatMap((text) => text.match(/['"`](?:[A-J]\d+ )+/g) ?? []);
  return new Set(names.flatMap((name) => name.match(ID) ?? []));
}

const table = readFileSync(resolve(HERE, '../docs/pitfalls.md'), 'utf8');
const explained = [...table.matchAll(/^\| ((?:[A-J]\d+ ?)+) \|/gm)].flatMap(([, ids = '']) => ids.match(ID) ?? []);

describe('the table of rows that no test names', () => {
  test('gives a reason for each', () => {
    const rows = table.split('\n').filter((line) => /^\| [A-J]\d/.test(line));
    expect(explained.length).toBeGreaterThan(10);
    expect(rows.filter((row) => (row.split('|')[3] ?? '').trim().length < 10)).toEqual([]);
  });

  test('holds no row that a test names by now', () => {
    const proven = provenRows();
    expect(explained.filter((id) => proven.has(id))).toEqual([]);
  });

  test('is not needed for most rows of MCP and the loop', () => {
    const count = (rows: Iterable<string>) => [...rows].filter((id) => /^[GHI]\d/.test(id)).length;
    expect(count(provenRows())).toBeGreaterThanOrEqual(38);
    expect(count(explained)).toBeLessThanOrEqual(1);
  });

  describe.runIf(shared)('beside the list of pitfalls', () => {
    const rows = shared ? readFileSync(sharedPath('design/pitfalls.md'), 'utf8') : '';
    const all = [...rows.matchAll(/^\| ([A-J]\d+)( ★)? \|/gm)];

    test('every starred row is a test or explained, and so is every other', () => {
      const known = new Set([...provenRows(), ...explained]);
      expect(all.filter(([, , star]) => star).length).toBeGreaterThan(50);
      expect(all.map(([, id = '']) => id).filter((id) => !known.has(id))).toEqual([]);
    });
  });
});
