import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAppDir } from '../src/app-dir.ts';
import { StartError } from '../src/listen.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bifrost-home-'));
});

afterEach(() => rmSync(home, { recursive: true }));

test('an app-dir that is missing is made, with the folders above it', () => {
  const appDir = join(home, 'config', 'bifrost');
  openAppDir(appDir);
  expect(statSync(appDir).isDirectory()).toBe(true);
  expect(() => openAppDir(appDir)).not.toThrow();
});

test.each([
  ['a file', 'notes', 'is impossible: %/notes is a file'],
  ['below a file', 'notes/bifrost', 'is impossible: %/notes is a file'],
  ['deep below a file', 'notes/a/b', 'is impossible: %/notes is a file'],
])('an app-dir that is %s is refused in words', (_what, given, why) => {
  writeFileSync(join(home, 'notes'), '');
  const appDir = join(home, given);
  const open = () => openAppDir(appDir);
  expect(open).toThrow(StartError);
  expect(open).toThrow(`the app-dir ${appDir} ${why.replace('%', home)}; choose another with -app-dir DIR`);
});

test('a name that no folder can have is refused in words', () => {
  const appDir = join(home, 'x'.repeat(300));
  expect(() => openAppDir(appDir)).toThrow(/cannot be made \(ENAMETOOLONG\); choose another/);
});

// Node's recursive mkdir never comes back from there
test.runIf(existsSync('/proc/self'))('a folder that takes no folders is refused at once', () => {
  expect(() => openAppDir('/proc/bifrost/data')).toThrow(/the app-dir \/proc\/bifrost\/data cannot be made \(ENOENT\)/);
});
