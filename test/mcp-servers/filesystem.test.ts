import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeArgumentsOf, type ServerProcess, startServer } from './server-process.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'filesystem-')));
const root = join(folder, 'root');
const second = join(folder, 'second');
const outside = join(folder, 'outside');
const onePixelGif = Buffer.from('R0lGODlhAQABAAAAACw=', 'base64');

let server: ServerProcess;
beforeAll(async () => {
  mkdirSync(outside);
  mkdirSync(`${root}-evil`);
  mkdirSync(second);
  writeFileSync(join(outside, 'secret.txt'), 'secret');
  server = await startServer('filesystem', [root, second]);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const put = (path: string, content: string | Buffer): void => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
};
const get = (path: string): string => readFileSync(join(root, path), 'utf8');
const filesIn = (path: string): string[] => readdirSync(join(root, path)).sort();

describe('starting', () => {
  const run = (...roots: string[]): string => {
    try {
      execFileSync(process.execPath, nodeArgumentsOf('filesystem', ...roots), { input: '', stdio: 'pipe' });
      return '';
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: Buffer };
      return `${status} ${stderr}`;
    }
  };

  test('creates a root whose parent exists', () => {
    expect(statSync(root).isDirectory()).toBe(true);
  });

  test('refuses to start without a root that can be', () => {
    expect(run(join(folder, 'no', 'such'))).toMatch(
      /^1 filesystem: cannot use '.*such' as a root: its parent folder does not exist/,
    );
    expect(run()).toMatch(/^1 filesystem: name at least one folder/);
  });

  test('tells the client which folders it may use', () => {
    expect(server.client.getInstructions()).toContain(root);
  });
});

describe('reading', () => {
  test('gives the text as it is, byte order mark and missing line end included', async () => {
    put('read/bom.txt', '\uFEFFöne\r\ntwo');
    expect(await server.textOf('read_file', { path: 'read/bom.txt' })).toBe('\uFEFFöne\r\ntwo');
    expect(await server.textOf('read_file', { path: join(root, 'read/bom.txt') })).toBe('\uFEFFöne\r\ntwo');
    writeFileSync(join(second, 'other.txt'), 'other');
    expect(await server.textOf('read_file', { path: join(second, 'other.txt') })).toBe('other');
  });

  test('gives a range of lines and says where it lies', async () => {
    put('read/lines.txt', 'one\ntwo\nthree\nfour');
    const read = (range: object) => server.textOf('read_file', { path: 'read/lines.txt', ...range });
    expect(await read({ offset: 2, limit: 2 })).toBe('two\nthree\n\n[lines 2 to 3 of 4]');
    expect(await read({ offset: 4 })).toBe('four\n[lines 4 to 4 of 4]');
    expect(await read({ offset: 9 })).toContain("nothing at line 9: 'read/lines.txt' has 4 lines");
  });

  test('refuses what is too large and says how to read it', async () => {
    put('read/large.txt', `${'x'.repeat(99)}\n`.repeat(4000));
    const message = await server.errorOf('read_file', { path: 'read/large.txt' });
    expect(message).toContain('390.6 KiB, 4000 lines, of at most 256.0 KiB');
    expect(message).toContain('offset and limit');
    expect(await server.textOf('read_file', { path: 'read/large.txt', offset: 3999 })).toContain(
      '[lines 3999 to 4000 of 4000]',
    );
    expect(await server.errorOf('read_file', { path: 'read/large.txt', offset: 2 })).toContain('fewer than 3999 lines');
  });

  test('shows images by what they hold, and refuses other binary files', async () => {
    put('read/picture.txt', onePixelGif);
    const { content } = await server.call('read_file', { path: 'read/picture.txt' });
    expect(content).toEqual([{ type: 'image', mimeType: 'image/gif', data: onePixelGif.toString('base64') }]);
    put('read/binary', Buffer.from([1, 0, 2]));
    expect(await server.errorOf('read_file', { path: 'read/binary' })).toContain('is a binary file (3 bytes');
    put('read/latin1.txt', Buffer.from([0xe4, 0x0a]));
    expect(await server.errorOf('read_file', { path: 'read/latin1.txt' })).toContain('not UTF-8');
  });

  test('does not wait for the writer of a named pipe', async () => {
    execFileSync('mkfifo', [join(root, 'read/pipe')]);
    expect(await server.errorOf('read_file', { path: 'read/pipe' })).toContain('neither a file nor a folder');
  });

  test.each([
    ['read/missing.txt', 'does not exist'],
    ['read', 'is a folder; use list_directory'],
    ['read/lines.txt/below', 'has a file where a folder is needed'],
    [`read/${'x'.repeat(300)}`, 'name that is too long'],
  ])('says what is wrong with %.40s', async (path, message) => {
    expect(await server.errorOf('read_file', { path })).toContain(message);
  });

  test('reads several files; one that fails does not stop the others', async () => {
    put('many/a.txt', 'A');
    put('many/b.txt', 'B\n');
    const text = await server.textOf('read_multiple_files', { paths: ['many/a.txt', 'many/none', 'many/b.txt'] });
    expect(text).toContain('==> many/a.txt <==\nA');
    expect(text).toContain("==> many/none <== ERROR\n'many/none' does not exist");
    expect(text).toContain('==> many/b.txt <==\nB\n');
    expect(await server.errorOf('read_multiple_files', { paths: ['many/none'] })).toContain('does not exist');
  });
});

