import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { ToolResult } from '../contract.ts';
import type { Finding } from './finding.ts';
import { instructionFindings } from './instructions.ts';
import { invisibleFindings, withoutInvisible } from './invisible.ts';

const MOST_FINDINGS = 50;
const MOST_DEPTH = 64;
/** Members whose text a model reads as words about the tool. */
const WORDS: ReadonlySet<string> = new Set(['description', 'title', '$comment', 'examples', 'default']);

/** What a tool's definition hides from people, the worst first. */
export function findingsOf(definition: JsonObject): readonly Finding[] {
  const findings: Finding[] = [];
  eachText(definition, '', false, 0, (text, where, isWords) => {
    if (findings.length >= MOST_FINDINGS) return;
    findings.push(...invisibleFindings(text, where), ...(isWords ? instructionFindings(text, where) : []));
  });
  return findings.sort((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity]);
}

const WEIGHT: Readonly<Record<Finding['severity'], number>> = { high: 0, medium: 1, low: 2 };

/** Every text of a value with its place, names of members too. */
function eachText(
  value: JsonValue | undefined,
  where: string,
  isWords: boolean,
  depth: number,
  visit: (text: string, where: string, isWords: boolean) => void,
): void {
  if (typeof value === 'string') visit(value, where, isWords);
  if (depth > MOST_DEPTH || typeof value !== 'object' || value === null) return;
  const members: (readonly [string, JsonValue | undefined])[] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
  for (const [name, member] of members) {
    const place = where === '' ? name : `${where}.${name}`;
    if (!Array.isArray(value)) visit(name, `${where === '' ? 'the name of a member' : `a name in ${where}`}`, false);
    eachText(member, place, isWords || WORDS.has(name), depth + 1, visit);
  }
}

/**
 * A value whose words hold nothing invisible; the same object when there was nothing. Names of members, enum values and
 * patterns stay as they are: a call with other ones would be another call.
 */
export function cleaned<Value extends JsonValue | undefined>(value: Value, treatment: 'strip' | 'escape'): Value {
  let hides = false;
  eachText(value, '', false, 0, (text) => {
    hides ||= withoutInvisible(text, 'strip') !== text;
  });
  // the shape is the one that came in: only texts are replaced by texts
  return hides ? (cleanedValue(value, treatment) as Value) : value;
}

function cleanedValue(value: JsonValue | undefined, treatment: 'strip' | 'escape'): typeof value {
  if (Array.isArray(value)) return value.map((item) => cleanedValue(item, treatment) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' && TOLD.has(name)
        ? withoutInvisible(member, treatment)
        : cleanedValue(member, treatment),
    ]),
  );
}

/** `default` and `examples` are values, which calls repeat. */
const TOLD: ReadonlySet<string> = new Set(['description', 'title', '$comment']);

/** A result whose texts hold nothing invisible; the same object when there was nothing. */
export function cleanedResult(result: ToolResult, treatment: 'strip' | 'escape'): ToolResult {
  const content = result.content.map((block) => {
    if (typeof block.text !== 'string') return block;
    const text = withoutInvisible(block.text, treatment);
    return text === block.text ? block : { ...block, text };
  });
  return content.some((block, index) => block !== result.content[index]) ? { ...result, content } : result;
}
