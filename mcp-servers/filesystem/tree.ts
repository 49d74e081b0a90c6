import { join } from 'node:path';
import { type EntryType, entriesOf, isEntered, onOneLine } from './walk.ts';

interface Node {
  readonly name: string;
  readonly type: EntryType;
  readonly real: string;
  readonly depth: number;
  children: Node[];
  /** Why what is inside is not shown, or not all of it. */
  remark?: string;
}

/** An indented drawing of a folder, level by level until the entries run out, so that a deep folder cannot hide its siblings. */
export async function drawTree(real: string, name: string, maxDepth: number, maxEntries: number): Promise<string> {
  const root: Node = { name, type: 'directory', real, depth: 0, children: [] };
  const waiting = [root];
  let left = maxEntries;
  for (let node = waiting.shift(); node; node = waiting.shift()) {
    left -= await expand(node, node === root, maxDepth, left);
    waiting.push(...node.children.filter((child) => child.type === 'directory'));
  }
  return linesOf(root, '').join('\n');
}

/** Fills in the children as far as the limits allow; gives how many there are. */
async function expand(node: Node, isRoot: boolean, maxDepth: number, left: number): Promise<number> {
  if (!isRoot && !isEntered(node.name)) node.remark = 'not entered';
  else if (node.depth >= maxDepth) node.remark = 'deeper than maxDepth';
  else if (left === 0) node.remark = 'beyond maxEntries';
  if (node.remark) return 0;
  // Only the asked folder must be readable; another one is shown as what it is.
  const entries = await entriesOf(node.real).catch((error) => {
    if (isRoot) throw error;
    node.remark = 'cannot be read';
    return [];
  });
  node.children = entries
    .slice(0, left)
    .map((entry) => ({ ...entry, real: join(node.real, entry.name), depth: node.depth + 1, children: [] }));
  const missing = entries.length - node.children.length;
  if (missing > 0) node.remark = `${missing} more beyond maxEntries`;
  return node.children.length;
}

function linesOf(node: Node, indent: string): string[] {
  const mark = { directory: '/', symlink: ' (symbolic link)', other: ' (special)', file: '' }[node.type];
  const remark = node.remark ? ` [${node.remark}]` : '';
  return [
    `${indent}${onOneLine(node.name)}${mark}${remark}`,
    ...node.children.flatMap((child) => linesOf(child, `${indent}  `)),
  ];
}