describe('looking around', () => {
  beforeAll(() => {
    put('look/b.txt', '12345');
    put('look/a/deep/x.txt', '');
    put('look/node_modules/package/index.js', 'needle');
    symlinkSync('b.txt', join(root, 'look/link'));
  });

  test('a name with line ends in it is one line of every list', async () => {
    put('odd/a\n[FILE] b', 'needle');
    expect(await server.textOf('list_directory', { path: 'odd' })).toBe('[FILE] a\\n[FILE] b (6 bytes)');
    expect(await server.textOf('directory_tree', { path: 'odd' })).toContain('  a\\n[FILE] b');
    expect(await server.textOf('search_files', { path: 'odd', content: 'needle' })).toContain(
      'odd/a\\n[FILE] b:1: needle',
    );
    expect((await server.dataOf('list_directory', { path: 'odd' })).entries).toEqual([
      { name: 'a\n[FILE] b', type: 'file', size: 6 },
    ]);
  });

  test('lists a folder', async () => {
    expect(await server.dataOf('list_directory', { path: 'look' })).toEqual({
      path: 'look',
      total: 4,
      entries: [
        { name: 'a', type: 'directory' },
        { name: 'b.txt', type: 'file', size: 5 },
        { name: 'link', type: 'symlink' },
        { name: 'node_modules', type: 'directory' },
      ],
    });
    expect((await server.dataOf('list_directory')).path).toBe('.');
    expect(await server.errorOf('list_directory', { path: 'look/b.txt' })).toContain(
      'has a file where a folder is needed',
    );
  });

  test('draws a tree within its limits', async () => {
    expect(await server.textOf('directory_tree', { path: 'look' })).toBe(
      'look/\n  a/\n    deep/\n      x.txt\n  b.txt\n  link (symbolic link)\n  node_modules/ [not entered]',
    );
    expect(await server.textOf('directory_tree', { path: 'look', maxDepth: 1 })).toContain(
      '  a/ [deeper than maxDepth]\n  b.txt',
    );
    expect(await server.textOf('directory_tree', { path: 'look', maxEntries: 2 })).toContain(
      'look/ [2 more beyond maxEntries]',
    );
  });

  test('tells about a file', async () => {
    chmodSync(join(root, 'look/b.txt'), 0o640);
    const info = await server.dataOf('get_file_info', { path: 'look/link' });
    expect(info).toMatchObject({ path: 'look/b.txt', type: 'file', isLink: true, size: 5, permissions: '640' });
    expect(await server.dataOf('get_file_info', { path: root })).toMatchObject({
      path: '.',
      type: 'directory',
      isLink: false,
    });
  });
});

