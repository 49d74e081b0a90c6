import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-odd-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What loading gives of an app-dir whose config.json `make` makes: the configuration, or the words of the refusal. */
async function loaded(make: (file: string) => void): Promise<LoadedConfig | string> {
  const appDir = mkdtempSync(join(folder, 'app-'));
  make(join(appDir, 'config.json'));
  const listen = { host: 'localhost', port: 8080 };
  try {
    return await loadConfig({ appDir, env: {}, listen, detectable: [], probe: async () => false });
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ConfigError);
    return (thrown as ConfigError).message.replace(`${appDir}/`, '');
  }
}

const holding = (content: string | Buffer) => (file: string) => writeFileSync(file, content);

const warningsOf = async (file: object): Promise<readonly string[]> => {
  const found = await loaded(holding(JSON.stringify(file)));
  return typeof found === 'string' ? [found] : found.warnings;
};

test.each<[what: string, make: (file: string) => void, message: string]>([
  ['is empty', holding(''), 'config.json:1:1 is not valid JSON: the text ends where a value is expected'],
  ['holds YAML', holding('client:\n  x: 1\n'), 'config.json:1:1 is not valid JSON: expected a value'],
  [
    'holds a comment after a byte order mark',
    holding('\uFEFF// mine\n{}'),
    'config.json:1:1 is not valid JSON: JSON has no comments; remove this one',
  ],
  [
    'holds words of Python',
    holding('{\n"client": True\n}'),
    'config.json:2:11 is not valid JSON: expected a value; the words are true, false and null, in lower case',
  ],
  [
    'holds curly quotes',
    holding('{ “client”: {} }'),
    'config.json:1:3 is not valid JSON: write straight double quotes instead of curly ones',
  ],
  [
    'holds spaces that are none',
    holding('{\u00a0"client": {} }'),
    'config.json:1:2 is not valid JSON: this looks like a space and is none; write an ordinary one',
  ],
  [
    'is in another encoding',
    holding(Buffer.from('{"é":1}', 'latin1')),
    'config.json is not written in UTF-8; save it as UTF-8',
  ],
  [
    'never closes a very long text',
    holding(`{"$schema":"${'x'.repeat(10_000_000)}`),
    'config.json:1:12 is not valid JSON: this text never closes, or holds a line break or a bad escape such as "\\x"',
  ],
  [
    'is enormous',
    (file) => {
      writeFileSync(file, '{}');
      truncateSync(file, 5_000_000_000);
    },
    'config.json has 4769 MB, and 32 are read at most; make it smaller',
  ],
  [
    'is a link to nowhere',
    (file) => symlinkSync(join(folder, 'nowhere.json'), file),
    'config.json is a link to what is not there; correct where it leads, or remove it',
  ],
  [
    'is a link to itself',
    (file) => symlinkSync(file, file),
    'config.json cannot be read (ELOOP); make it a file that this user may read, or remove it',
  ],
  [
    'is a pipe that nobody writes to',
    (file) => void execFileSync('mkfifo', [file]),
    'config.json is no file; put one in its place, or remove it',
  ],
])('a file that %s is refused in words', async (_, make, message) => {
  expect(await loaded(make)).toBe(message);
});

test.each([
  ['plain', 'x'.repeat(10_000_000)],
  ['full of escapes', '\n"'.repeat(1_000_000)],
])('a very long text is read, %s', async (_, text) => {
  expect(await warningsOf({ $schema: text })).toEqual([]);
});

test('a file of another kind is not answered by a line for each of its fields', async () => {
  const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`field_${at}`, { a: at }]));
  expect((await warningsOf(fields)).length).toBeLessThanOrEqual(200);
});

const key = (name: string) => ({ name, value: 'sk' });
const server = (name: string, more: object = {}) => ({
  name,
  connection_type: 'http',
  connection_string: 'http://x.example/mcp',
  ...more,
});
const virtualKey = (id: string, name: string, value: string) => ({ id, name, value });

test.each<[what: string, file: object, warning: string]>([
  [
    'a provider in two spellings',
    { providers: { openai: { keys: [key('a')] }, OpenAI: { keys: [key('b')] } } },
    'providers.openai is the same provider as providers.OpenAI, which alone counts; join them',
  ],
  [
    'two MCP clients with one client_id',
    { mcp: { client_configs: [server('a', { client_id: '1' }), server('b', { client_id: '1' }), server('c')] } },
    'MCP client "b" is skipped: "a" has the same client_id; give it another, or none, and restart',
  ],
  [
    'two virtual keys with one id',
    { governance: { virtual_keys: [virtualKey('1', 'a', 'sk-bf-1'), virtualKey('1', 'b', 'sk-bf-2')] } },
    'governance.virtual_keys has several keys with the id "1"; give each its own',
  ],
  [
    'two virtual keys with one value',
    { governance: { virtual_keys: [virtualKey('1', 'a', 'sk-bf-1'), virtualKey('2', 'b', 'sk-bf-1')] } },
    'virtual key "b" can never be shown: "a" has the same value; change it',
  ],
])('%s: who is lost is named', async (_, file, warning) => {
  expect(await warningsOf(file)).toEqual([warning]);
});

test.each<[value: unknown, fault: string]>([
  [5, 'keys[0].aliases.fast: expected string or object'],
  [{}, 'keys[0].aliases.fast: model_id is missing (expected string)'],
  [{ model_id: true }, 'keys[0].aliases.fast: model_id expected string, received boolean'],
])('where several things may stand, it is said which: %j', async (alias, fault) => {
  const providers = { openai: { keys: [{ ...key('a'), aliases: { fast: alias } }] }, groq: { keys: [key('b')] } };
  const [warning, ...others] = await warningsOf({ providers });
  expect(warning).toContain(`config.json:1:24 providers.openai is skipped: ${fault}; correct it and restart`);
  expect(others).toEqual([]);
});

test('one that is wrong among good ones is left out, and the good ones stay', async () => {
  const found = await loaded(
    holding(
      JSON.stringify({
        providers: { openai: { keys: [key('a')] }, groq: { keys: 'none' }, mistral: null, xai: {} },
        mcp: { client_configs: [server('good'), { name: 'bad-name' }, null, server('better')] },
      }),
    ),
  );
  expect(found).toMatchObject({
    config: { providers: { openai: {}, xai: {} }, mcp: { client_configs: [{ name: 'good' }, { name: 'better' }] } },
  });
  expect(found).not.toHaveProperty('config.providers.groq');
});
