import { type Conversion, closeScope, endLine, openScope } from './conversion.ts';

type TablePart = 'table' | 'tr' | 'td' | 'th';

export const isTablePart = (name: string): name is TablePart =>
  name === 'table' || name === 'tr' || name === 'td' || name === 'th';

export function openTablePart(page: Conversion, part: TablePart): void {
  if (part === 'table') openTable(page);
  else if (!isOutermostTable(page)) page.writer.space();
  else if (part === 'tr') endRow(page);
  else openCell(page);
}

export function closeTablePart(page: Conversion, part: TablePart): void {
  const isOutermost = isOutermostTable(page);
  if (isOutermost && (part === 'table' || part === 'tr')) endRow(page);
  if (part !== 'table') return;
  if (isOutermost) page.table = undefined;
  closeScope(page, 'table');
}

/** Of nested tables the inner ones are words in the outer one's cells. */
const isOutermostTable = (page: Conversion): boolean =>
  page.scopes.filter((scope) => scope.name === 'table').length === 1;

function openTable(page: Conversion): void {
  endLine(page, 2);
  openScope(page, 'table', '');
  page.table ??= { rows: 0, cells: 0 };
}

function openCell({ writer, table }: Conversion): void {
  if (!table) return;
  if (table.cells++ === 0) {
    writer.lineStart('| ');
  } else {
    writer.space();
    writer.literal('|');
    writer.space();
  }
}

function endRow({ writer, table }: Conversion): void {
  if (!table || table.cells === 0) return;
  writer.space();
  writer.literal('|');
  if (table.rows++ === 0) {
    writer.break(1);
    writer.literal(`|${' --- |'.repeat(table.cells)}`);
  }
  table.cells = 0;
  writer.break(1);
}
