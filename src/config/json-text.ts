import { ConfigError } from './config-error.ts';

/** A step from a value to one inside it. */
export type PathStep = string | number;

/** A parsed JSON file that still knows where its values stood. */
export interface JsonText {
  readonly value: unknown;
  /** `line:column` (from 1) of the value at `path`, or of the nearest one around it that is in the text. */
  positionOf(path: readonly PathStep[]): string;
  /** Where a member stands again that its object had before. JSON gives the last of them. */
  readonly repeated: readonly (readonly PathStep[])[];
}

/** No config is nested like this, and what reads it goes down as deep. */
const MOST_LEVELS = 100;

/**
 * The JSON in `text`, which came from `file`. Throws ConfigError with line, column and fix. We look for the fault
 * ourselves because V8 often gives no position and quotes the text around it, which may be a key.
 */
export function parseJsonText(text: string, file: string): JsonText {
  const offsets = new Map<string, number>();
  const repeated = new Map<string, readonly PathStep[]>();
  const found = (path: readonly PathStep[], offset: number): void => {
    const key = keyOf(path);
    if (offsets.has(key)) repeated.set(key, [...path]);
    offsets.set(key, offset);
  };
  const positionOf = (path: readonly PathStep[]): string => {
    for (let length = path.length; length >= 0; length--) {
      const offset = offsets.get(keyOf(path.slice(0, length)));
      if (offset !== undefined) return lineAndColumn(text, offset);
    }
    return '1:1';
  };
  try {
    new Scanner(text, found).scan();
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw new ConfigError(`${file}:${lineAndColumn(text, thrown.offset)} is not valid JSON: ${thrown.message}`);
  }
  const isOutermost = (path: readonly PathStep[]): boolean => !repeated.has(keyOf(path.slice(0, -1)));
  return { value: JSON.parse(text), positionOf, repeated: [...repeated.values()].filter(isOutermost) };
}

const keyOf = (path: readonly PathStep[]): string => JSON.stringify(path.map(String));

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `${before.split('\n').length}:${offset - before.lastIndexOf('\n')}`;
}

class Fault extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

const SPACE = /[ \t\r\n]*/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const PLAIN = /[^"\\\u0000-\u001f]+/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Walks JSON text once: reports where each value starts, and throws a Fault at the first thing that is not JSON. */
class Scanner {
  readonly #text: string;
  readonly #found: (path: readonly PathStep[], offset: number) => void;
  readonly #path: PathStep[] = [];
  #offset = 0;

  constructor(text: string, found: (path: readonly PathStep[], offset: number) => void) {
    this.#text = text;
    this.#found = found;
  }

  scan(): void {
    this.#value();
    this.#take(SPACE);
    if (this.#offset < this.#text.length) this.#fail('something follows the end of the document; remove it');
  }

  #value(): void {
    this.#take(SPACE);
    if (this.#path.length > MOST_LEVELS) this.#fail(`nothing is read below ${MOST_LEVELS} levels; nest it less`);
    this.#found(this.#path, this.#offset);
    const first = this.#text[this.#offset];
    if (first === '{') this.#members('}', () => this.#member());
    else if (first === '[') this.#members(']', (index) => this.#inside(index));
    else if (first === '"') this.#string();
    else if (!this.#take(SCALAR)) this.#fail(adviceFor(first, 'a value'));
  }

  #members(close: '}' | ']', readMember: (index: number) => void): void {
    this.#offset += 1;
    if (this.#isNext(close)) return;
    for (let index = 0; ; index++) {
      readMember(index);
      if (this.#isNext(close)) return;
      if (!this.#isNext(',')) this.#fail(adviceFor(this.#text[this.#offset], `"," or "${close}"`));
      this.#take(SPACE);
      if (this.#text[this.#offset] === close) this.#fail(`remove the comma before this "${close}"`);
    }
  }

  #member(): void {
    this.#take(SPACE);
    if (this.#text[this.#offset] !== '"') {
      this.#fail(adviceFor(this.#text[this.#offset], 'a field name in double quotes'));
    }
    const name: unknown = JSON.parse(this.#string());
    if (!this.#isNext(':')) this.#fail(adviceFor(this.#text[this.#offset], '":" after the field name'));
    this.#inside(String(name));
  }

  #inside(step: PathStep): void {
    this.#path.push(step);
    this.#value();
    this.#path.pop();
  }

  #string(): string {
    const start = this.#offset;
    this.#offset += 1;
    // one pattern for the whole would need a stack as deep as the text is long
    while (this.#take(PLAIN) || this.#take(ESCAPE));
    if (this.#text[this.#offset] !== '"') {
      this.#offset = start;
      this.#fail('this text never closes, or holds a line break or a bad escape such as "\\x"');
    }
    this.#offset += 1;
    return this.#text.slice(start, this.#offset);
  }

  /** Skips space, then `character` if it stands there. */
  #isNext(character: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#offset] !== character) return false;
    this.#offset += 1;
    return true;
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#offset;
    if (!pattern.test(this.#text)) return false;
    this.#offset = pattern.lastIndex;
    return true;
  }

  #fail(message: string): never {
    throw new Fault(this.#offset, message);
  }
}

/** What to do about a character that cannot stand here. Shows no more of the text than that character. */
function adviceFor(character: string | undefined, expected: string): string {
  if (character === undefined) return `the text ends where ${expected} is expected`;
  if (character === '/' || character === '#') return 'JSON has no comments; remove this one';
  if (character === "'") return 'write double quotes instead of single quotes';
  if (character === '\u201c' || character === '\u201d') return 'write straight double quotes instead of curly ones';
  if (/\s/.test(character)) return 'this looks like a space and is none; write an ordinary one';
  if (/[TFN]/.test(character)) return `expected ${expected}; the words are true, false and null, in lower case`;
  return `expected ${expected}`;
}
