import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import type { Loss } from '../../src/model/loss.ts';
import {
  choiceOf,
  DISCRIMINATORS,
  ideaOf,
  isArgument,
  isChoice,
  isContainer,
  isInsideSchema,
  isJsonText,
  isResultMember,
  mediaTypeOf,
  namesIn,
  type Step,
  stepsOf,
  WRAPPERS,
} from './ledger-words.ts';

/** One value of a body and the way to it: member names, and places in lists as numbers. */
interface Leaf {
  readonly path: readonly Step[];
  readonly value: string | number | boolean;
}

/** What a value says, in words that all formats share: the same fact elsewhere means that nothing was lost. */
interface Fact {
  readonly idea: string;
  readonly value: string;
}

export interface Difference {
  readonly kind: 'dropped' | 'invented';
  readonly field: string;
  readonly value: Leaf['value'];
}

/** What `before` says and `after` does not, and the other way round, as far as `losses` do not tell of it. */
export function unaccounted(before: JsonObject, after: JsonObject, losses: readonly Loss[]): Difference[] {
  const [given, written] = [leavesOf(before), leavesOf(after)];
  const dropped = missing(blocksOf(given, before), new Said(written), new Account(losses));
  const invented = missing(blocksOf(written, after), new Said(given), new Account(losses));
  return [...dropped.map(told('dropped')), ...invented.map(told('invented'))];
}

const told =
  (kind: Difference['kind']) =>
  ({ path, value }: Leaf): Difference => ({ kind, field: path.join('.'), value });

/** Said of the exchange, not in it: the model is the target's, streaming and fallbacks are the gateway's. */
const OF_THE_EXCHANGE: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options', 'fallbacks']);

function leavesOf(body: JsonObject): Leaf[] {
  return Object.entries(body)
    .filter(([key]) => !OF_THE_EXCHANGE.has(key))
    .flatMap(([key, value]) => leavesIn(value, [key]));
}

/** Every value. JSON inside of strings (a call's arguments) is walked too; null and emptiness say nothing. */
function leavesIn(value: JsonValue | undefined, path: readonly Step[]): Leaf[] {
  if (value === null || value === undefined || value === '') return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesIn(item, [...path, index]));
  if (!isObject(value)) {
    const inside = typeof value === 'string' && isJsonText(path) ? parsed(value) : undefined;
    return inside ? leavesIn(inside, path) : [{ path, value }];
  }
  if (isInsideSchema(path)) return Object.entries(value).flatMap(([key, member]) => leavesIn(member, [...path, key]));
  // Bedrock's word for how to choose is the name of a member
  const [word = ''] = Object.keys(value);
  if (path.at(-1) === 'toolChoice' && word !== 'tool') return [{ path, value: word }];
  const [kinds, others] = partition(Object.entries(value), ([key]) => DISCRIMINATORS.has(key));
  const leaves = others.flatMap(([key, member]) => leavesIn(member, [...path, key]));
  // a word for the kind says something by itself only where nothing else does, or where it is the choice
  const isMode = ideaOf(path.at(-1) ?? '') === 'choice' && others.every(([key]) => key.startsWith('disable'));
  if (leaves.length > 0 && !isMode) return leaves;
  const words = kinds.filter(([key]) => key !== 'role');
  return [...leaves, ...words.flatMap(([key, member]) => leavesIn(member, [...path, key]))];
}

function partition<Item>(items: readonly Item[], matches: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(matches), items.filter((item) => !matches(item))];
}

function parsed(text: string): JsonObject | undefined {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : Array.isArray(value) ? { list: value } : undefined;
  } catch {
    return undefined;
  }
}

function factsOf({ path, value }: Leaf): Fact[] {
  const last = namesIn(path).at(-1) ?? '';
  const text = String(value).trim();
  if (isNeutral(path, value)) return [];
  if (isInsideSchema(path)) return [{ idea: `schema ${last}`, value: text.toLowerCase() }];
  if (isArgument(path)) return [{ idea: `argument ${last}`, value: text }];
  if (isResultMember(path)) return last === 'error' ? [asText(text), FAILED] : [asText(text)];
  if (last === 'type' && path.some(isFormat)) return [{ idea: 'format', value: text }];
  if (path.some((step) => ideaOf(step) === 'cacheMark')) return [{ idea: `cacheMark ${last}`, value: markOf(text) }];
  if (last === 'status' && path.includes('toolResult')) return text === 'error' ? [FAILED] : [];
  const idea = isChoice(path) ? 'choice' : path.includes('reasoningText') && last === 'text' ? 'effort' : ideaOf(last);
  switch (idea) {
    case 'data':
      return dataFacts(text);
    case 'callId':
      return [{ idea, value: text.replace(/_ts_[\w-]+$/, '') }];
    case 'mediaType':
      return [{ idea, value: mediaTypeOf(text) }];
    case 'choice':
      return last === 'disable_parallel_tool_use'
        ? [{ idea: 'parallel', value: String(!value) }]
        : [{ idea, value: choiceOf(text.toLowerCase()) }];
    case 'isError':
      return value === true ? [FAILED] : [];
    default:
      return last === 'format' ? [{ idea: 'mediaType', value: mediaTypeOf(text) }] : [{ idea, value: text }];
  }
}

