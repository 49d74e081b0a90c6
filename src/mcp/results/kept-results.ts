import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

export interface KeepingLimits {
  /** After its last use. */
  readonly keptForMs: number;
  readonly maxBytes: number;
  readonly maxBytesPerOwner: number;
}

interface Kept {
  readonly owner: string;
  readonly text: Promise<Buffer>;
  readonly lineCount: number;
  bytes: number;
  usedAtMs: number;
}

/** How long a line may be; what is longer is several, so that every page of lines has an end. */
const LONGEST_LINE = 2_000;
const HANDLE = 'res_';

const deflated = promisify(deflateRaw);
const inflated = promisify(inflateRaw);

/** Results too large to be shown, compressed: for one owner each, for a while, the longest unused given up first. */
export class KeptResults {
  readonly #limits: KeepingLimits;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();

  constructor(limits: KeepingLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Whether this owner has anything to read. */
  has(owner: string): boolean {
    if (this.#kept.size === 0) return false;
    this.#expire();
    for (const kept of this.#kept.values()) if (kept.owner === owner) return true;
    return false;
  }

  /** Keeps a text and gives the name to ask for it by, which nobody can guess. */
  keep(owner: string, given: string): { readonly handle: string; readonly lineCount: number } {
    const lines = linesOf(given);
    const text = lines.join('\n');
    const handle = `${HANDLE}${randomBytes(12).toString('base64url')}`;
    const kept: Kept = {
      owner,
      lineCount: lines.length,
      bytes: text.length,
      usedAtMs: this.#now(),
      text: deflated(text, { level: 1 }).then((bytes) => {
        kept.bytes = bytes.length;
        return bytes;
      }),
    };
    this.#kept.set(handle, kept);
    this.#makeRoom(owner);
    return { handle, lineCount: lines.length };
  }

  /** The lines of a kept text; undefined when it is not there any more, or is somebody else's. */
  async lines(owner: string, handle: string): Promise<readonly string[] | undefined> {
    this.#expire();
    const kept = this.#kept.get(handle);
    if (!kept || kept.owner !== owner) return undefined;
    kept.usedAtMs = this.#now();
    this.#kept.delete(handle);
    this.#kept.set(handle, kept);
    return (await inflated(await kept.text)).toString('utf8').split('\n');
  }

  #expire(): void {
    const oldestMs = this.#now() - this.#limits.keptForMs;
    for (const [handle, kept] of this.#kept) {
      if (kept.usedAtMs > oldestMs) return;
      this.#kept.delete(handle);
    }
  }

  #makeRoom(owner: string): void {
    this.#expire();
    const { maxBytes, maxBytesPerOwner } = this.#limits;
    let [all, own] = [0, 0];
    for (const kept of this.#kept.values()) {
      all += kept.bytes;
      if (kept.owner === owner) own += kept.bytes;
    }
    for (const [handle, kept] of this.#kept) {
      if (all <= maxBytes && own <= maxBytesPerOwner) return;
      const isOwn = kept.owner === owner;
      if (all <= maxBytes && !isOwn) continue;
      // what was just kept stays, however large it is
      if (handle === [...this.#kept.keys()].at(-1)) return;
      this.#kept.delete(handle);
      all -= kept.bytes;
      if (isOwn) own -= kept.bytes;
    }
  }
}

/** A text as lines that all have an end: JSON on one line is written out, other long lines are broken, at a space if there is one. */
function linesOf(given: string): string[] {
  const text = readableJson(given) ?? given;
  return text.split(/\r?\n/).flatMap((line) => (line.length > LONGEST_LINE ? broken(line) : [line]));
}

function readableJson(text: string): string | undefined {
  const start = text.trimStart()[0];
  if ((start !== '{' && start !== '[') || text.trim().includes('\n')) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return undefined;
  }
}

function broken(line: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < line.length; ) {
    const end = Math.min(at + LONGEST_LINE, line.length);
    // within the piece: a search through a whole line for each of its pieces would never end
    const space = end === line.length ? -1 : line.slice(at, end).lastIndexOf(' ');
    const stop = space > LONGEST_LINE / 2 ? at + space + 1 : wholeCharacters(line, end);
    pieces.push(line.slice(at, stop));
    at = stop;
  }
  return pieces;
}

/** No half of a surrogate pair at the end. */
export const wholeCharacters = (text: string, end: number): number =>
  end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end;
