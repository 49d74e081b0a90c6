import { Script } from 'node:vm';
import type MiniSearch from 'minisearch';
import { isObject, type JsonObject } from '../model/json.ts';
import type { FunctionTool } from '../model/request.ts';
import type { NamedSearch } from '../model/server-tools.ts';

/** How many tools one search loads (Anthropic tool search: 3 to 5). */
const DEFAULT_LIMIT = 5;
const MAX_PATTERN_LENGTH = 200;
/** A pattern may be written so that it never ends. */
const MAX_REGEX_MS = 250;
const MAX_TEXT_LENGTH = 4_000;

/** The function that stands for a search over tools which the model has not been shown. */
export const searchTool = ({ name, method, description }: NamedSearch, count: number): FunctionTool => ({
  type: 'function',
  name,
  description:
    description ??
    `Finds tools by ${method === 'regex' ? 'a regular expression' : 'words'} over their names, descriptions and ` +
      `arguments. ${count} tools are available that are not shown yet; those that are found can be called afterwards. ` +
      'Search before you say that something cannot be done.',
  inputSchema: {
    type: 'object',
    properties: {
      [ARGUMENT[method]]: {
        type: 'string',
        description:
          method === 'regex'
            ? `A regular expression, matched without regard to case; at most ${MAX_PATTERN_LENGTH} characters.`
            : 'What the tool should do, in a few words.',
      },
      limit: { type: 'integer', description: `How many tools to find at most; ${DEFAULT_LIMIT} if not given.` },
    },
    required: [ARGUMENT[method]],
  },
  owner: 'gateway',
});

const ARGUMENT = { regex: 'pattern', bm25: 'query' } as const;

/** The tools that match, best first. Throws an Error whose message tells the model what is wrong with its input. */
export async function foundBy(
  { method }: NamedSearch,
  input: JsonObject,
  tools: readonly FunctionTool[],
): Promise<readonly FunctionTool[]> {
  const asked = input[ARGUMENT[method]];
  if (typeof asked !== 'string' || asked.trim() === '') throw new Error(`${ARGUMENT[method]} must be a text`);
  const limit = typeof input.limit === 'number' && input.limit >= 1 ? Math.floor(input.limit) : DEFAULT_LIMIT;
  const found = method === 'regex' ? byPattern(asked, tools) : await byWords(asked, tools);
  return found.slice(0, limit);
}

/** What a search looks at: name, description, and the arguments' names and descriptions. */
function textOf({ name, description = '', inputSchema }: FunctionTool): string {
  const properties = isObject(inputSchema.properties) ? inputSchema.properties : {};
  const given = Object.entries(properties).map(
    ([argument, schema]) => `${argument} ${isObject(schema) ? String(schema.description ?? '') : ''}`,
  );
  return [name, description, ...given].join('\n').slice(0, MAX_TEXT_LENGTH);
}

const matching = new Script('texts.map((text) => new RegExp(pattern, "i").test(text))');

/** Names first, then what else matches. The time limit stops the engine itself. */
function byPattern(given: string, tools: readonly FunctionTool[]): FunctionTool[] {
  if (given.length > MAX_PATTERN_LENGTH) throw new Error(`pattern is longer than ${MAX_PATTERN_LENGTH} characters`);
  // Python's way to ignore case, which models write; here it always is
  const pattern = given.replace(/^\(\?[aimsux]+\)/, '');
  const texts = [...tools.map(({ name }) => name), ...tools.map(textOf)];
  const matches: readonly boolean[] = matching.runInNewContext({ pattern, texts }, { timeout: MAX_REGEX_MS });
  const named = tools.filter((_tool, index) => matches[index]);
  const told = tools.filter((_tool, index) => !matches[index] && matches[tools.length + index]);
  return [...named, ...told];
}

interface Indexed {
  readonly id: number;
  readonly name: string;
  readonly text: string;
}

const indexes = new WeakMap<readonly FunctionTool[], Promise<MiniSearch<Indexed>>>();

async function byWords(query: string, tools: readonly FunctionTool[]): Promise<FunctionTool[]> {
  const index = indexes.get(tools) ?? indexOf(tools);
  indexes.set(tools, index);
  const found = (await index).search(query, { boost: { name: 3 }, prefix: true, fuzzy: 0.2 });
  return found.flatMap(({ id }) => tools[Number(id)] ?? []);
}

async function indexOf(tools: readonly FunctionTool[]): Promise<MiniSearch<Indexed>> {
  const { default: Index } = await import('minisearch');
  const index = new Index<Indexed>({ fields: ['name', 'text'], tokenize: words });
  index.addAll(tools.map((tool, id) => ({ id, name: tool.name, text: textOf(tool) })));
  return index;
}

/** Words of prose and of names: `getWeather`, `get_weather` and `get-weather` are the same two. */
const words = (text: string): string[] =>
  text
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