describe('searching', () => {
  beforeAll(() => {
    put('search/one.ts', 'const needle = 1;\nconst other = 2;\n');
    put('search/deep/two.ts', 'let x;\r\nNeedle(x);\r\n');
    put('search/deep/three.md', 'needle');
    put('search/dist/one.js', 'needle');
    put('search/.git/config', 'needle');
    put('search/binary', Buffer.from('needle\0'));
  });
  const search = async (query: object) =>
    (await server.textOf('search_files', { path: 'search', ...query })).split('\n');

  test('finds names by glob and by part of the name', async () => {
    expect(await search({ pattern: '*.ts' })).toEqual(['search/deep/two.ts', 'search/one.ts']);
    expect(await search({ pattern: 'DEE' })).toEqual(['search/deep/']);
    expect(await search({ pattern: 'deep/**/*.md' })).toEqual(['search/deep/three.md']);
    expect(await search({ pattern: 'nothing' })).toEqual(['Nothing found.']);
  });

  test('finds lines by text, in files that fit the pattern and are not excluded', async () => {
    expect(await search({ content: 'needle', exclude: ['dist'] })).toEqual([
      'search/deep/three.md:1: needle',
      'search/one.ts:1: const needle = 1;',
    ]);
    expect(await search({ content: 'needle', pattern: '*.ts', ignoreCase: true })).toEqual([
      'search/deep/two.ts:2: Needle(x);',
      'search/one.ts:1: const needle = 1;',
    ]);
  });

  test('looks into a file that is named itself', async () => {
    expect(await search({ path: 'search/one.ts', content: 'other' })).toEqual(['search/one.ts:2: const other = 2;']);
  });

  test('finds lines by regular expression', async () => {
    expect(await search({ content: '^[nN]eedle.*;$', regex: true })).toEqual(['search/deep/two.ts:2: Needle(x);']);
    expect(await server.errorOf('search_files', { content: '(', regex: true })).toContain('not a regular expression');
  });

  test('stops at the asked number of results and says so', async () => {
    const result = await server.dataOf('search_files', { path: 'search', content: 'needle', maxResults: 1 });
    expect(result.matches).toHaveLength(1);
    expect(result.incomplete).toBe('only the first 1 results');
  });

  test('a regular expression that backtracks without end is stopped, and the server lives on', async () => {
    put('search/trap.txt', `${'a'.repeat(50)}b`);
    const message = await server.errorOf('search_files', { path: 'search', content: '(a+)+$', regex: true });
    expect(message).toContain('takes too long');
    expect(await search({ pattern: 'trap' })).toEqual(['search/trap.txt']);
  });

  test('needs something to look for, and a folder that is there', async () => {
    expect(await server.errorOf('search_files', {})).toContain('Say what to look for');
    expect(await server.errorOf('search_files', { path: 'no-such', pattern: 'x' })).toContain('does not exist');
  });
});

describe('creating and writing', () => {
  test('creates a file with its folders, but only if it is not there', async () => {
    await server.textOf('create_file', { path: 'new/deep/a.txt', content: 'one' });
    expect(get('new/deep/a.txt')).toBe('one');
    expect(await server.errorOf('create_file', { path: 'new/deep/a.txt', content: 'two' })).toContain('Set overwrite');
    expect(get('new/deep/a.txt')).toBe('one');
    await server.textOf('create_file', { path: 'new/deep/a.txt', content: 'two', overwrite: true });
    expect(get('new/deep/a.txt')).toBe('two');
    expect(filesIn('new/deep')).toEqual(['a.txt']);
  });

  test('of two calls that create the same file one wins', async () => {
    const results = await Promise.all(
      ['x', 'y'].map((content) => server.call('create_file', { path: 'race.txt', content })),
    );
    expect(results.map((result) => result.isError ?? false)).toEqual([false, true]);
    expect(get('race.txt')).toBe('x');
  });

  test('writes over a file and keeps its mode', async () => {
    put('mode.sh', 'old');
    chmodSync(join(root, 'mode.sh'), 0o750);
    await server.textOf('write_file', { path: 'mode.sh', content: 'new\n' });
    expect(get('mode.sh')).toBe('new\n');
    expect(statSync(join(root, 'mode.sh')).mode & 0o7777).toBe(0o750);
    await server.textOf('edit_file', { path: 'mode.sh', edits: [{ oldText: 'new', newText: 'newer' }] });
    expect(statSync(join(root, 'mode.sh')).mode & 0o7777).toBe(0o750);
  });

  test('writes through a link inside the root and leaves the link', async () => {
    put('linked/target.txt', 'old');
    symlinkSync('target.txt', join(root, 'linked/link.txt'));
    await server.textOf('write_file', { path: 'linked/link.txt', content: 'new' });
    expect(get('linked/target.txt')).toBe('new');
    expect(lstatSync(join(root, 'linked/link.txt')).isSymbolicLink()).toBe(true);
  });

  test('refuses to write over a folder or below a file', async () => {
    put('taken/file', 'x');
    expect(await server.errorOf('write_file', { path: 'taken', content: 'x' })).toContain('Only files can be written');
    expect(await server.errorOf('write_file', { path: 'taken/file/below', content: 'x' })).toContain(
      "where the folder 'file' is needed",
    );
  });

  test('an argument it does not know is an error, never passed over', async () => {
    put('strict.txt', 'a');
    const edits = [{ oldText: 'a', newText: 'b' }];
    expect(await server.errorOf('edit_file', { path: 'strict.txt', edits, dry_run: true })).toContain('dry_run');
    expect(get('strict.txt')).toBe('a');
  });
});

