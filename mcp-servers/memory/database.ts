import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { messageOf } from '../support.ts';

export type Db = Database.Database;

/** How long one process waits for another that writes. */
const busyTimeoutMs = 5000;
const schemaVersion = 1;

/** The name is the key, whatever its case. The index holds one row an entity, under the entity's id. */
const schema = `
  CREATE TABLE entities (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    type TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  );
  CREATE TABLE observations (
    id INTEGER PRIMARY KEY,
    entity_id INTEGER NOT NULL REFERENCES entities(id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (entity_id, text)
  );
  CREATE TABLE relations (
    source_id INTEGER NOT NULL REFERENCES entities(id) ON DELETE CASCADE,
    type TEXT NOT NULL COLLATE NOCASE,
    target_id INTEGER NOT NULL REFERENCES entities(id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    PRIMARY KEY (source_id, type, target_id)
  ) WITHOUT ROWID;
  CREATE INDEX relations_by_target ON relations (target_id);
  CREATE VIRTUAL TABLE entity_index USING fts5 (name, type, observations, tokenize = 'porter unicode61 remove_diacritics 2');
  PRAGMA user_version = ${schemaVersion};
`;

/** Opens the store and makes it if it is missing. Throws with a message for the user. */
export function openDatabase(path: string): Db {
  const file = resolve(path);
  try {
    mkdirSync(dirname(file), { recursive: true });
    const db = new Database(file, { timeout: busyTimeoutMs });
    useWriteAheadLog(db);
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    // One process makes the tables, the others wait for the lock and then find them there.
    db.transaction(() => createTables(db)).immediate();
    return db;
  } catch (error) {
    throw new Error(`cannot use '${file}' as the memory: ${messageOf(error)}`, { cause: error });
  }
}

/** Two processes that switch a new file to the log at once may meet a lock that no busy timeout waits for: try again. */
function useWriteAheadLog(db: Db): void {
  const endsAt = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      db.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'SQLITE_BUSY' || performance.now() > endsAt) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function createTables(db: Db): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > schemaVersion) throw new Error('it was made by a newer version of this server; update the server');
  if (version === schemaVersion) return;
  const strangers = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all();
  if (strangers.length > 0) throw new Error(`it is another program's database (it holds the table ${strangers[0]})`);
  db.exec(schema);
}
