import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { v8Flags } from '../src/v8-flags.ts';

test.each(v8Flags)('this Node knows %s, so nothing is said about it at start', (flag) => {
  const { stderr, status } = spawnSync(process.execPath, [flag, '-e', ''], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});