describe('editing', () => {
  test('makes all edits in order and answers with the diff', async () => {
    put('edit/a.txt', 'one\ntwo\nthree');
    const text = await server.textOf('edit_file', {
      path: 'edit/a.txt',
      edits: [
        { oldText: 'two', newText: '2' },
        { oldText: '2\nthree', newText: '2\n3' },
      ],
    });
    expect(text).toBe(
      'Made 2 replacements in edit/a.txt.\n\n--- a/edit/a.txt\n+++ b/edit/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n-three\n' +
        '\\ No newline at end of file\n+2\n+3\n\\ No newline at end of file\n',
    );
    expect(get('edit/a.txt')).toBe('one\n2\n3');
    expect(filesIn('edit')).toEqual(['a.txt']);
  });

  test('a dry run shows the diff and writes nothing', async () => {
    put('edit/dry.txt', 'x\n');
    const text = await server.textOf('edit_file', {
      path: 'edit/dry.txt',
      edits: [{ oldText: 'x', newText: 'y' }],
      dryRun: true,
    });
    expect(text).toContain('Dry run, nothing written');
    expect(text).toContain('-x\n+y\n');
    expect(get('edit/dry.txt')).toBe('x\n');
  });

  test('makes none of the edits when one does not fit', async () => {
    put('edit/none.txt', 'a b b');
    const edit = (...edits: object[]) => server.errorOf('edit_file', { path: 'edit/none.txt', edits });
    expect(await edit({ oldText: 'a', newText: 'x' }, { oldText: 'zzz', newText: '' })).toContain(
      'Edit 2 of 2: oldText was not found',
    );
    expect(await edit({ oldText: 'b', newText: 'x' })).toContain('oldText occurs 2 times');
    expect(get('edit/none.txt')).toBe('a b b');
    await server.textOf('edit_file', {
      path: 'edit/none.txt',
      edits: [{ oldText: 'b', newText: 'c', replaceAll: true }],
    });
    expect(get('edit/none.txt')).toBe('a c c');
  });

  test('edits of one file at the same time all count', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => `<${index}>`);
    put('edit/busy.txt', numbers.join('\n'));
    await Promise.all(
      numbers.map((oldText) =>
        server.textOf('edit_file', { path: 'edit/busy.txt', edits: [{ oldText, newText: `done${oldText}` }] }),
      ),
    );
    expect(get('edit/busy.txt')).toBe(numbers.map((number) => `done${number}`).join('\n'));
  });
});

describe('moving and deleting', () => {
  test('moves files and folders, also to another root, and replaces nothing', async () => {
    put('move/a.txt', 'a');
    put('move/b.txt', 'b');
    expect(await server.errorOf('move_file', { source: 'move/a.txt', destination: 'move/b.txt' })).toContain(
      'exists already',
    );
    await server.textOf('move_file', { source: 'move/a.txt', destination: 'moved/to/a.txt' });
    expect(get('moved/to/a.txt')).toBe('a');
    expect(await server.errorOf('move_file', { source: 'moved', destination: 'moved/to/itself' })).toContain(
      'into itself',
    );
    await server.textOf('move_file', { source: 'moved', destination: join(second, 'moved') });
    expect(readFileSync(join(second, 'moved/to/a.txt'), 'utf8')).toBe('a');
    expect(await server.errorOf('move_file', { source: 'move/none', destination: 'x' })).toContain(
      "'move/none' does not exist",
    );
  });

  test('deletes files and empty folders, full ones only when told', async () => {
    put('delete/full/a.txt', 'a');
    await server.textOf('delete_file', { path: 'delete/full/a.txt' });
    await server.textOf('delete_file', { path: 'delete/full' });
    put('delete/full/b.txt', 'b');
    expect(await server.errorOf('delete_file', { path: 'delete/full' })).toContain('set recursive');
    await server.textOf('delete_file', { path: 'delete/full', recursive: true });
    expect(filesIn('delete')).toEqual([]);
    expect(await server.errorOf('delete_file', { path: 'delete/none' })).toContain('does not exist');
  });

  test('deletes a link, never what it points to', async () => {
    symlinkSync(outside, join(root, 'to-outside'));
    await server.textOf('delete_file', { path: 'to-outside', recursive: true });
    expect(existsSync(join(root, 'to-outside'))).toBe(false);
    expect(existsSync(join(outside, 'secret.txt'))).toBe(true);
  });

  test.each(['.', root, `${root}/x/..`])('refuses to delete or move the root as %s', async (path) => {
    expect(await server.errorOf('delete_file', { path, recursive: true })).toContain('allowed folder itself');
    expect(await server.errorOf('move_file', { source: path, destination: join(second, 'r') })).toContain(
      'allowed folder itself',
    );
  });
});

