import type { JsonObject } from '../../model/json.ts';
import type { CatalogTool } from '../contract.ts';
import { gatewayTool } from '../gateway-tool.ts';

export type ReaderToolName = 'readResult' | 'grepResult';

const HANDLE: JsonObject = { type: 'string', description: 'As the shortened result names it.' };
const whole = (description: string, more: JsonObject = {}): JsonObject => ({ type: 'integer', description, ...more });

const DEFINITIONS: Readonly<Record<ReaderToolName, { readonly text: string; readonly schema: JsonObject }>> = {
  grepResult: {
    text: 'Searches a tool result that was too large to be shown whole, line by line, and gives the matching lines with their numbers.',
    schema: {
      type: 'object',
      properties: {
        handle: HANDLE,
        pattern: { type: 'string', description: 'Text, or a regular expression, that a line must hold.' },
        context: whole('Lines to show before and behind each match; 2 when absent.', { minimum: 0, maximum: 50 }),
        ignore_case: { type: 'boolean' },
        skip: whole('Matches to pass over, to go on where an earlier answer ended.', { minimum: 0 }),
      },
      required: ['handle', 'pattern'],
      additionalProperties: false,
    },
  },
  readResult: {
    text: 'Reads a part of a tool result that was too large to be shown whole, by line numbers.',
    schema: {
      type: 'object',
      properties: {
        handle: HANDLE,
        offset: whole('The first line to read, from 1; a negative number counts from the end.'),
        limit: whole('How many lines; 200 when absent.', { minimum: 1 }),
      },
      required: ['handle'],
      additionalProperties: false,
    },
  },
};

export const isReaderTool = (name: string): name is ReaderToolName => Object.hasOwn(DEFINITIONS, name);

/** The gateway's own tools, which belong to no client, so that their names have no prefix. */
export const READER_TOOLS: readonly CatalogTool[] = (['grepResult', 'readResult'] as const).map(readerTool);

function readerTool(name: ReaderToolName): CatalogTool {
  const { text, schema } = DEFINITIONS[name];
  return gatewayTool(name, text, schema, { readOnlyHint: true, openWorldHint: false });
}
