import { linesOf } from './content.ts';

const contextLines = 3;
/** Above this many cells of the table a changed region is shown as wholly replaced. */
const maxTableCells = 4_000_000;

interface Step {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/** The change as `diff -u` shows it; empty when nothing changed. */
export function unifiedDiff(path: string, before: string, after: string): string {
  const hunks = hunksOf(stepsBetween(linesOf(before), linesOf(after)));
  return hunks.length === 0 ? '' : [`--- a/${path}\n`, `+++ b/${path}\n`, ...hunks].join('');
}

function stepsBetween(before: readonly string[], after: readonly string[]): Step[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let same = 0;
  const most = Math.min(before.length, after.length) - start;
  while (same < most && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  const signed = (sign: Step['sign'], lines: readonly string[]): Step[] => lines.map((line) => ({ sign, line }));
  return [
    ...signed(' ', before.slice(0, start)),
    ...changesBetween(before.slice(start, before.length - same), after.slice(start, after.length - same)),
    ...signed(' ', before.slice(before.length - same)),
  ];
}

/** By the longest common subsequence; removed lines come before added ones. */
function changesBetween(before: readonly string[], after: readonly string[]): Step[] {
  const width = after.length + 1;
  const isSmall = (before.length + 1) * width <= maxTableCells;
  // lengths[i * width + j]: how many lines before[i..] and after[j..] have in common.
  const lengths = isSmall ? commonLengths(before, after) : new Uint32Array(0);
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [oldLine, newLine] = [before[i], after[j]];
    if (isSmall && oldLine !== undefined && oldLine === newLine) {
      steps.push({ sign: ' ', line: oldLine });
      i++;
      j++;
    } else if (
      oldLine !== undefined &&
      (newLine === undefined || !isSmall || at(lengths, (i + 1) * width + j) >= at(lengths, i * width + j + 1))
    ) {
      steps.push({ sign: '-', line: oldLine });
      i++;
    } else if (newLine !== undefined) {
      steps.push({ sign: '+', line: newLine });
      j++;
    }
  }
  return steps;
}

function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        before[i] === after[j]
          ? at(lengths, (i + 1) * width + j + 1) + 1
          : Math.max(at(lengths, (i + 1) * width + j), at(lengths, i * width + j + 1));
    }
  }
  return lengths;
}

const at = (table: Uint32Array, index: number): number => table[index] ?? 0;

/** Changes closer than twice the context share a hunk. */
function hunksOf(steps: readonly Step[]): string[] {
  const hunks: string[] = [];
  let [oldLine, newLine, done] = [1, 1, 0];
  for (const [start, end] of changedRanges(steps)) {
    const skipped = start - done;
    oldLine += skipped;
    newLine += skipped;
    const hunk = steps.slice(start, end);
    const oldCount = hunk.filter((step) => step.sign !== '+').length;
    const newCount = hunk.filter((step) => step.sign !== '-').length;
    const header = `@@ -${rangeText(oldLine, oldCount)} +${rangeText(newLine, newCount)} @@\n`;
    hunks.push(header + hunk.map(stepText).join(''));
    oldLine += oldCount;
    newLine += newCount;
    done = end;
  }
  return hunks;
}

function changedRanges(steps: readonly Step[]): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  steps.forEach((step, index) => {
    if (step.sign === ' ') return;
    const [start, end] = [Math.max(0, index - contextLines), Math.min(steps.length, index + contextLines + 1)];
    const last = ranges.at(-1);
    if (last && start <= last[1]) last[1] = end;
    else ranges.push([start, end]);
  });
  return ranges;
}

/** An empty side is named by the line before it (POSIX diff -u). */
const rangeText = (line: number, count: number): string =>
  count === 1 ? `${line}` : `${count === 0 ? line - 1 : line},${count}`;

const stepText = ({ sign, line }: Step): string =>
  line.endsWith('\n') ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`;
