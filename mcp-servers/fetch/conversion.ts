import type { HtmlToken } from './html-tokens.ts';
import type { MarkdownWriter } from './markdown-writer.ts';

interface Scope {
  readonly name: string;
  /** Prefixes of the writer outside of this element. */
  readonly prefixes: number;
  /** Of an ordered list: the number of the next item. */
  next?: number;
}

/** A page on its way to markdown. */
export interface Conversion {
  readonly tokens: readonly HtmlToken[];
  readonly writer: MarkdownWriter;
  /** Open lists, items, quotes and tables, outermost first. */
  readonly scopes: Scope[];
  /** Names of which one is never closed: leaving it out would leave out the rest of the page. */
  readonly unclosed: Set<string>;
  base: URL;
  /** The outermost open table: rows so far, and cells of the open row. */
  table: { rows: number; cells: number } | undefined;
}

/** A link and a table's cell must stay on one line. */
export const isOnOneLine = (page: Conversion): boolean => page.table !== undefined || page.writer.isInside('a');

export function endLine(page: Conversion, breaks: 1 | 2): void {
  if (isOnOneLine(page)) page.writer.space();
  else page.writer.break(page.scopes.at(-1)?.name === 'li' ? 1 : breaks);
}

/** Deeper ones are taken for part of this one: indentation without end would make a small page a huge text. */
const maxDepth = 50;

export function openScope(page: Conversion, name: string, prefix: string, next?: number): void {
  if (page.scopes.length >= maxDepth) return;
  page.scopes.push({ name, prefixes: page.writer.pushPrefix(prefix), ...(next !== undefined && { next }) });
}

/** Closes the innermost element of that name with all inside it; does nothing when there is none. */
export function closeScope(page: Conversion, name: string): void {
  const index = page.scopes.findLastIndex((scope) => scope.name === name);
  const scope = page.scopes[index];
  if (!scope) return;
  page.scopes.length = index;
  page.writer.dropLineStart();
  page.writer.trimPrefixes(scope.prefixes);
  endLine(page, name === 'li' ? 1 : 2);
}