describe('confinement', () => {
  beforeAll(() => {
    mkdirSync(join(root, 'trap'));
    symlinkSync(outside, join(root, 'trap/folder'));
    symlinkSync(join(outside, 'secret.txt'), join(root, 'trap/file'));
    symlinkSync(join(outside, 'new.txt'), join(root, 'trap/dangling'));
    symlinkSync('loop', join(root, 'trap/loop'));
    symlinkSync('folder', join(root, 'trap/indirect'));
  });

  const escapes = [
    '../outside/secret.txt',
    '..',
    'trap/../../outside/secret.txt',
    join(outside, 'secret.txt'),
    '/etc/passwd',
    `${root}-evil/x.txt`,
    root.toUpperCase() === root ? root.toLowerCase() : `${root.toUpperCase()}/x.txt`,
    'trap/file',
    'trap/folder/secret.txt',
    'trap/folder/not/there/yet.txt',
    'trap/indirect/secret.txt',
    'trap/dangling',
    'trap/loop',
    'x\0.txt',
    'trap/folder\0/../x',
  ];
  const calls: [tool: string, toolArguments: (path: string) => Record<string, unknown>][] = [
    ['read_file', (path) => ({ path })],
    ['get_file_info', (path) => ({ path })],
    ['list_directory', (path) => ({ path })],
    ['directory_tree', (path) => ({ path })],
    ['search_files', (path) => ({ path, pattern: '*' })],
    ['create_file', (path) => ({ path, content: 'x' })],
    ['create_file', (path) => ({ path, content: 'x', overwrite: true })],
    ['write_file', (path) => ({ path, content: 'x' })],
    ['edit_file', (path) => ({ path, edits: [{ oldText: 'secret', newText: 'x' }] })],
  ];

  test.each(escapes)('every tool refuses %j and names the allowed folders', async (path) => {
    for (const [tool, toolArguments] of calls) {
      const message = await server.errorOf(tool, toolArguments(path));
      expect(message, tool).toContain('Access denied');
      expect(message, tool).toContain(`Allowed: ${root}, ${second}.`);
    }
    expect(readdirSync(outside)).toEqual(['secret.txt']);
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('secret');
    expect(readdirSync(`${root}-evil`)).toEqual([]);
  });

  test.each(['../outside/secret.txt', 'trap/folder/secret.txt', join(outside, 'secret.txt'), 'a\0b'])(
    'neither deletes nor moves %j, nor moves anything there',
    async (path) => {
      put('mine.txt', 'mine');
      expect(await server.errorOf('delete_file', { path })).toContain('Access denied');
      expect(await server.errorOf('move_file', { source: path, destination: 'stolen.txt' })).toContain('Access denied');
      expect(await server.errorOf('move_file', { source: 'mine.txt', destination: `${path}.new` })).toContain(
        'Access denied',
      );
      expect(readdirSync(outside)).toEqual(['secret.txt']);
      expect(get('mine.txt')).toBe('mine');
    },
  );

  test('what is outside does not show through, whether it exists or not', async () => {
    const existing = await server.errorOf('read_file', { path: join(outside, 'secret.txt') });
    const missing = await server.errorOf('read_file', { path: join(outside, 'missing.txt') });
    expect(missing.replace('missing', 'secret')).toBe(existing);
  });

  test('neither tree nor search follows a link out', async () => {
    expect(await server.textOf('directory_tree', { path: 'trap' })).not.toContain('secret');
    expect(await server.textOf('search_files', { path: 'trap', content: 'secret' })).toBe('Nothing found.');
    expect(await server.textOf('search_files', { path: 'trap', pattern: 'secret' })).toBe('Nothing found.');
  });
});
