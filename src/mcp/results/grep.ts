export interface Search {
  readonly pattern: string;
  readonly ignoreCase: boolean;
  /** Lines shown before and behind each match. */
  readonly context: number;
  /** Matches to pass over. */
  readonly skip: number;
  readonly maxMatches: number;
  /** Of what is shown. */
  readonly maxLength: number;
}

export interface Found {
  /** `12: line` for a match, `11- line` beside it, `--` between groups. */
  readonly text: string;
  readonly shown: number;
  readonly total: number;
}

/** Whether a pattern means itself, letter by letter, so that looking for it takes no longer than reading. */
export const isLiteral = (pattern: string): boolean => !/[\\^$.*+?()[\]{}|]/.test(pattern);

/** The lines that match, with those around them. A pattern that is no literal may take any time: not on the main thread. */
export function grep(lines: readonly string[], search: Search): Found {
  const matches = matcherOf(search);
  const { context, skip, maxMatches, maxLength } = search;
  const written: string[] = [];
  let [length, shown, total, next] = [0, 0, 0, 0];
  const write = (line: string): void => {
    written.push(line);
    length += line.length + 1;
  };
  for (let index = 0; index < lines.length; index += 1) {
    if (!matches(lines[index] ?? '')) continue;
    total += 1;
    if (total <= skip || shown >= maxMatches || length >= maxLength) continue;
    const first = Math.max(next, index - context);
    if (written.length > 0 && first > next) write('--');
    for (let at = first; at < index; at += 1) write(`${at + 1}- ${lines[at] ?? ''}`);
    if (index >= next) write(`${index + 1}: ${lines[index] ?? ''}`);
    else written[written.length - (next - index)] = `${index + 1}: ${lines[index] ?? ''}`;
    for (let at = Math.max(next, index + 1); at <= index + context && at < lines.length; at += 1) {
      write(`${at + 1}- ${lines[at] ?? ''}`);
    }
    next = Math.max(next, Math.min(index + context + 1, lines.length));
    shown += 1;
  }
  return { text: written.join('\n'), shown, total };
}

function matcherOf({ pattern, ignoreCase }: Search): (line: string) => boolean {
  if (isLiteral(pattern) && !ignoreCase) return (line) => line.includes(pattern);
  if (isLiteral(pattern)) {
    const wanted = pattern.toLowerCase();
    return (line) => line.toLowerCase().includes(wanted);
  }
  const expression = expressionOf(pattern, ignoreCase ? 'i' : '');
  return (line) => expression.test(line);
}

/** Throws SyntaxError. Patterns often escape what needs no escape, which only the older syntax takes. */
export function expressionOf(pattern: string, flags = ''): RegExp {
  try {
    return new RegExp(pattern, `${flags}u`);
  } catch {
    return new RegExp(pattern, flags);
  }
}
