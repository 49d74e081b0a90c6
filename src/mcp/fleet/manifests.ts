import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { McpClientConfig } from '../../config/schema.ts';
import type { JsonObject } from '../../model/json.ts';
import { ToldOnce } from '../told-once.ts';

const object = z.record(z.string(), z.unknown());

const manifest = z.object({
  version: z.literal(1),
  /** Since 1970: when the server itself said so. */
  verifiedAtMs: z.number(),
  server: z.object({
    info: object.optional(),
    capabilities: object.optional(),
    instructions: z.string().optional(),
  }),
  tools: z.array(object),
});

/** What a server said of itself at `initialize`. */
export interface ServerFacts {
  readonly info?: JsonObject;
  readonly capabilities?: JsonObject;
  readonly instructions?: string;
}

/** What one stdio server offered the last time it ran: enough to list it without a start. */
export interface Manifest {
  readonly verifiedAtMs: number;
  readonly server: ServerFacts;
  /** As the server gave them. */
  readonly tools: readonly unknown[];
}

/**
 * The manifests of an app-dir, one file for each command. What cannot be read or written is no manifest: the server is
 * then started, which is always right.
 */
export class Manifests {
  readonly #folder: string;
  readonly #warn: (message: string) => void;
  readonly #told = new ToldOnce();
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string, warn: (message: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
  }

  async read(config: McpClientConfig): Promise<Manifest | undefined> {
    try {
      const parsed = manifest.safeParse(JSON.parse(await readFile(this.#pathOf(config), 'utf8')));
      // JSON text gives JSON values
      return parsed.success ? (parsed.data as Manifest) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes happen one after the other, so that the last one wins; none of them fails. */
  write(config: McpClientConfig, { verifiedAtMs, server, tools }: Manifest): void {
    const path = this.#pathOf(config);
    const text = JSON.stringify({ version: 1, verifiedAtMs, server, tools });
    this.#writing = this.#writing
      .then(() => this.#replace(path, text))
      .catch((thrown: NodeJS.ErrnoException) => this.#tell(thrown.code ?? thrown.message));
  }

  /** Resolves when everything is on the disk. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #replace(path: string, text: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
    this.#told.wentWell();
  }

  /** A folder that takes no file takes none of any client: said once for all of them. */
  #tell(why: string): void {
    const message = `what MCP servers offer cannot be kept in ${this.#folder} (${why}): the next start runs each to list its tools`;
    if (this.#told.isNew(message)) this.#warn(message);
  }

  #pathOf(config: McpClientConfig): string {
    return join(this.#folder, `${commandHash(config)}.json`);
  }
}

/** The same for two clients that start the same program in the same way; tells nothing of what it hashes. */
function commandHash({ stdio_config: stdio }: McpClientConfig): string {
  const told = JSON.stringify([stdio?.command, stdio?.args, [...(stdio?.envs ?? [])].sort()]);
  return createHash('sha256').update(told).digest('hex').slice(0, 32);
}

/** What a session heard of its server. */
export function factsOf({ serverInfo: info, capabilities, instructions }: HeardServer): ServerFacts {
  return {
    ...(info && { info }),
    ...(capabilities && { capabilities }),
    ...(instructions !== undefined && { instructions }),
  };
}

interface HeardServer {
  readonly serverInfo: JsonObject | undefined;
  readonly capabilities: JsonObject | undefined;
  readonly instructions: string | undefined;
}
