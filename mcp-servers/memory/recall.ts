import type { Db } from './database.ts';
import { type Entity, entityOf } from './store.ts';

export type Neighbour = { readonly name: string; readonly type: string; readonly distance: number };

export type Recalled = {
  /** Best first. */
  readonly entities: Entity[];
  /** What is related to them, nearest first. */
  readonly neighbours: Neighbour[];
};

interface RecallOptions {
  readonly limit: number;
  /** How many relations away neighbours may be. */
  readonly depth: number;
}

type EntityRow = Parameters<typeof entityOf>[1];

const maxNeighbours = 50;
const maxWords = 50;
/** A word of the name says most about an entity, then its type. */
const weights = '10.0, 3.0, 1.0';

/** Entities whose name, type or observations hold words of the query, and what they are related to. */
export function recall(db: Db, query: string, { limit, depth }: RecallOptions): Recalled {
  return db.transaction(() => {
    const found = byWords(db, query, limit);
    // Words are cut at spaces, which some languages do not write: then any text that holds the query will do.
    const rows = found.length > 0 ? found : bySubstring(db, query, limit);
    return {
      entities: rows.map((row) => entityOf(db, row)),
      neighbours: neighboursOf(
        db,
        rows.map(({ id }) => id),
        depth,
      ),
    };
  })();
}

function byWords(db: Db, query: string, limit: number): EntityRow[] {
  const words = query.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  if (words.length === 0) return [];
  const match = words.slice(0, maxWords).map(termOf).join(' OR ');
  return db
    .prepare<[string, number], EntityRow>(
      `SELECT entities.* FROM entity_index JOIN entities ON entities.id = entity_index.rowid
       WHERE entity_index MATCH ? ORDER BY bm25(entity_index, ${weights}), entities.name LIMIT ?`,
    )
    .all(match, limit);
}

/** Quoted, so that no word is read as an operator of FTS5; the star finds what begins so, of short words too much. */
const termOf = (word: string): string => (word.length < 3 ? `"${word}"` : `"${word}"*`);

const bySubstring = (db: Db, query: string, limit: number): EntityRow[] =>
  db
    .prepare<{ query: string; limit: number }, EntityRow>(
      `SELECT * FROM entities WHERE instr(lower(name), lower(@query))
         OR EXISTS (SELECT 1 FROM observations WHERE entity_id = entities.id AND instr(lower(text), lower(@query)))
       ORDER BY name LIMIT @limit`,
    )
    .all({ query, limit });

function neighboursOf(db: Db, start: readonly number[], depth: number): Neighbour[] {
  const related = db.prepare<{ id: number }, EntityRow>(
    `SELECT * FROM entities WHERE id IN
       (SELECT target_id FROM relations WHERE source_id = @id UNION SELECT source_id FROM relations WHERE target_id = @id)
     ORDER BY name`,
  );
  const seen = new Set(start);
  const neighbours: Neighbour[] = [];
  let edge = [...start];
  for (let distance = 1; distance <= depth && neighbours.length < maxNeighbours; distance++) {
    const next = edge.flatMap((id) => related.all({ id })).filter(({ id }) => !seen.has(id) && seen.add(id));
    neighbours.push(...next.map(({ name, type }) => ({ name, type, distance })));
    edge = next.map(({ id }) => id);
  }
  return neighbours.slice(0, maxNeighbours);
}
