// biome-ignore-all lint/suspicious/noTemplateCurlyInString: settings of agents name variables that way
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseArguments } from '../src/cli.ts';
import { mcpCommand } from '../src/mcp-commands.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-commands-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function run(line: string, env: Record<string, string> = {}): Promise<string> {
  const command = parseArguments([...line.split(' '), '-app-dir', folder], {});
  if (command.type !== 'mcp') throw new Error(`"${line}" is a ${command.type}`);
  return mcpCommand(command, { TOKEN: 'secret-token-1', ...env });
}

const settings = {
  mcpServers: {
    'git-hub': { url: 'https://user@a.example/mcp?key=hidden', headers: { Authorization: 'Bearer ${TOKEN}' } },
    files: { command: 'npx', args: ['--token', 'hidden'] },
    ask: { command: 'x', env: { K: '${input:k}' } },
  },
};

test('the servers of a file are added to the app-dir, then listed, and a second time skipped', async () => {
  const file = join(folder, '.mcp.json');
  await writeFile(file, JSON.stringify(settings));
  expect(await run(`mcp import ${file} --dry-run`)).toMatch(/2 would be added, 1 skipped$/);
  expect(await run('mcp list')).toMatch(/^There are no MCP clients yet/);

  const told = await run(`mcp import ${file}`);
  expect(told.split('\n')).toEqual([
    'git-hub: added as git_hub, http',
    "  note: is called 'git_hub' here: client names hold letters, digits and underscores",
    'files: added as files, stdio',
    expect.stringMatching(/^ask: skipped: it asks a person for \$\{input:k\}/),
    '2 added, 1 skipped',
    'The gateway connects to them at its next start.',
  ]);
  expect((await run('mcp list')).split('\n')).toEqual([
    'git_hub  http     https://a.example/mcp',
    'files    stdio    npx',
  ]);
  expect(JSON.parse(await readFile(join(folder, 'mcp-clients.json'), 'utf8')).clients).toHaveLength(2);
  expect(await run(`mcp import ${file}`)).toMatch(/0 added, 3 skipped$/);
});

test('what the commands print holds no secret', async () => {
  const file = join(folder, 's.json');
  await writeFile(file, JSON.stringify(settings));
  const printed = (await run(`mcp import ${file}`)) + (await run('mcp list'));
  expect(printed).not.toMatch(/secret-token|hidden/);
});

test('what is imported is kept sealed under the encryption key of the environment', async () => {
  const file = join(folder, 's.json');
  await writeFile(file, JSON.stringify(settings));
  const env = { BIFROST_ENCRYPTION_KEY: 'a key' };
  await run(`mcp import ${file}`, env);
  expect(await readFile(join(folder, 'mcp-clients.json'), 'utf8')).not.toMatch(/secret-token|hidden/);
  expect(await run('mcp list', env)).toContain('git_hub  http');
  await expect(run('mcp list')).rejects.toThrow('no encryption key is set');
});

test('a file that is not there is named', async () => {
  await expect(run('mcp import nowhere.json')).rejects.toThrow(/nowhere\.json cannot be read \(ENOENT\)/);
});

test.each([
  ['mcp', 'there is no "mcp "; give mcp list or mcp import FILE'],
  ['mcp export', 'there is no "mcp export"; give mcp list or mcp import FILE'],
  ['mcp import', 'mcp import needs the file with the servers'],
  ['mcp import --dry-run', 'mcp import needs the file with the servers'],
  ['mcp list --what', 'unknown flag -what'],
])('"%s" says how it would work', (line, text) => {
  expect(parseArguments(line.split(' '), {})).toMatchObject({ type: 'invalid', text: expect.stringContaining(text) });
});
