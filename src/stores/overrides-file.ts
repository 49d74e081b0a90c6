import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { GatewayError } from '../model/errors.ts';
import { isObject } from '../model/json.ts';
import { noSeal, openedObject, openSeal, type Seal } from './seal.ts';

const entry = z.object({
  name: z.string(),
  /** What the config file said of this entry when it was changed here; absent when the file does not name it. */
  file_hash: z.string().optional(),
  /** Absent when the entry was removed here. */
  config: z.record(z.string(), z.unknown()).optional(),
});

export type Entry = z.output<typeof entry>;

/** With an encryption key `sealed` stands for `config`: it may hold secrets anywhere. */
const storedEntry = entry.extend({ sealed: z.string().optional() });

const content = z.looseObject({ version: z.literal(1), salt: z.string().optional() });

type StoredEntry = z.output<typeof storedEntry>;

export interface OverridesFileOptions {
  readonly path: string;
  /** The list's name in the file. */
  readonly list: string;
  /** In messages: `MCP client`. */
  readonly noun: string;
  readonly encryptionKey?: string | undefined;
}

/** What the API changed, as it stands on the disk. */
export class OverridesFile {
  readonly #options: OverridesFileOptions;
  /** Deriving a key is slow, and made to be: once for each salt. */
  #sealing: { readonly salt: string; readonly seal: Promise<Seal> } | undefined;

  constructor(options: OverridesFileOptions) {
    this.#options = options;
  }

  /** `isOutdated`: something stands there in plain text that has to be sealed. Throws GatewayError that says what to do. */
  async read(): Promise<{ readonly entries: readonly Entry[]; readonly isOutdated: boolean }> {
    const text = await this.#text();
    if (text === undefined) return { entries: [], isOutdated: false };
    const { salt, entries } = this.#parsed(text);
    if (entries.length === 0) return { entries: [], isOutdated: false };
    const seal = await this.#sealFor(salt);
    return {
      entries: entries.map((stored) => opened(stored, seal)),
      isOutdated: seal.encrypts && entries.some(({ config }) => config !== undefined),
    };
  }

  /** Whole or not at all, whatever happens half-way, and for this user's eyes only. */
  async write(entries: readonly Entry[]): Promise<void> {
    const { path, list } = this.#options;
    const draft = `${path}.${randomUUID()}.tmp`;
    const seal = await this.#sealFor();
    const content = {
      version: 1,
      ...(seal.encrypts && { salt: this.#sealing?.salt }),
      [list]: entries.map((each) => sealed(each, seal)),
    };
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (cause) {
      await rm(draft, { force: true }).catch(() => {});
      throw new GatewayError('internal', `${path} cannot be written, so the change would be lost at the next start`, {
        cause,
      });
    }
  }

  async #text(): Promise<string | undefined> {
    try {
      return await readFile(this.#options.path, 'utf8');
    } catch (cause) {
      if (isObject(cause) && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return undefined;
      throw this.#unreadable(cause);
    }
  }

  #parsed(text: string): { salt: string | undefined; entries: readonly StoredEntry[] } {
    const { list } = this.#options;
    try {
      const stored = content.parse(JSON.parse(text));
      return { salt: stored.salt, entries: z.array(storedEntry).parse(stored[list]) };
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  /** The salt is the file's own, as long as it has one. */
  #sealFor(salt?: string): Promise<Seal> {
    const { encryptionKey: key, path, noun } = this.#options;
    const things = {
      what: `the ${noun}s in ${path}`,
      otherwise: 'remove the file to start from the config file',
    };
    if (!key) return Promise.resolve(noSeal(things));
    const known = this.#sealing;
    if (known && (salt === undefined || known.salt === salt)) return known.seal;
    const used = salt ?? randomBytes(16).toString('base64');
    const seal = openSeal([key], Buffer.from(used, 'base64'), things);
    this.#sealing = { salt: used, seal };
    return seal;
  }

  #unreadable(cause: unknown): GatewayError {
    const { path, noun } = this.#options;
    return new GatewayError(
      'internal',
      `${path} holds the ${noun}s changed through the API and cannot be read; mend it, or remove it to start from the config file`,
      { cause },
    );
  }
}

function opened({ sealed: text, ...stored }: StoredEntry, seal: Seal): Entry {
  if (text === undefined) return stored;
  return { ...stored, config: openedObject(seal, text) };
}

function sealed(given: Entry, seal: Seal): StoredEntry {
  const { config, ...rest } = given;
  return seal.encrypts && config ? { ...rest, sealed: seal.seal(JSON.stringify(config)) } : given;
}
