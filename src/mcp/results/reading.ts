import { GatewayError } from '../../model/errors.ts';
import type { JsonObject } from '../../model/json.ts';
import type { ReaderToolName } from './reader-tools.ts';
import { safeGrep } from './safe-grep.ts';

const LIMIT = 200;
const CONTEXT = 2;
const MAX_CONTEXT = 50;
const MAX_MATCHES = 100;

/** What a reader tool answers; never longer than `maxLength` by much. Throws GatewayError('invalid-request'). */
export async function readingOf(
  tool: ReaderToolName,
  lines: readonly string[],
  input: JsonObject,
  maxLength: number,
): Promise<string> {
  return tool === 'readResult' ? page(lines, input, maxLength) : matches(lines, input, maxLength);
}

function page(lines: readonly string[], input: JsonObject, maxLength: number): string {
  const offset = numberOf(input, 'offset', 1);
  const first = offset < 0 ? Math.max(0, lines.length + offset) : Math.max(0, offset - 1);
  const wanted = lines.slice(first, first + Math.max(1, numberOf(input, 'limit', LIMIT)));
  let [length, count] = [0, 0];
  for (const line of wanted) {
    length += line.length + 1;
    if (count > 0 && length > maxLength) break;
    count += 1;
  }
  if (count === 0) return `There is no line ${first + 1}: the result has ${lines.length} lines.`;
  const last = first + count;
  const rest = last < lines.length ? ` Go on with {"offset": ${last + 1}}.` : ' That is the end.';
  return `[Lines ${first + 1} to ${last} of ${lines.length}.${rest}]\n${wanted.slice(0, count).join('\n')}`;
}

async function matches(lines: readonly string[], input: JsonObject, maxLength: number): Promise<string> {
  const { pattern } = input;
  if (typeof pattern !== 'string') throw new GatewayError('invalid-request', 'pattern must be a text');
  const skip = Math.max(0, numberOf(input, 'skip', 0));
  const { text, shown, total } = await safeGrep(lines, {
    pattern,
    ignoreCase: input.ignore_case === true,
    context: Math.min(MAX_CONTEXT, Math.max(0, numberOf(input, 'context', CONTEXT))),
    skip,
    maxMatches: MAX_MATCHES,
    maxLength,
  });
  if (shown === 0)
    return `[${total === 0 ? 'No line matches' : `All ${total} matches were skipped`}: ${lines.length} lines were searched.]`;
  const rest = skip + shown < total ? ` Go on with {"skip": ${skip + shown}}.` : '';
  return `[Matches ${skip + 1} to ${skip + shown} of ${total}.${rest}]\n${text}`;
}

function numberOf(input: JsonObject, member: string, otherwise: number): number {
  const value = input[member] ?? otherwise;
  // models write numbers as texts now and then
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number)) return number;
  throw new GatewayError('invalid-request', `${member} must be a whole number`);
}
