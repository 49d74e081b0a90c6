import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openForReading, resolveTarget } from '../../mcp-servers/filesystem/confine.ts';
import { readContent } from '../../mcp-servers/filesystem/content.ts';
import { applyEdits } from '../../mcp-servers/filesystem/edit.ts';
import { globMatcher, nameMatcher } from '../../mcp-servers/filesystem/glob.ts';
import { openRoots } from '../../mcp-servers/filesystem/roots.ts';
import { unifiedDiff } from '../../mcp-servers/filesystem/unified-diff.ts';
import { replaceFile, writeFile } from '../../mcp-servers/filesystem/write.ts';
import { cpuMs } from '../support/cpu.ts';

describe('globs', () => {
  test.each([
    ['*.ts', 'main.ts', true],
    ['*.ts', 'src/deep/main.ts', true],
    ['*.ts', 'main.tsx', false],
    ['src/*.ts', 'src/main.ts', true],
    ['src/*.ts', 'src/deep/main.ts', false],
    ['src/**/*.ts', 'src/main.ts', true],
    ['src/**/*.ts', 'src/a/b/main.ts', true],
    ['./src/**', 'src/a/b', true],
    ['**', 'anything/at/all', true],
    ['**/test/**', 'a/test/b', true],
    ['*.{ts,js}', 'a.js', true],
    ['*.{t{s,sx},js}', 'a.tsx', true],
    ['{a}{b,c}', 'ac', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['a[', 'a[', true],
    ['dist', 'distance', false],
    ['dist/', 'a/dist', true],
    ['a.b', 'aXb', false],
  ])('%s on %s: %s', (pattern, path, expected) => {
    expect(globMatcher(pattern)(path)).toBe(expected);
  });

  test('a plain word is part of a name in any case', () => {
    expect(nameMatcher('CONF')('src/my-config.json')).toBe(true);
    expect(nameMatcher('src')('src/main.ts')).toBe(false);
  });

  test('a hostile pattern costs no time', () => {
    const spentMs = cpuMs(() => {
      expect(globMatcher(`${'*a'.repeat(100)}b`)('a'.repeat(250))).toBe(false);
      expect(globMatcher(`${'**/a/'.repeat(50)}b`)('a/'.repeat(200))).toBe(false);
    });
    expect(spentMs).toBeLessThan(1_000);
    expect(() => globMatcher('{a,b}'.repeat(10))).toThrow('alternatives');
  });
});

describe('edits', () => {
  test('take special replacement patterns literally', () => {
    expect(applyEdits('price', [{ oldText: 'price', newText: "$& $1 $' $$" }]).text).toBe("$& $1 $' $$");
  });

  test('line feeds mean CR LF in a file that has no other line ends', () => {
    const { text } = applyEdits('one\r\ntwo\r\nthree\r\n', [{ oldText: 'one\ntwo', newText: '1\n2' }]);
    expect(text).toBe('1\r\n2\r\nthree\r\n');
  });

  test.each([
    ['aaa', 'aa'],
    ['abababa', 'aba'],
  ])('a text that overlaps itself is not unique (%s, %s)', (text, oldText) => {
    expect(() => applyEdits(text, [{ oldText, newText: '' }])).toThrow(/occurs (twice|2 times)/);
    expect(applyEdits(text, [{ oldText, newText: '', replaceAll: true }]).replacements).toBeGreaterThan(0);
  });

  test('a text that differs in white space only is pointed at', () => {
    const edit = { oldText: 'if (a) {\n  b();', newText: '' };
    expect(() => applyEdits('x\n\tif (a) {\n\t\tb();\n', [edit])).toThrow('Line 2 is alike');
  });
});

describe('unified diff', () => {
  test('shows context, counts, and a missing line end', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
    expect(unifiedDiff('x.txt', before, before.replace('b\n', 'B\n').replace('h\n', 'h'))).toBe(
      `--- a/x.txt\n+++ b/x.txt\n@@ -1,8 +1,8 @@\n a\n-b\n+B\n c\n d\n e\n f\n g\n-h\n+h\n\\ No newline at end of file\n`,
    );
  });

  test('is empty when nothing changed, and names the line before an empty side', () => {
    expect(unifiedDiff('x', 'a\n', 'a\n')).toBe('');
    expect(unifiedDiff('x', '', 'a\n')).toContain('@@ -0,0 +1 @@\n+a\n');
  });

  test('git can apply it, whatever changed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'diff-'));
    const text = fc
      .array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'd'), { maxLength: 30 })
      .map((lines) => lines.join(''));
    try {
      fc.assert(
        fc.property(text, text, (before, after) => {
          // Git takes an empty side for a file that does not exist.
          fc.pre(before !== after && before !== '' && after !== '');
          writeFileSync(join(folder, 'x'), before);
          const input = unifiedDiff('x', before, after);
          execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', '-'], { cwd: folder, input });
          expect(readFileSync(join(folder, 'x'), 'utf8')).toBe(after);
        }),
        { numRuns: 25, seed: 7 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a change of very many lines is shown as replaced, without a huge table', () => {
    const lines = (prefix: string) => Array.from({ length: 5000 }, (_, index) => `${prefix}${index}\n`).join('');
    const diff = unifiedDiff('x', lines('a'), lines('b'));
    expect(diff).toContain('@@ -1,5000 +1,5000 @@');
  });
});

describe('between the check and the use', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'swap-')));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A file inside a root that was checked, with the place where a link may now be put. */
  async function checkedFile(name: string) {
    const root = join(folder, name, 'root');
    const outside = join(folder, name, 'outside');
    for (const path of [join(root, 'sub'), outside]) mkdirSync(path, { recursive: true });
    for (const path of [join(root, 'sub/file'), join(outside, 'file')]) writeFileSync(path, 'old');
    return { real: await resolveTarget(await openRoots([root]), 'sub/file'), root, outside };
  }

  test('a file swapped for a link is not opened', async () => {
    const { real, outside } = await checkedFile('file');
    rmSync(real);
    symlinkSync(join(outside, 'file'), real);
    await expect(openForReading(real)).rejects.toThrow(/ELOOP/);
  });

  test('a folder swapped for a link is neither read nor written through', async () => {
    const { real, root, outside } = await checkedFile('folder');
    renameSync(join(root, 'sub'), join(root, 'moved'));
    symlinkSync(outside, join(root, 'sub'));
    await expect(openForReading(real)).rejects.toThrow('was replaced');
    await expect(writeFile(real, 'new')).rejects.toThrow('was replaced');
    expect(readdirSync(outside)).toEqual(['file']);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('old');
  });

  test('an edit does not overwrite what another process wrote since the file was read', async () => {
    const { real } = await checkedFile('edit');
    const before = await readContent(real, 'file');
    if (before.kind !== 'text') throw new Error('a text file is expected');
    writeFileSync(real, 'theirs');
    await expect(replaceFile(real, 'ours', before)).rejects.toThrow('changed by somebody else');
    expect(readFileSync(real, 'utf8')).toBe('theirs');
    expect(lstatSync(real).isFile()).toBe(true);
    expect(readdirSync(join(real, '..'))).toEqual(['file']);
  });
});
