import { cp, lstat, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { textResult } from '../support.ts';
import { assertNoLinks, displayPath, resolveEntry, resolveTarget } from './confine.ts';
import { maxAnswerBytes, readContent, sizeText } from './content.ts';
import { applyEdits } from './edit.ts';
import { explained } from './errors.ts';
import { pathArgument } from './read-tools.ts';
import type { Roots } from './roots.ts';
import { unifiedDiff } from './unified-diff.ts';
import { createFile, makeParents, oneAtATime, replaceFile, writeFile } from './write.ts';

const contentArgument = z.string().describe('The whole text of the file, written as UTF-8 exactly as given');

/** Changes what is there already, but a repeated call changes nothing more. */
const overwrites = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false } as const;
const changes = { ...overwrites, idempotentHint: false } as const;

type InTurn = ReturnType<typeof oneAtATime>;

export function registerWriteTools(server: McpServer, roots: Roots): void {
  const inTurn = oneAtATime();
  registerCreateFile(server, roots, inTurn);
  registerWriteFile(server, roots, inTurn);
  registerEditFile(server, roots, inTurn);
  registerMoveFile(server, roots, inTurn);
  registerDeleteFile(server, roots, inTurn);
}

function registerCreateFile(server: McpServer, roots: Roots, inTurn: InTurn): void {
  server.registerTool(
    'create_file',
    {
      title: 'Create file',
      description:
        'Creates a text file with the given content; missing folders are made. Fails if the file exists, unless overwrite is set.',
      inputSchema: z.strictObject({
        path: pathArgument,
        content: contentArgument,
        overwrite: z.boolean().default(false).describe('Replace a file that exists'),
      }),
      annotations: overwrites,
    },
    ({ path, content, overwrite }) =>
      inTurn(() =>
        explained(path, async () => {
          const real = await resolveTarget(roots, path);
          await (overwrite ? writeFile(real, content) : createOnly(real, content, path));
          return textResult(
            `${overwrite ? 'Wrote' : 'Created'} ${displayPath(roots, real)} (${sizeText(Buffer.byteLength(content))}).`,
          );
        }),
      ),
  );
}

async function createOnly(real: string, content: string, path: string): Promise<void> {
  try {
    await createFile(real, content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`'${path}' exists already. Set overwrite to replace it, or use edit_file to change parts of it.`);
  }
}

function registerWriteFile(server: McpServer, roots: Roots, inTurn: InTurn): void {
  server.registerTool(
    'write_file',
    {
      title: 'Write file',
      description:
        'Writes the whole content of a text file, replacing what was there; creates the file and missing folders if needed. ' +
        'To change parts of a file use edit_file.',
      inputSchema: z.strictObject({ path: pathArgument, content: contentArgument }),
      annotations: overwrites,
    },
    ({ path, content }) =>
      inTurn(() =>
        explained(path, async () => {
          const real = await resolveTarget(roots, path);
          await writeFile(real, content);
          return textResult(`Wrote ${displayPath(roots, real)} (${sizeText(Buffer.byteLength(content))}).`);
        }),
      ),
  );
}

function registerEditFile(server: McpServer, roots: Roots, inTurn: InTurn): void {
  server.registerTool(
    'edit_file',
    {
      title: 'Edit file',
      description:
        'Replaces exact pieces of a text file. Each oldText must occur exactly once, unless replaceAll is set; edits are made in ' +
        'order, and either all or none. Answers with a unified diff; with dryRun only that, and the file stays as it is.',
      inputSchema: z.strictObject({
        path: pathArgument,
        edits: z
          .array(
            z.strictObject({
              oldText: z.string().min(1).describe('Text to replace, exactly as in the file, white space included'),
              newText: z.string().describe('Text to put in its place'),
              replaceAll: z.boolean().default(false).describe('Replace every occurrence'),
            }),
          )
          .min(1)
          .max(100),
        dryRun: z.boolean().default(false).describe('Show the diff without writing'),
      }),
      annotations: changes,
    },
    ({ path, edits, dryRun }) =>
      inTurn(() =>
        explained(path, async () => {
          const real = await resolveTarget(roots, path);
          const before = await readContent(real, path);
          if (before.kind === 'image') throw new Error(`'${path}' is an image; only text files can be edited.`);
          const after = applyEdits(before.text, edits);
          const shownPath = displayPath(roots, real);
          if (after.text === before.text) return textResult(`The edits change nothing in ${shownPath}.`);
          if (!dryRun) await replaceFile(real, after.text, before);
          const count = `${after.replacements} replacement${after.replacements === 1 ? '' : 's'}`;
          const summary = dryRun
            ? `Dry run, nothing written: ${count} in ${shownPath}.`
            : `Made ${count} in ${shownPath}.`;
          return textResult(`${summary}\n\n${shortened(unifiedDiff(shownPath, before.text, after.text))}`);
        }),
      ),
  );
}

const shortened = (diff: string): string =>
  diff.length <= maxAnswerBytes ? diff : `${diff.slice(0, maxAnswerBytes)}\n[the diff goes on]`;

function registerMoveFile(server: McpServer, roots: Roots, inTurn: InTurn): void {
  server.registerTool(
    'move_file',
    {
      title: 'Move or rename',
      description:
        'Moves or renames a file or folder; missing folders of the destination are made. Fails if the destination exists. ' +
        'A link is moved itself, not what it points to.',
      inputSchema: z.strictObject({
        source: pathArgument,
        destination: pathArgument.describe('The new path, with the new name: not just the folder to move into'),
      }),
      annotations: changes,
    },
    ({ source, destination }) =>
      inTurn(async () => {
        const [from, to] = await Promise.all([
          explained(source, () => resolveEntry(roots, source)),
          explained(destination, () => resolveEntry(roots, destination)),
        ]);
        await explained(source, () => lstat(from));
        if (await lstat(to).catch(() => undefined)) {
          throw new Error(`'${destination}' exists already. Give another name, or delete it first with delete_file.`);
        }
        if (to.startsWith(`${from}/`)) throw new Error(`'${source}' cannot be moved into itself.`);
        await explained(destination, async () => {
          await makeParents(to);
          await Promise.all([assertNoLinks(dirname(from)), assertNoLinks(dirname(to))]);
          await moveEntry(from, to);
        });
        return textResult(`Moved ${displayPath(roots, from)} to ${displayPath(roots, to)}.`);
      }),
  );
}

async function moveEntry(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    // Two roots on two disks: there is no rename between them.
    await cp(from, to, {
      recursive: true,
      errorOnExist: true,
      force: false,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
    await rm(from, { recursive: true });
  }
}

function registerDeleteFile(server: McpServer, roots: Roots, inTurn: InTurn): void {
  server.registerTool(
    'delete_file',
    {
      title: 'Delete',
      description:
        'Deletes a file, a link (not what it points to) or an empty folder; with recursive also a folder with everything in it. ' +
        'Cannot be undone.',
      inputSchema: z.strictObject({
        path: pathArgument,
        recursive: z.boolean().default(false).describe('Delete a folder with everything in it'),
      }),
      annotations: overwrites,
    },
    ({ path, recursive }) =>
      inTurn(() =>
        explained(path, async () => {
          const entry = await resolveEntry(roots, path);
          const isFolder = (await lstat(entry)).isDirectory();
          await assertNoLinks(dirname(entry));
          if (!isFolder) await unlink(entry);
          else await (recursive ? rm(entry, { recursive: true }) : rmdir(entry));
          return textResult(`Deleted ${displayPath(roots, entry)}${isFolder ? '/' : ''}.`);
        }),
      ),
  );
}
