import type { Db } from './database.ts';

// Types, not interfaces: they become structured content, which asks for index signatures.
export type Relation = { readonly from: string; readonly type: string; readonly to: string };

export type Entity = {
  readonly name: string;
  readonly type: string;
  readonly observations: string[];
  readonly relations: Relation[];
  readonly createdAt: string;
  readonly updatedAt: string;
};

export type EntitySummary = {
  readonly name: string;
  readonly type: string;
  readonly observations: number;
  readonly relations: number;
  readonly updatedAt: string;
};

export interface EntityToRemember {
  readonly name: string;
  readonly type?: string | undefined;
  readonly observations: readonly string[];
}

export type Remembered = {
  readonly created: string[];
  readonly updated: string[];
  readonly unchanged: string[];
  readonly observationsAdded: number;
};

interface EntityRow {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly created_at: string;
  readonly updated_at: string;
}

const defaultType = 'thing';

/** Makes entities that are new, adds the observations that are, and changes a type that is given. All or nothing. */
export function remember(db: Db, entities: readonly EntityToRemember[], now: string): Remembered {
  return db
    .transaction(() => {
      const result: Remembered = { created: [], updated: [], unchanged: [], observationsAdded: 0 };
      let observationsAdded = 0;
      for (const entity of entities) {
        const { outcome, added } = rememberOne(db, entity, now);
        result[outcome].push(entity.name);
        observationsAdded += added;
      }
      return { ...result, observationsAdded };
    })
    .immediate();
}

type Outcome = 'created' | 'updated' | 'unchanged';

function rememberOne(db: Db, entity: EntityToRemember, now: string): { outcome: Outcome; added: number } {
  const known = findRow(db, entity.name);
  const type = entity.type ?? known?.type ?? defaultType;
  const id = known?.id ?? insertEntity(db, entity.name, type, now);
  const insert = db.prepare('INSERT OR IGNORE INTO observations (entity_id, text, created_at) VALUES (?, ?, ?)');
  const added = entity.observations.reduce((sum, text) => sum + insert.run(id, text, now).changes, 0);
  if (known && added === 0 && type === known.type) return { outcome: 'unchanged', added };
  db.prepare('UPDATE entities SET type = ?, updated_at = ? WHERE id = ?').run(type, now, id);
  reindex(db, id);
  return { outcome: known ? 'updated' : 'created', added };
}

const insertEntity = (db: Db, name: string, type: string, now: string): number =>
  Number(
    db
      .prepare('INSERT INTO entities (name, type, created_at, updated_at) VALUES (?, ?, ?, ?)')
      .run(name, type, now, now).lastInsertRowid,
  );

function reindex(db: Db, id: number): void {
  db.prepare('DELETE FROM entity_index WHERE rowid = ?').run(id);
  db.prepare(
    `INSERT INTO entity_index (rowid, name, type, observations)
     SELECT id, name, type, (SELECT group_concat(text, char(10)) FROM observations WHERE entity_id = entities.id)
     FROM entities WHERE id = ?`,
  ).run(id);
}

/** Adds relations; gives how many were new. Throws, and adds none, when an entity is unknown. */
export function relate(db: Db, relations: readonly Relation[], now: string): number {
  return db
    .transaction(() => {
      const names = relations.flatMap(({ from, to }) => [from, to]);
      const missing = [...new Set(names)].filter((name) => !findRow(db, name));
      if (missing.length > 0) {
        throw new Error(`Not remembered yet: ${missing.map(quoted).join(', ')}. Make them with remember first.`);
      }
      const insert = db.prepare(
        'INSERT OR IGNORE INTO relations (source_id, type, target_id, created_at) VALUES (?, ?, ?, ?)',
      );
      return relations.reduce(
        (sum, { from, type, to }) => sum + insert.run(rowOf(db, from).id, type, rowOf(db, to).id, now).changes,
        0,
      );
    })
    .immediate();
}

/** The whole entity; throws, with names that are alike, when there is none. */
export const getEntity = (db: Db, name: string): Entity => db.transaction(() => entityOf(db, rowOf(db, name)))();

