import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { looksOnly, structuredResult } from '../support.ts';
import { displayPath, resolveTarget } from './confine.ts';
import { explained } from './errors.ts';
import { folderArgument } from './read-tools.ts';
import type { Roots } from './roots.ts';
import { type Match, search } from './search.ts';
import { onOneLine, walkFrom } from './walk.ts';

const globArgument = z.string().min(1).max(500);

export function registerSearchTool(server: McpServer, roots: Roots): void {
  server.registerTool(
    'search_files',
    {
      title: 'Search files',
      description:
        'Finds files and folders by name (pattern), or lines in text files (content), or both: content in the files that fit ' +
        'the pattern. Looks below a folder, but not inside .git, node_modules, linked folders, binary files and files over 5 MiB.',
      inputSchema: z.strictObject({
        path: folderArgument.describe('The folder to look in, or a file; default: the first allowed folder'),
        pattern: globArgument
          .optional()
          .describe("Glob such as '*.ts' or 'src/**/*.{js,ts}', or part of a file name such as 'config'"),
        content: z.string().min(1).max(1000).optional().describe('Text that a line of the file must contain'),
        regex: z.boolean().default(false).describe('content is a JavaScript regular expression, tried on each line'),
        ignoreCase: z.boolean().default(false).describe('content matches in upper and lower case'),
        exclude: z.array(globArgument).max(20).default([]).describe("Globs to leave out, e.g. ['dist', '*.min.js']"),
        maxResults: z.number().int().min(1).max(1000).default(100),
      }),
      outputSchema: z.object({
        matches: z.array(
          z.object({
            path: z.string(),
            isFolder: z.boolean(),
            line: z.number().optional().describe('From 1'),
            text: z.string().optional(),
          }),
        ),
        incomplete: z.string().optional().describe('Why there may be more matches'),
      }),
      annotations: looksOnly,
    },
    ({ path, ...options }, { signal }) =>
      explained(path, async () => {
        if (options.pattern === undefined && options.content === undefined) {
          throw new Error('Say what to look for: a pattern for names, content for text in files, or both.');
        }
        const real = await resolveTarget(roots, path);
        const { matches, incomplete } = await search(walkFrom(real), options, signal);
        const shown = matches.map((match) => ({ ...match, path: displayPath(roots, match.path) }));
        return structuredResult(textOfMatches(shown, incomplete), {
          matches: shown,
          ...(incomplete && { incomplete }),
        });
      }),
  );
}

function textOfMatches(matches: readonly Match[], incomplete: string | undefined): string {
  const lines = matches.map(({ path, isFolder, line, text }) =>
    line === undefined ? onOneLine(path) + (isFolder ? '/' : '') : `${onOneLine(path)}:${line}: ${text}`,
  );
  if (lines.length === 0) lines.push('Nothing found.');
  if (incomplete) lines.push(`[${incomplete}; narrow the search for the rest]`);
  return lines.join('\n');
}