const markOf = (word: string): string => (word === 'default' ? 'ephemeral' : word);

const asText = (value: string): Fact => ({ idea: 'text', value });
const FAILED: Fact = { idea: 'isError', value: 'true' };

/** Whether nothing but the container stands above, which with Bedrock is two members deep. */
const isTopOfSchema = (path: readonly Step[]): boolean =>
  !isInsideSchema(path.slice(0, path.at(-2) === 'json' ? -3 : -2));

const isFormat = (step: Step): boolean => step === 'format' || ideaOf(step) === 'format';

/** Words for what every format does when nothing is said, and the state of what is long past. */
function isNeutral(path: readonly Step[], value: Leaf['value']): boolean {
  const last = path.at(-1);
  // what it refers to is told in its place
  if (last === '$ref') return true;
  if (isInsideSchema(path)) return isTopOfSchema(path) && last === 'type' && String(value).toLowerCase() === 'object';
  const isOff = value === 'none' || value === 'disabled' || value === 0;
  if (path.some((step) => ideaOf(step) === 'effort') && !path.includes('messages')) return isOff;
  if (last === 'parallel_tool_calls') return value === true;
  if (isChoice(path)) return String(value).toLowerCase() === 'auto';
  if (last === 'strict') return value === false;
  if (last === 'status') return value === 'completed';
  return path.at(-2) === 'format' && last === 'type' && value === 'text';
}

/** A `data:` URI says a type and data. */
function dataFacts(text: string): Fact[] {
  const [, type, data] = /^data:([^;,]*)[^,]*,(.*)$/s.exec(text) ?? [];
  if (data === undefined || type === undefined) return [{ idea: 'data', value: decoded(text) }];
  return [
    { idea: 'mediaType', value: mediaTypeOf(type) },
    { idea: 'data', value: decoded(data) },
  ];
}

/** A document of text may stand in base64 or as it is. */
function decoded(given: string): string {
  // Google writes base64 in the alphabet of URLs
  const data = given.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  if (!/^[\w+/]+$/.test(data) || given.startsWith('http')) return given;
  if (data.length > 100_000) return data;
  const text = Buffer.from(data, 'base64').toString('utf8');
  return /^[\s\x20-\x7e]+$/.test(text) ? text.trim() : data;
}

/** What a body says, asked by fact. */
class Said {
  readonly #facts = new Set<string>();
  readonly #texts: string[];
  /** Longest first, so that no text is found inside of another. */
  #pieces: string[] | undefined;
  readonly #leaves: readonly Leaf[];
  readonly #chooses: boolean;
  readonly #hasNoIds: boolean;
  readonly #hasFormat: boolean;

  constructor(leaves: readonly Leaf[]) {
    this.#leaves = leaves;
    const facts = leaves.flatMap(factsOf);
    for (const { idea, value } of facts) this.#facts.add(`${idea} ${value}`);
    this.#chooses = facts.some(({ idea }) => idea === 'choice');
    this.#hasNoIds = !facts.some(({ idea }) => idea === 'callId');
    this.#hasFormat = leaves.some(({ path }) => path.some(isFormat));
    this.#texts = facts.flatMap(({ idea, value }) => (idea === 'text' ? [value] : []));
  }

  holds(leaf: Leaf): boolean {
    return factsOf(leaf).every((fact) => this.#knows(fact));
  }

  #knows({ idea, value }: Fact): boolean {
    if (this.#facts.has(`${idea} ${value}`)) return true;
    // some tool is to be called: the one that is named, or any of those that are left
    if (idea === 'choice') return value === 'required' ? this.#chooses : this.#facts.has(`name ${value}`);
    if (idea === 'format') return this.#hasFormat;
    if (idea === 'callId') return this.#hasNoIds && /^call_[\da-f]{24}$/.test(value);
    // flattened, a namespace is a part of the name
    if (idea === 'name') return this.#facts.has(`schema title ${value.toLowerCase()}`);
    if (idea === 'data') return this.#isText(value);
    return idea === 'text' && (this.#isText(value) || this.#isComposed(value));
  }

  #isText(text: string): boolean {
    const trimmed = text.trim();
    const escaped = JSON.stringify(trimmed).slice(1, -1);
    return this.#texts.some((said) => said.includes(trimmed) || said.includes(escaped));
  }

  /** Whether a text is put together of what was said and nothing else. */
  #isComposed(text: string): boolean {
    this.#pieces ??= [...new Set(this.#leaves.map(({ value }) => String(value).trim()))]
      .concat(WRAPPERS)
      .sort((a, b) => b.length - a.length);
    const inside = parsed(text);
    const texts = inside ? leavesIn(inside, []).map(({ value }) => String(value)) : [text];
    return texts.every((whole) => {
      let rest = whole;
      for (const piece of this.#pieces ?? []) {
        if (rest.trim() === '') return true;
        if (piece.length > 1 || rest.trim() === piece) rest = rest.replaceAll(piece, '');
      }
      return rest.trim() === '' || this.#facts.has(`data ${whole.trim()}`);
    });
  }
}

