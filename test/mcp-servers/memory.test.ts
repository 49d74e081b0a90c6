import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeArgumentsOf, type ServerProcess, startServer } from './server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'memory-'));
const file = join(folder, 'new', 'memory.db');

let server: ServerProcess;
let other: ServerProcess;
beforeAll(async () => {
  // At the same time on one new file: both must come up.
  [server, other] = await Promise.all([startServer('memory', [file]), startServer('memory', [file])]);
});
afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
  rmSync(folder, { recursive: true });
});

const remember = (...entities: object[]) => server.dataOf('remember', { entities });
const namesOf = (data: Record<string, unknown>, list = 'entities') =>
  (data[list] as { name: string }[]).map(({ name }) => name);

describe('remember', () => {
  test('makes entities, adds what is new to known ones, and says which', async () => {
    expect(
      await remember({ name: 'Ada', type: 'person', observations: ['likes tea', 'likes tea'] }, { name: 'Acme' }),
    ).toEqual({
      created: ['Ada', 'Acme'],
      updated: [],
      unchanged: [],
      observationsAdded: 1,
    });
    expect(await remember({ name: 'ADA', observations: ['likes tea', 'plays chess'] }, { name: 'Acme' })).toEqual({
      created: [],
      updated: ['ADA'],
      unchanged: ['Acme'],
      observationsAdded: 1,
    });
    expect(await server.dataOf('get_entity', { name: 'ada' })).toMatchObject({
      name: 'Ada',
      type: 'person',
      observations: ['likes tea', 'plays chess'],
      relations: [],
    });
  });

  test('changes a type that is given and keeps the rest', async () => {
    await remember({ name: 'Acme', type: 'company' });
    expect(await server.dataOf('get_entity', { name: 'Acme' })).toMatchObject({ type: 'company' });
  });

  test('refuses empty names and facts', async () => {
    expect(await server.errorOf('remember', { entities: [{ name: ' ' }] })).toContain('name');
    expect(await server.errorOf('remember', { entities: [{ name: 'x', observations: [''] }] })).toContain(
      'observations',
    );
  });
});

describe('relate', () => {
  test('joins known entities, once', async () => {
    const relations = [{ from: 'ada', type: 'works at', to: 'acme' }];
    expect(await server.dataOf('relate', { relations })).toEqual({ added: 1, known: 0 });
    expect(await server.dataOf('relate', { relations })).toEqual({ added: 0, known: 1 });
    const expected = [{ from: 'Ada', type: 'works at', to: 'Acme' }];
    expect((await server.dataOf('get_entity', { name: 'Ada' })).relations).toEqual(expected);
    expect((await server.dataOf('get_entity', { name: 'Acme' })).relations).toEqual(expected);
  });

  test('stores none when an entity is unknown, and names it', async () => {
    const relations = [
      { from: 'Acme', type: 'employs', to: 'Ada' },
      { from: 'Ada', type: 'knows', to: 'Nobody' },
    ];
    expect(await server.errorOf('relate', { relations })).toContain("Not remembered yet: 'Nobody'");
    expect((await server.dataOf('get_entity', { name: 'Ada' })).relations).toHaveLength(1);
  });
});

describe('recall', () => {
  beforeAll(async () => {
    await remember(
      { name: 'Zürich office', type: 'place', observations: ['opened in 2019', '東京タワーは赤い'] },
      { name: 'Bob', type: 'person', observations: ['works from the Zurich office', 'is allergic to peanuts'] },
      { name: 'Carol', type: 'person' },
    );
    await server.dataOf('relate', {
      relations: [
        { from: 'Bob', type: 'sits in', to: 'Zürich office' },
        { from: 'Carol', type: 'manages', to: 'Bob' },
      ],
    });
  });

  test('finds words in names and facts, the name first, accents or not', async () => {
    const found = await server.dataOf('recall', { query: 'zurich', depth: 0 });
    expect(namesOf(found)).toEqual(['Zürich office', 'Bob']);
    expect(found.neighbours).toEqual([]);
  });

  test.each([
    ['opening', 'Zürich office'],
    ['who is allergic?', 'Bob'],
    ['pean', 'Bob'],
    ['東京タワー', 'Zürich office'],
    ['タワー', 'Zürich office'],
    ['"peanuts" AND (', 'Bob'],
    ["peanuts'; DROP TABLE entities; --", 'Bob'],
  ])('%j finds %s', async (query, name) => {
    expect(namesOf(await server.dataOf('recall', { query }))).toContain(name);
  });

  test('gives what is related, as far as it is asked', async () => {
    const near = await server.dataOf('recall', { query: 'opened' });
    expect(near.neighbours).toEqual([{ name: 'Bob', type: 'person', distance: 1 }]);
    const far = await server.dataOf('recall', { query: 'opened', depth: 2 });
    expect(namesOf(far, 'neighbours')).toEqual(['Bob', 'Carol']);
  });

  test('says so when nothing is known', async () => {
    expect(await server.textOf('recall', { query: 'xyzzy' })).toContain('Nothing is remembered about this');
    expect(await server.textOf('recall', { query: '?!' })).toContain('Nothing is remembered about this');
  });
});

