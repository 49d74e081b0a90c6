import { createContext, Script } from 'node:vm';
import { openForReading } from './confine.ts';
import { textOf } from './content.ts';
import { globMatcher, nameMatcher } from './glob.ts';
import type { WalkedEntry } from './walk.ts';

const maxSearchMs = 10_000;
const maxEntries = 200_000;
const maxSearchedBytes = 5 * 1024 * 1024;
const maxMatchesPerFile = 50;
const maxLineLength = 300;
/** For one file; a regular expression that takes longer would go on for ever. */
const maxMatchingMs = 500;

export interface SearchOptions {
  readonly pattern?: string | undefined;
  readonly content?: string | undefined;
  readonly regex: boolean;
  readonly ignoreCase: boolean;
  readonly exclude: readonly string[];
  readonly maxResults: number;
}

/** `line` (from 1) and `text` when the content was searched. A type, not an interface: it becomes structured content. */
export type Match = {
  /** The real path. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly line?: number;
  readonly text?: string;
};

export interface SearchResult {
  readonly matches: readonly Match[];
  /** Why there may be more; absent when the search is complete. */
  readonly incomplete?: string;
}

/** Of the entries those that fit by name, or lines of theirs by content. */
export async function search(
  entries: AsyncIterable<WalkedEntry>,
  options: SearchOptions,
  signal: AbortSignal,
): Promise<SearchResult> {
  const isWanted = nameMatcher(options.pattern ?? '**');
  const excluded = options.exclude.map(globMatcher);
  const matchesOf = options.content === undefined ? nameMatch : contentMatcher(options.content, options);
  const matches: Match[] = [];
  const endsAt = performance.now() + maxSearchMs;
  let visited = 0;
  for await (const entry of entries) {
    signal.throwIfAborted();
    if (isWanted(entry.path) && !isExcluded(entry.path, excluded)) matches.push(...(await matchesOf(entry)));
    if (matches.length > options.maxResults) {
      return {
        matches: matches.slice(0, options.maxResults),
        incomplete: `only the first ${options.maxResults} results`,
      };
    }
    if (performance.now() > endsAt) return { matches, incomplete: `stopped after ${maxSearchMs / 1000} seconds` };
    if (++visited >= maxEntries) return { matches, incomplete: `stopped after ${maxEntries} files and folders` };
  }
  return { matches };
}

/** A path is excluded with everything below it. */
function isExcluded(path: string, excluded: readonly ((path: string) => boolean)[]): boolean {
  if (excluded.length === 0) return false;
  const names = path.split('/');
  return names.some((_, depth) => {
    const upTo = names.slice(0, depth + 1).join('/');
    return excluded.some((matches) => matches(upTo));
  });
}

const nameMatch = (entry: WalkedEntry): Match[] => [{ path: entry.real, isFolder: entry.type === 'directory' }];

function contentMatcher(content: string, options: SearchOptions): (entry: WalkedEntry) => Promise<Match[]> {
  const fits = options.regex ? regexTest(content, options.ignoreCase) : textTest(content, options.ignoreCase);
  return async (entry) => {
    if (entry.type !== 'file') return [];
    const text = await searchableText(entry.real);
    if (text === undefined) return [];
    const lines = text.split('\n');
    const found = withinTime(() => numbersOfLines(lines, fits), content, entry.path);
    return found.map((index) => ({
      path: entry.real,
      isFolder: false,
      line: index + 1,
      text: shortened(lines[index] ?? ''),
    }));
  };
}

const shortened = (line: string): string => {
  const trimmed = line.trimEnd();
  return trimmed.length > maxLineLength ? `${trimmed.slice(0, maxLineLength)}…` : trimmed;
};

function numbersOfLines(lines: readonly string[], fits: (line: string) => boolean): number[] {
  const found: number[] = [];
  for (let index = 0; index < lines.length && found.length < maxMatchesPerFile; index++) {
    if (fits(lines[index] ?? '')) found.push(index);
  }
  return found;
}

function textTest(content: string, ignoreCase: boolean): (line: string) => boolean {
  if (!ignoreCase) return (line) => line.includes(content);
  const wanted = content.toLowerCase();
  return (line) => line.toLowerCase().includes(wanted);
}

function regexTest(content: string, ignoreCase: boolean): (line: string) => boolean {
  try {
    const expression = new RegExp(content, ignoreCase ? 'iu' : 'u');
    return (line) => expression.test(line.endsWith('\r') ? line.slice(0, -1) : line);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `content is not a regular expression: ${reason}. Correct it, or leave regex out to search for the text.`,
    );
  }
}

/** undefined for what has no text to search: binary files, large ones, and those that cannot be read. */
async function searchableText(real: string): Promise<string | undefined> {
  const handle = await openForReading(real).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const stats = await handle.stat();
    return stats.isFile() && stats.size <= maxSearchedBytes ? textOf(await handle.readFile()) : undefined;
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

const matchingScript = new Script('match()');

/** V8 stops a running regular expression only for a script with a time limit (node:vm, `timeout`). */
function withinTime(match: () => number[], content: string, path: string): number[] {
  try {
    return matchingScript.runInContext(createContext({ match }), { timeout: maxMatchingMs }) as number[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new Error(
      `The regular expression '${content}' takes too long on '${path}': it backtracks without end. ` +
        'Avoid nested repetition such as (a+)+, or search for plain text.',
    );
  }
}
