import type MiniSearch from 'minisearch';
import { isObject, type JsonObject } from '../../model/json.ts';

/** What a search looks at of a tool. */
export interface SearchedTool {
  readonly name: string;
  /** The server that has it. */
  readonly server?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
}

interface Indexed {
  readonly id: number;
  readonly name: string;
  readonly server: string;
  readonly description: string;
}

const MAX_TEXT_LENGTH = 4_000;
/** Okapi BM25; the names of Bifrost's search and its weights. `d` is what BM25+ adds to it. */
const BM25 = { k: 1.2, b: 0.75, d: 0 };
const WEIGHTS = { name: 3, server: 1.5, description: 1 };

const indexes = new WeakMap<readonly SearchedTool[], Promise<MiniSearch<Indexed>>>();

/** The tools that the words fit, best first. The same array is indexed once. */
export async function foundByWords<Tool extends SearchedTool>(query: string, tools: readonly Tool[]): Promise<Tool[]> {
  const index = indexes.get(tools) ?? indexOf(tools);
  indexes.set(tools, index);
  const found = (await index).search(query, { boost: WEIGHTS, bm25: BM25, prefix: true, fuzzy: 0.2 });
  return found.flatMap(({ id }) => tools[Number(id)] ?? []);
}

/** Description, and the arguments' names and descriptions. */
export function searchedText({ description = '', inputSchema }: SearchedTool): string {
  const properties = isObject(inputSchema.properties) ? inputSchema.properties : {};
  const given = Object.entries(properties).map(
    ([argument, schema]) => `${argument} ${isObject(schema) ? String(schema.description ?? '') : ''}`,
  );
  return [description, ...given].join('\n').slice(0, MAX_TEXT_LENGTH);
}

async function indexOf(tools: readonly SearchedTool[]): Promise<MiniSearch<Indexed>> {
  const { default: Index } = await import('minisearch');
  const index = new Index<Indexed>({ fields: ['name', 'server', 'description'], tokenize: words });
  index.addAll(
    tools.map((tool, id) => ({ id, name: tool.name, server: tool.server ?? '', description: searchedText(tool) })),
  );
  return index;
}

/** Words of prose and of names: `getWeather`, `get_weather` and `get-weather` are the same two. */
const words = (text: string): string[] =>
  text
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