export function entityOf(db: Db, row: EntityRow): Entity {
  return {
    name: row.name,
    type: row.type,
    observations: db
      .prepare<[number], string>('SELECT text FROM observations WHERE entity_id = ? ORDER BY id')
      .pluck()
      .all(row.id) as string[],
    relations: db
      .prepare<{ id: number }, Relation>(
        `SELECT source.name AS "from", relations.type AS type, target.name AS "to" FROM relations
         JOIN entities source ON source.id = source_id JOIN entities target ON target.id = target_id
         WHERE source_id = @id OR target_id = @id ORDER BY relations.created_at, source.name, relations.type, target.name`,
      )
      .all({ id: row.id }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

const findRow = (db: Db, name: string): EntityRow | undefined =>
  db.prepare<[string], EntityRow>('SELECT * FROM entities WHERE name = ?').get(name);

function rowOf(db: Db, name: string): EntityRow {
  const row = findRow(db, name);
  if (row) return row;
  const alike = db
    .prepare<[string, string], string>(
      `SELECT name FROM entities WHERE instr(lower(name), lower(?)) OR instr(lower(?), lower(name)) ORDER BY length(name) LIMIT 5`,
    )
    .pluck()
    .all(name, name) as string[];
  const hint =
    alike.length > 0 ? `Did you mean ${alike.map(quoted).join(', ')}?` : 'Look for it with recall or list_entities.';
  throw new Error(`No entity ${quoted(name)} is remembered. ${hint}`);
}

const quoted = (name: string): string => `'${name}'`;

export interface ListOptions {
  readonly type?: string | undefined;
  /** The last name of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export type EntityPage = {
  readonly entities: EntitySummary[];
  /** How many there are in all. */
  readonly total: number;
  /** `after` of the next page, when there is one. */
  readonly next?: string;
};

/** Entities by name. Pages go on after a name, so that none is lost or repeated when others come and go. */
export function listEntities(db: Db, { type, after, limit }: ListOptions): EntityPage {
  return db.transaction(() => {
    const entities = db
      .prepare<{ type: string | null; after: string; more: number }, EntitySummary>(
        `SELECT name, type, updated_at AS updatedAt,
           (SELECT count(*) FROM observations WHERE entity_id = entities.id) AS observations,
           (SELECT count(*) FROM relations WHERE source_id = entities.id OR target_id = entities.id) AS relations
         FROM entities WHERE name > @after AND (@type IS NULL OR type = @type COLLATE NOCASE) ORDER BY name LIMIT @more`,
      )
      .all({ type: type ?? null, after: after ?? '', more: limit + 1 });
    const total = count(db, 'entities WHERE @type IS NULL OR type = @type COLLATE NOCASE', { type: type ?? null });
    const page = entities.slice(0, limit);
    const last = page.at(-1);
    return { entities: page, total, ...(entities.length > limit && last && { next: last.name }) };
  })();
}

const count = (db: Db, what: string, values: Record<string, unknown> = {}): number =>
  Number(db.prepare(`SELECT count(*) FROM ${what}`).pluck().get(values));

export type Stats = {
  readonly entities: number;
  readonly observations: number;
  readonly relations: number;
  readonly types: { type: string; entities: number }[];
  readonly sizeBytes: number;
};

export function statsOf(db: Db): Stats {
  return db.transaction(() => ({
    entities: count(db, 'entities'),
    observations: count(db, 'observations'),
    relations: count(db, 'relations'),
    types: db
      .prepare<[], { type: string; entities: number }>(
        'SELECT type, count(*) AS entities FROM entities GROUP BY type COLLATE NOCASE ORDER BY entities DESC, type LIMIT 50',
      )
      .all(),
    sizeBytes: Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true })),
  }))();
}

export type Forgotten = { readonly entities: number; readonly observations: number; readonly relations: number };

/** Forgets an entity with its observations and relations. */
export function forgetEntity(db: Db, name: string): Forgotten {
  return db
    .transaction(() => {
      const { id } = rowOf(db, name);
      const observations = count(db, 'observations WHERE entity_id = @id', { id });
      const relations = count(db, 'relations WHERE source_id = @id OR target_id = @id', { id });
      db.prepare('DELETE FROM entity_index WHERE rowid = ?').run(id);
      db.prepare('DELETE FROM entities WHERE id = ?').run(id);
      return { entities: 1, observations, relations };
    })
    .immediate();
}

export function forgetObservation(db: Db, name: string, text: string, now: string): Forgotten {
  return db
    .transaction(() => {
      const { id, name: known } = rowOf(db, name);
      const { changes } = db.prepare('DELETE FROM observations WHERE entity_id = ? AND text = ?').run(id, text);
      if (changes === 0) {
        throw new Error(`'${known}' has no such observation. Give its exact text, as get_entity shows it.`);
      }
      db.prepare('UPDATE entities SET updated_at = ? WHERE id = ?').run(now, id);
      reindex(db, id);
      return { entities: 0, observations: 1, relations: 0 };
    })
    .immediate();
}

export function forgetRelation(db: Db, { from, type, to }: Relation): Forgotten {
  return db
    .transaction(() => {
      const ids = [rowOf(db, from).id, type, rowOf(db, to).id];
      const { changes } = db
        .prepare('DELETE FROM relations WHERE source_id = ? AND type = ? AND target_id = ?')
        .run(ids);
      if (changes === 0) {
        throw new Error(`There is no relation '${from}' ${type} '${to}'. get_entity shows those there are.`);
      }
      return { entities: 0, observations: 0, relations: 1 };
    })
    .immediate();
}
