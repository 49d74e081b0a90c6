import { Script } from 'node:vm';
import { foundByWords, searchedText } from '../mcp/tool-search/tool-index.ts';
import type { JsonObject } from '../model/json.ts';
import type { FunctionTool } from '../model/request.ts';
import type { NamedSearch } from '../model/server-tools.ts';

/** How many tools one search loads (Anthropic tool search: 3 to 5). */
const DEFAULT_LIMIT = 5;
const MAX_PATTERN_LENGTH = 200;
/** A pattern may be written so that it never ends. */
const MAX_REGEX_MS = 250;

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
  const found = method === 'regex' ? byPattern(asked, tools) : await foundByWords(asked, tools);
  return found.slice(0, limit);
}

const textOf = (tool: FunctionTool): string => `${tool.name}\n${searchedText(tool)}`;

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