describe('looking through', () => {
  test('lists entities page by page', async () => {
    await remember(...Array.from({ length: 5 }, (_, index) => ({ name: `page ${index}`, type: 'numbered' })));
    const first = await server.dataOf('list_entities', { type: 'Numbered', limit: 3 });
    expect(first).toMatchObject({ total: 5, next: 'page 2' });
    const second = await server.dataOf('list_entities', { type: 'numbered', limit: 3, after: first.next });
    expect([...namesOf(first), ...namesOf(second)]).toEqual(['page 0', 'page 1', 'page 2', 'page 3', 'page 4']);
    expect(second.next).toBeUndefined();
    expect(await server.textOf('list_entities', { limit: 1 })).toContain("for more list after 'Acme'");
  });

  test('an unknown name is answered with names that are alike', async () => {
    expect(await server.errorOf('get_entity', { name: 'zürich' })).toContain("Did you mean 'Zürich office'?");
    expect(await server.errorOf('get_entity', { name: 'qqq' })).toContain('recall or list_entities');
  });

  test('counts what there is', async () => {
    const stats = await server.dataOf('memory_stats');
    expect(stats.entities).toBe(10);
    expect(stats.types).toContainEqual({ type: 'numbered', entities: 5 });
  });
});

describe('forget', () => {
  test('removes one fact, one relation, or an entity with all of it', async () => {
    await remember({ name: 'Temp', observations: ['first fact', 'second fact'] });
    await server.dataOf('relate', { relations: [{ from: 'Temp', type: 'near', to: 'Ada' }] });
    const fact = { entity: 'temp', observation: 'first fact' };
    expect(await server.dataOf('forget', fact)).toEqual({ entities: 0, observations: 1, relations: 0 });
    expect(await server.errorOf('forget', fact)).toContain('no such observation');
    expect(namesOf(await server.dataOf('recall', { query: 'first fact', depth: 0 }))).toEqual(['Temp']);
    expect(await server.textOf('recall', { query: 'first' })).toContain('Nothing is remembered');
    const relation = { entity: 'Temp', relation: { type: 'near', to: 'ada' } };
    expect(await server.dataOf('forget', relation)).toEqual({ entities: 0, observations: 0, relations: 1 });
    expect(await server.errorOf('forget', relation)).toContain('There is no relation');
    expect(await server.errorOf('forget', { ...fact, ...relation })).toContain('not both');
    await server.dataOf('relate', { relations: [{ from: 'Ada', type: 'near', to: 'Temp' }] });
    expect(await server.dataOf('forget', { entity: 'Temp' })).toEqual({ entities: 1, observations: 1, relations: 1 });
    expect(await server.textOf('recall', { query: 'second' })).toContain('Nothing is remembered');
    expect((await server.dataOf('get_entity', { name: 'Ada' })).relations).toHaveLength(1);
  });
});

describe('several processes on one file', () => {
  test('write at the same time and lose nothing', async () => {
    const writes = Array.from({ length: 60 }, (_, index) =>
      [server, other][index % 2]?.dataOf('remember', {
        entities: [{ name: 'Shared', observations: [`fact ${index}`] }, { name: `own ${index}` }],
      }),
    );
    await Promise.all(writes);
    for (const process of [server, other]) {
      expect((await process.dataOf('get_entity', { name: 'Shared' })).observations).toHaveLength(60);
    }
    const db = new Database(file, { readonly: true });
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    db.close();
  });
});

describe('starting', () => {
  const run = (...serverArguments: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, nodeArgumentsOf('memory', ...serverArguments), {
      input: '',
    });
    return `${status} ${stderr}`;
  };

  test('refuses a file that is none of its own', () => {
    writeFileSync(join(folder, 'text.db'), 'this is no database, but long enough to look like a broken one'.repeat(20));
    expect(run(join(folder, 'text.db'))).toMatch(
      /^1 memory: cannot use '.*text.db' as the memory: file is not a database/,
    );
    const stranger = new Database(join(folder, 'stranger.db'));
    stranger.exec('CREATE TABLE customers (id)');
    stranger.close();
    expect(run(join(folder, 'stranger.db'))).toMatch(
      /^1 memory: .*another program's database \(it holds the table customers\)/,
    );
  });
});
