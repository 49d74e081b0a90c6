import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toolSafety } from '../../src/config/tool-safety-section.ts';
import { ToolSafety } from '../../src/mcp/safety/tool-safety.ts';
import { ToldOnce } from '../../src/mcp/told-once.ts';
import { clientConfig, startedClients, stdioConfig, until } from '../support/mcp-clients.ts';

let folder: string;
const started = startedClients();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'told-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test('what repeats itself is new once, until it changes or all went well', () => {
  const told = new ToldOnce();
  expect(['a', 'a', 'b', 'a'].map((message) => told.isNew(message))).toEqual([true, false, true, true]);
  told.wentWell();
  expect(told.isNew('a')).toBe(true);
});

test('an app-dir that cannot be written to is told of once, however many servers start and end', async () => {
  writeFileSync(join(folder, 'file'), '');
  const { clients, lines } = await started([stdioConfig('one'), stdioConfig('two'), stdioConfig('three')], {
    stateFolder: join(folder, 'file'),
  });
  await clients.close();
  const told = lines.filter(({ message }) => message.includes('list of MCP server processes'));
  expect(told).toEqual([{ level: 'warn', message: expect.stringContaining('could not be written: Error: ENOTDIR') }]);
});

test('a server that cannot be started is told of once, as often as it is tried', async () => {
  const failing = clientConfig({
    name: 'broken',
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: ['-e', 'process.exit(3)'] },
  });
  const { lines } = await started([failing]);
  const told = () => lines.filter(({ message }) => message.includes('exited with code 3')).map(({ level }) => level);
  await until(() => told().length >= 3);
  expect(told().slice(0, 3)).toEqual(['warn', 'debug', 'debug']);
});

test('pins that cannot be kept are told of once', async () => {
  const lines: string[] = [];
  let kept = 0;
  const keep = async () => {
    kept += 1;
    throw new Error('the disk is full');
  };
  const safety = new ToolSafety({
    rules: toolSafety.parse({}),
    store: { pins: new Map(), keep, settled: async () => {} },
    log: (level, message) => lines.push(`${level} ${message}`),
  });
  for (const name of ['one', 'two', 'three']) {
    const inputSchema = { type: 'object' };
    const definition = { name: 'add', inputSchema };
    const tool = { upstreamName: 'add', exposedName: `${name}-add`, inputSchema, annotations: {}, definition };
    safety.review(stdioConfig(name), [tool]);
  }
  await until(() => kept === 3);
  expect(lines.filter((line) => line.includes('not kept'))).toEqual([
    'error the pinned tool definitions were not kept: the disk is full',
  ]);
});
