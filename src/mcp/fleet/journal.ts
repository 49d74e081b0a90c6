import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { endGroup } from '../process-groups.ts';
import type { GroupKeeper } from '../stdio.ts';
import { ToldOnce } from '../told-once.ts';
import { type ProcessFacts, processFacts, processTable } from './process-table.ts';

const known = z.object({ pid: z.number(), boot: z.string(), startedAt: z.number() });
const file = z.object({
  version: z.literal(1),
  gateway: known,
  groups: z.array(known.extend({ mcpClient: z.string() })),
});

type KnownProcess = z.output<typeof known>;
type KnownGroup = z.output<typeof file>['groups'][number];

export interface JournalOptions {
  readonly folder: string;
  /** What a process gets after a polite request to end. */
  readonly graceMs: number;
  readonly warn: (message: string) => void;
}

/**
 * The process groups that this gateway started, written down while they live, so that the next start finds what a
 * killed one left behind. The guard of `process-groups.ts` ends them at once; this is for the time when it was killed
 * too. One file for each gateway of an app-dir, replaced whole at each change.
 */
export class ProcessJournal {
  readonly #options: JournalOptions;
  readonly #path: string;
  readonly #groups = new Map<number, KnownGroup>();
  readonly #told = new ToldOnce();
  #isWritten = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#path = join(options.folder, `${process.pid}-${randomUUID().slice(0, 8)}.json`);
  }

  /** Writes down the groups of one client. Its command is not told: arguments may hold secrets. */
  keeperFor(mcpClient: string): GroupKeeper {
    return {
      started: (pid) => {
        const facts = processFacts(pid);
        // already gone: nothing that could be left behind
        if (!facts) return;
        this.#groups.set(pid, { ...identityOf(facts), mcpClient });
        this.#write();
      },
      ended: (pid) => {
        if (this.#groups.delete(pid)) this.#write();
      },
    };
  }

  /** Ends what gateways of this app-dir left that do not live any more. Never fails. */
  async reap(): Promise<void> {
    const left = this.#paths().flatMap((path) => {
      const content = contentOf(path);
      return content && !isAlive(content.gateway) ? [{ path, groups: content.groups }] : [];
    });
    if (left.length === 0) return;
    const table = processTable();
    for (const { path, groups } of left) {
      await Promise.all(groups.filter((group) => isLeft(group, table)).map((group) => this.#end(group)));
      rmSync(path, { force: true });
    }
  }

  async #end({ pid, mcpClient }: KnownGroup): Promise<void> {
    this.#options.warn(
      `a server of MCP client ${mcpClient} that an earlier run left behind is ended: process group ${pid}`,
    );
    await endGroup(pid, this.#options.graceMs);
  }

  #paths(): string[] {
    const { folder } = this.#options;
    try {
      return readdirSync(folder).flatMap((name) => (name.endsWith('.json') ? [join(folder, name)] : []));
    } catch {
      return [];
    }
  }

  #write(): void {
    try {
      if (this.#groups.size > 0) this.#replace();
      else if (this.#isWritten) rmSync(this.#path, { force: true });
    } catch (thrown) {
      const message = `the list of MCP server processes could not be written: ${String(thrown)}`;
      if (this.#told.isNew(message)) this.#options.warn(message);
    }
  }

  #replace(): void {
    const self = processFacts(process.pid);
    if (!self) return;
    const content = { version: 1, gateway: identityOf(self), groups: [...this.#groups.values()] };
    mkdirSync(this.#options.folder, { recursive: true });
    writeFileSync(`${this.#path}.new`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    this.#isWritten = true;
    this.#told.wentWell();
  }
}

const identityOf = ({ pid, boot, startedAt }: ProcessFacts): KnownProcess => ({ pid, boot, startedAt });

function contentOf(path: string): z.output<typeof file> | undefined {
  try {
    return file.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // not ours, or of a version that we do not know: nobody is killed for it
    return undefined;
  }
}

const isSame = (one: KnownProcess, other: KnownProcess): boolean =>
  one.pid === other.pid && one.boot === other.boot && one.startedAt === other.startedAt;

function isAlive(process: KnownProcess): boolean {
  const facts = processFacts(process.pid);
  return facts !== undefined && isSame(facts, process);
}

/**
 * Whether anybody of the group is left, and surely of this group: its leader of the same id and start (no command is
 * compared, as npx and others rewrite theirs), or, where the leader has ended, members that began after it. An id is
 * given to no new process while a group still bears it.
 */
export function isLeft(group: KnownProcess, table: readonly ProcessFacts[]): boolean {
  const members = table.filter(({ group: id }) => id === group.pid);
  const leader = table.find(({ pid }) => pid === group.pid);
  if (leader) return isSame(leader, group);
  return members.length > 0 && members.every((one) => one.boot === group.boot && one.startedAt >= group.startedAt);
}
