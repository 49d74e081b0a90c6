import { lstat, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { looksOnly, messageOf, structuredResult, textResult } from '../support.ts';
import { displayPath, resolveEntry, resolveTarget } from './confine.ts';
import { maxAnswerBytes, partOf, readContent, sizeText } from './content.ts';
import { explained } from './errors.ts';
import type { Roots } from './roots.ts';
import { drawTree } from './tree.ts';
import { entriesOf, onOneLine, typeOf } from './walk.ts';

const maxListed = 1000;

export const pathArgument = z.string().min(1).max(4096).describe('Absolute, or relative to the first allowed folder');
export const folderArgument = pathArgument.default('.').describe('The folder; default: the first allowed folder');
const entryType = z.enum(['file', 'directory', 'symlink', 'other']);

export function registerReadTools(server: McpServer, roots: Roots): void {
  registerReadFile(server, roots);
  registerReadMultipleFiles(server, roots);
  registerListDirectory(server, roots);
  registerDirectoryTree(server, roots);
  registerFileInfo(server, roots);
}

function registerReadFile(server: McpServer, roots: Roots): void {
  server.registerTool(
    'read_file',
    {
      title: 'Read file',
      description:
        `Reads a UTF-8 text file, or shows a png, jpg, gif or webp image. At most ${sizeText(maxAnswerBytes)} of text at a ` +
        'time: read larger files in parts with offset and limit. Other binary files are refused.',
      inputSchema: z.strictObject({
        path: pathArgument,
        offset: z.number().int().min(1).optional().describe('First line to read, counted from 1'),
        limit: z.number().int().min(1).optional().describe('How many lines to read'),
      }),
      annotations: looksOnly,
    },
    ({ path, ...range }) =>
      explained(path, async () => {
        const content = await readContent(await resolveTarget(roots, path), path);
        if (content.kind === 'image') {
          return { content: [{ type: 'image', data: content.base64, mimeType: content.mimeType }] };
        }
        const { text, note } = partOf(content.text, path, range);
        return note === undefined ? textResult(text) : textResult(text, note);
      }),
  );
}

function registerReadMultipleFiles(server: McpServer, roots: Roots): void {
  server.registerTool(
    'read_multiple_files',
    {
      title: 'Read several files',
      description:
        'Reads several text files in one call; quicker than one call for each. A file that cannot be read is reported in its ' +
        `place and does not stop the others. At most ${sizeText(maxAnswerBytes)} in all.`,
      inputSchema: z.strictObject({ paths: z.array(pathArgument).min(1).max(50) }),
      annotations: looksOnly,
    },
    async ({ paths }) => {
      let left = maxAnswerBytes;
      let failures = 0;
      const texts: string[] = [];
      // In order, so that the budget goes to the files named first.
      for (const path of paths) {
        try {
          const text = await explained(path, () => readWithin(roots, path, left));
          left -= Buffer.byteLength(text);
          texts.push(`==> ${path} <==\n${text}`);
        } catch (error) {
          failures++;
          texts.push(`==> ${path} <== ERROR\n${messageOf(error)}`);
        }
      }
      return { ...textResult(...texts), ...(failures === paths.length && { isError: true }) };
    },
  );
}

async function readWithin(roots: Roots, path: string, left: number): Promise<string> {
  const content = await readContent(await resolveTarget(roots, path), path);
  if (content.kind === 'image') throw new Error(`'${path}' is an image; use read_file to see it.`);
  const { text } = partOf(content.text, path, {});
  if (Buffer.byteLength(text) > left) {
    throw new Error(
      `'${path}' was left out: all files together exceed ${sizeText(maxAnswerBytes)}. Read it in another call.`,
    );
  }
  return text;
}

function registerListDirectory(server: McpServer, roots: Roots): void {
  server.registerTool(
    'list_directory',
    {
      title: 'List folder',
      description: `What a folder holds: names, types, and the sizes of files; at most ${maxListed} entries, sorted by name.`,
      inputSchema: z.strictObject({ path: folderArgument }),
      outputSchema: z.object({
        path: z.string(),
        entries: z.array(z.object({ name: z.string(), type: entryType, size: z.number().optional() })),
        total: z.number().describe('How many entries there are, shown or not'),
      }),
      annotations: looksOnly,
    },
    ({ path }) =>
      explained(path, async () => {
        const real = await resolveTarget(roots, path);
        const all = await entriesOf(real);
        const entries = await Promise.all(
          all.slice(0, maxListed).map(async (entry) => {
            const size =
              entry.type === 'file' ? (await lstat(join(real, entry.name)).catch(() => undefined))?.size : undefined;
            return { ...entry, ...(size !== undefined && { size }) };
          }),
        );
        const lines = entries.map(
          ({ name, type, size }) =>
            `${typeLabel[type]} ${onOneLine(name)}${size === undefined ? '' : ` (${sizeText(size)})`}`,
        );
        if (all.length === 0) lines.push('(empty)');
        if (all.length > maxListed)
          lines.push(`[${all.length - maxListed} more; use search_files to find some by name]`);
        return structuredResult(lines.join('\n'), { path: displayPath(roots, real), entries, total: all.length });
      }),
  );
}

const typeLabel = { file: '[FILE]', directory: '[DIR] ', symlink: '[LINK]', other: '[SPECIAL]' } as const;

function registerDirectoryTree(server: McpServer, roots: Roots): void {
  server.registerTool(
    'directory_tree',
    {
      title: 'Folder tree',
      description:
        'An indented drawing of a folder and what is below it; folders end in "/". Contents of .git, node_modules and linked ' +
        'folders are left out unless the path names such a folder itself.',
      inputSchema: z.strictObject({
        path: folderArgument,
        maxDepth: z.number().int().min(1).max(50).default(4).describe('How many levels to show'),
        maxEntries: z.number().int().min(1).max(5000).default(500).describe('How many files and folders to show'),
      }),
      annotations: looksOnly,
    },
    ({ path, maxDepth, maxEntries }) =>
      explained(path, async () => {
        const real = await resolveTarget(roots, path);
        return textResult(await drawTree(real, displayPath(roots, real), maxDepth, maxEntries));
      }),
  );
}

function registerFileInfo(server: McpServer, roots: Roots): void {
  server.registerTool(
    'get_file_info',
    {
      title: 'File information',
      description:
        'Type, size, permissions and times of a file or folder, without its content. Of a link: of what it points to.',
      inputSchema: z.strictObject({ path: pathArgument }),
      outputSchema: z.object({
        path: z.string(),
        name: z.string(),
        type: entryType,
        isLink: z.boolean(),
        size: z.number().describe('In bytes'),
        permissions: z.string().describe("Octal, e.g. '644'"),
        created: z.string(),
        modified: z.string(),
        accessed: z.string(),
      }),
      annotations: looksOnly,
    },
    ({ path }) =>
      explained(path, async () => {
        const real = await resolveTarget(roots, path);
        const stats = await stat(real);
        const info = {
          path: displayPath(roots, real),
          name: basename(real),
          type: typeOf(stats),
          isLink: await isLink(roots, path),
          size: stats.size,
          permissions: (stats.mode & 0o7777).toString(8).padStart(3, '0'),
          created: stats.birthtime.toISOString(),
          modified: stats.mtime.toISOString(),
          accessed: stats.atime.toISOString(),
        };
        return structuredResult(
          Object.entries(info)
            .map(([name, value]) => `${name}: ${value}`)
            .join('\n'),
          info,
        );
      }),
  );
}

async function isLink(roots: Roots, path: string): Promise<boolean> {
  // A root has no entry of its own to look at.
  const entry = await resolveEntry(roots, path).catch(() => undefined);
  return entry !== undefined && (await lstat(entry)).isSymbolicLink();
}