/**
 * Values of which nothing is known elsewhere and which no entry names. A block that is missing as a whole takes up one
 * entry for it; as many blocks may be missing as entries (or their counts) say.
 */
function missing(blocks: Blocks, elsewhere: Said, account: Account): Leaf[] {
  const silent: Leaf[] = [];
  for (const [block, held] of blocks) {
    const gone = held.filter((leaf) => !elsewhere.holds(leaf));
    const open = gone.filter((leaf) => !account.names(leaf));
    if (open.length === 0) continue;
    const isWhole =
      gone.length === held.filter((leaf) => factsOf(leaf).length > 0).length ||
      gone.some((leaf) => CONTENTS.has(factsOf(leaf)[0]?.idea ?? ''));
    if (!isWhole || !account.takesBlock(block)) silent.push(...open);
  }
  return silent;
}

/** A block without these is no longer there, even if a name or an id of it is met elsewhere. */
const CONTENTS: ReadonlySet<string> = new Set(['text', 'effort', 'data', 'name', 'signature', 'encrypted_content']);

type Blocks = ReadonlyMap<string, readonly Leaf[]>;

/** Leaves by the list item that holds them (a message's part, a tool); those at the top stand by themselves. */
function blocksOf(leaves: readonly Leaf[], body: JsonObject): Blocks {
  const blocks = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const name = thoughtOf(leaf.path, body) ?? leaf.path.slice(0, endOfBlock(leaf.path)).join('.');
    const block = blocks.get(name);
    if (block) block.push(leaf);
    else blocks.set(name, [leaf]);
  }
  return blocks;
}

/** Thinking is one block, in however many texts (Responses) or streamed pieces (Gemini) it is told. */
function thoughtOf([list, place, , part]: readonly Step[], { input, contents }: JsonObject): string | undefined {
  const lists: Readonly<Record<string, JsonValue | undefined>> = { input, contents };
  const items = lists[String(list)];
  const item = Array.isArray(items) ? items[Number(place)] : undefined;
  if (!isObject(item)) return undefined;
  const piece = Array.isArray(item.parts) ? item.parts[Number(part)] : undefined;
  const isThought = item.type === 'reasoning' || (isObject(piece) && piece.thought === true);
  return isThought ? `${list}.${place}` : undefined;
}

/** A message goes on into its parts, an entry of Google's tools into its functions; deeper lists are the block's own. */
function endOfBlock(path: readonly Step[]): number {
  if (typeof path[1] !== 'number') return isContainer(path[1]) && typeof path[2] === 'number' ? 3 : 1;
  return isContainer(path[2]) && typeof path[3] === 'number' && path[2] !== 'tools' ? 4 : 2;
}

/** The ledger's entries, to be held against the differences. */
class Account {
  readonly #fields: readonly string[][];
  /** Whole blocks that entries speak of, by the list that held them. */
  readonly #blocks = new Map<string, number>();

  constructor(losses: readonly Loss[]) {
    const entries = losses.map(({ field, count = 1 }) => ({ steps: stepsOf(field.split(/[.[\]]+/)), count }));
    this.#fields = entries
      .map(({ steps }) => steps)
      .filter(([first, ...rest]) => rest.length > 0 || !isContainer(first));
    for (const { steps, count } of entries) {
      const [list = ''] = steps;
      const isBlock = steps.length === 1 || (steps.length === 2 && steps[1] === 'reasoning');
      if (isBlock) this.#blocks.set(list, (this.#blocks.get(list) ?? 0) + count);
    }
  }

  /** Whether an entry names the value's field, under any of its names, in the same part of the body. */
  names({ path }: Leaf): boolean {
    const own = stepsOf(path);
    const ideas = new Set(own.map(ideaOf));
    return this.#fields.some((field) => {
      // a renamed tool is renamed wherever it is named
      const inSameList = !isContainer(field[0]) || field[0] === own[0] || field.at(-1) === 'name';
      return inSameList && ideas.has(ideaOf(field.at(-1) ?? ''));
    });
  }

  takesBlock(block: string): boolean {
    const [list = ''] = stepsOf(block.split('.'));
    const left = this.#blocks.get(list) ?? 0;
    this.#blocks.set(list, left - 1);
    return left > 0;
  }
}
