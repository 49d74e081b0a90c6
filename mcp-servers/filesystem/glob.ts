const maxAlternatives = 64;

type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | { readonly kind: 'set'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly kind: 'character'; readonly character: string };

/** `**`, any number of folders, or the tokens of one name. */
type Segment = '**' | readonly Token[];

/** Like globMatcher, but a pattern without wildcards and slashes fits every name that holds it, in any case. */
export function nameMatcher(pattern: string): (path: string) => boolean {
  if (/[*?[{/]/.test(pattern)) return globMatcher(pattern);
  const part = pattern.toLowerCase();
  return (path) => nameOf(path).toLowerCase().includes(part);
}

/**
 * Tells whether a path (with `/`, relative to the searched folder) fits: `*` `?` `[a-z]` `{a,b}` inside a name, `**` for any
 * folders. A pattern without a slash is about the name alone, in whatever folder.
 * Not made into a regular expression: a hostile pattern costs at most its length times the path's.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const trimmed = pattern.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
  const alternatives = expandBraces(trimmed).map((one) => segmentsOf(one.includes('/') ? one : `**/${one}`));
  return (path) => alternatives.some((segments) => fits(segments, path.split('/'), (s) => s === '**', segmentFits));
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const segmentsOf = (pattern: string): Segment[] =>
  pattern.split('/').map((segment) => (segment === '**' ? segment : tokensOf(segment)));

const segmentFits = (segment: Segment, name: string): boolean =>
  segment !== '**' && fits(segment, [...name], (token) => token.kind === 'star', tokenFits);

/** The classic wildcard match: on a mismatch the last star takes one more item. Never more than pattern times items. */
function fits<P, T>(
  pattern: readonly P[],
  items: readonly T[],
  isStar: (part: P) => boolean,
  fitsOne: (part: P, item: T) => boolean,
): boolean {
  let part = 0;
  let index = 0;
  let star = -1;
  let resumeAt = 0;
  while (index < items.length) {
    const [current, item] = [pattern[part], items[index]];
    if (current !== undefined && isStar(current)) {
      star = part++;
      resumeAt = index;
    } else if (current !== undefined && item !== undefined && fitsOne(current, item)) {
      part++;
      index++;
    } else if (star >= 0) {
      part = star + 1;
      index = ++resumeAt;
    } else {
      return false;
    }
  }
  return pattern.slice(part).every(isStar);
}

function tokenFits(token: Token, character: string): boolean {
  switch (token.kind) {
    case 'star':
      return false;
    case 'any':
      return true;
    case 'character':
      return token.character === character;
    case 'set':
      return token.ranges.some(([from, to]) => from <= character && character <= to) !== token.negated;
  }
}

function tokensOf(segment: string): Token[] {
  const characters = [...segment];
  const tokens: Token[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    const end = character === '[' ? characters.indexOf(']', index + 2) : -1;
    if (end > 0) {
      tokens.push(setOf(characters.slice(index + 1, end)));
      index = end;
    } else if (character === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
    } else {
      tokens.push(character === '?' ? { kind: 'any' } : { kind: 'character', character });
    }
  }
  return tokens;
}

function setOf(characters: readonly string[]): Token {
  const negated = characters[0] === '!' || characters[0] === '^';
  const members = negated ? characters.slice(1) : characters;
  const ranges: [string, string][] = [];
  for (let index = 0; index < members.length; index++) {
    const from = members[index] ?? '';
    const to = members[index + 1] === '-' ? members[index + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) index += 2;
  }
  return { kind: 'set', negated, ranges };
}

/** `a.{ts,js}` as `a.ts` and `a.js`; innermost braces first, so that nested ones work. */
function expandBraces(pattern: string): string[] {
  let patterns = [pattern];
  for (;;) {
    const expanded = patterns.flatMap(expandInnermost);
    if (expanded.length > maxAlternatives) {
      throw new Error(`The pattern has more than ${maxAlternatives} alternatives in braces: use a simpler one.`);
    }
    if (expanded.every((one, index) => one === patterns[index])) return expanded;
    patterns = expanded;
  }
}

function expandInnermost(pattern: string): string[] {
  const close = pattern.indexOf('}');
  const open = close < 0 ? -1 : pattern.lastIndexOf('{', close);
  if (open < 0) return [pattern];
  const options = pattern.slice(open + 1, close).split(',');
  return options.map((option) => pattern.slice(0, open) + option + pattern.slice(close + 1));
}
