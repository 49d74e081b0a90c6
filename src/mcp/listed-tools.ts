import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { Writable } from '../model/writable.ts';
import type { ToolAnnotations } from './contract.ts';
import type { Finding } from './safety/finding.ts';
import type { WhyHeld } from './safety/judgement.ts';

/** One tool as a server lists it, before any client's rules are applied. */
export interface ListedTool {
  readonly upstreamName: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly definition: JsonObject;
  readonly annotations: ToolAnnotations;
  /** Why it waits for an admin; absent = it does not. */
  readonly heldBack?: WhyHeld;
  /** What hides in its definition; absent = nothing. */
  readonly findings?: readonly Finding[];
}

/** The last good list of one server. Equal lists are one list, so that nobody is told of a change that is none. */
export class ToolList {
  readonly #review: (tools: readonly ListedTool[]) => readonly ListedTool[];
  #listed: readonly ListedTool[] = [];
  #tools: readonly ListedTool[] = [];
  #byName: ReadonlyMap<string, ListedTool> = new Map();
  #text: string | undefined;

  /** `review` marks what of a list is held back. */
  constructor(review: (tools: readonly ListedTool[]) => readonly ListedTool[] = (tools) => tools) {
    this.#review = review;
  }

  get tools(): readonly ListedTool[] {
    return this.#tools;
  }

  /** Whether there ever was a list; it may have been empty. */
  get isKnown(): boolean {
    return this.#text !== undefined;
  }

  get(upstreamName: string): ListedTool | undefined {
    return this.#byName.get(upstreamName);
  }

  /** True when the list is another than before. */
  take(listed: readonly unknown[], warn: (message: string) => void): boolean {
    const tools = readTools(listed, warn);
    const text = JSON.stringify(tools.map((tool) => tool.definition));
    if (text === this.#text) return false;
    this.#text = text;
    this.#listed = tools;
    this.reviewAgain();
    return true;
  }

  /** The same list under other rules, or after a release. */
  reviewAgain(): void {
    if (!this.isKnown) return;
    this.#tools = this.#review(this.#listed);
    this.#byName = new Map(this.#tools.map((tool) => [tool.upstreamName, tool]));
  }
}

/**
 * The usable tools of a `tools/list` answer, sorted by name. Tools without a name, with a name that could be read as a
 * path, and second tools of one name are left out, each with a warning (Bifrost skips the same ones at discovery).
 */
export function readTools(listed: readonly unknown[], warn: (message: string) => void): ListedTool[] {
  const tools = new Map<string, ListedTool>();
  for (const value of listed) {
    const fault = isObject(value) ? faultOf(value, tools) : 'it is not an object';
    if (!isObject(value) || fault) warn(`a tool was skipped: ${fault}`);
    else tools.set(String(value.name), listedTool(value));
  }
  return [...tools.values()].sort((a, b) => compareNames(a.upstreamName, b.upstreamName));
}

/** Alphabetical by code unit: the same order on every machine, whatever its locale. */
export const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function faultOf(tool: JsonObject, known: ReadonlyMap<string, ListedTool>): string | undefined {
  const { name } = tool;
  if (typeof name !== 'string' || name.trim() === '') return 'its name is empty';
  if (/\/|\.\./.test(name)) return `its name '${name}' contains '/' or '..'`;
  if (known.has(name)) return `the name '${name}' is listed twice`;
  return isDeeperThan(MAX_LEVELS, tool) ? `the definition of '${name}' has more than ${MAX_LEVELS} levels` : undefined;
}

/** Far more than any schema has, and far less than what takes the stack of those who walk it. */
const MAX_LEVELS = 500;

const isDeeperThan = (levels: number, value: JsonValue | undefined): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner)));

function listedTool(definition: JsonObject): ListedTool {
  const { name, description } = definition;
  const hasSchema = isObject(definition.inputSchema);
  return {
    upstreamName: String(name),
    ...(typeof description === 'string' && { description }),
    inputSchema: repairedSchema(definition.inputSchema),
    // One tool without a schema object makes clients refuse the whole list (seen with Claude Code).
    definition: hasSchema ? definition : { ...definition, inputSchema: { type: 'object', properties: {} } },
    annotations: readAnnotations(definition.annotations),
  };
}

function readAnnotations(value: JsonValue | undefined): ToolAnnotations {
  if (!isObject(value)) return {};
  const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const;
  const annotations: Writable<ToolAnnotations> = {};
  if (typeof value.title === 'string') annotations.title = value.title;
  for (const hint of hints) {
    const given = value[hint];
    if (typeof given === 'boolean') annotations[hint] = given;
  }
  return annotations;
}

/**
 * An input schema that every model API takes: an object with `properties`, and `items` on each array. Otherwise as the
 * server gave it; what one provider cannot take is that provider's codec's business.
 */
function repairedSchema(schema: JsonValue | undefined): JsonObject {
  const given = isObject(schema) ? schema : {};
  const properties = isObject(given.properties) ? given.properties : {};
  return withItems({ ...given, type: 'object', properties });
}

const SCHEMA_MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
const SCHEMA_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const SCHEMAS = ['items', 'additionalProperties', 'contains', 'not', 'if', 'then', 'else', 'propertyNames'];

/** Walks by position, so that a property called "items" or "type" is not taken for a keyword. */
function withItems(schema: JsonObject): JsonObject {
  const result: JsonObject = { ...schema };
  for (const key of SCHEMA_MAPS) {
    const map = schema[key];
    if (isObject(map))
      result[key] = Object.fromEntries(Object.entries(map).map(([name, inner]) => [name, each(inner)]));
  }
  for (const key of SCHEMA_LISTS) {
    const list = schema[key];
    if (Array.isArray(list)) result[key] = list.map((inner) => each(inner) ?? null);
  }
  for (const key of SCHEMAS) if (isObject(schema[key])) result[key] = withItems(schema[key]);
  if (isArrayType(schema.type) && schema.items === undefined && schema.prefixItems === undefined) result.items = {};
  return result;
}

const each = (value: JsonValue | undefined): JsonValue | undefined => (isObject(value) ? withItems(value) : value);

const isArrayType = (type: JsonValue | undefined): boolean =>
  type === 'array' || (Array.isArray(type) && type.includes('array'));
