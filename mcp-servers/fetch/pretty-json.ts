/** Deeper ones stay as they are: their indentation would be many times their text. */
const maxDepth = 100;

/**
 * The JSON text with line breaks and indentation; a text that is not JSON comes back as it is. The tokens stay untouched, so
 * that numbers beyond 2^53 keep their digits and repeated keys stay.
 */
export function prettyJson(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  const pieces: string[] = [];
  let depth = 0;
  for (const token of tokens) {
    if (token === '}' || token === ']') pieces.push(lineBreak(--depth));
    pieces.push(token === ':' ? ': ' : token);
    if (token === '{' || token === '[') pieces.push(lineBreak(++depth));
    if (token === ',') pieces.push(lineBreak(depth));
    if (depth > maxDepth) return text;
  }
  return pieces.join('');
}

const lineBreak = (depth: number): string => `\n${'  '.repeat(depth)}`;
