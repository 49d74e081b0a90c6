// biome-ignore-all lint/suspicious/noTemplateCurlyInString: settings of agents name variables that way
import { describe, expect, test } from 'vitest';
import { parseSettings } from '../../../src/mcp/import/entries.ts';
import { importedServers } from '../../../src/mcp/import/import.ts';
import type { JsonValue } from '../../../src/model/json.ts';

const ENVIRONMENT = { TOKEN: 'secret-token-1', HOME: '/home/ada' };

const read = (settings: unknown, taken: string[] = []) =>
  importedServers(settings as JsonValue, { taken, environment: ENVIRONMENT });

const only = (server: object) => {
  const [found] = read({ mcpServers: { s: server } });
  if (!found) throw new Error('nothing was imported');
  return found;
};

describe('settings of each client', () => {
  const stdio = { connection_type: 'stdio', stdio_config: { command: 'npx', args: ['-y', 'x'], envs: ['A=1'] } };

  test.each([
    ['Claude Desktop', { mcpServers: { s: { command: 'npx', args: ['-y', 'x'], env: { A: '1' } } } }, stdio],
    [
      'Claude Code',
      {
        mcpServers: {
          s: { type: 'http', url: 'https://a.example/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } },
        },
      },
      { connection_type: 'http', headers: { Authorization: { value: 'Bearer secret-token-1' } } },
    ],
    [
      'Cursor',
      { mcpServers: { s: { url: 'https://a.example/sse', headers: { 'X-Key': '${env:TOKEN}' } } } },
      { connection_type: 'sse', headers: { 'X-Key': { ref: 'env.TOKEN' } } },
    ],
    [
      'VS Code',
      { inputs: [], servers: { s: { type: 'stdio', command: 'npx', args: ['-y', 'x'], env: { A: '1' } } } },
      stdio,
    ],
    [
      'VS Code settings',
      { 'editor.x': 1, mcp: { servers: { s: { type: 'sse', url: 'https://a.example/x' } } } },
      { connection_type: 'sse' },
    ],
    [
      'Gemini CLI',
      { mcpServers: { s: { httpUrl: 'https://a.example/mcp', timeout: 5_000, includeTools: ['a', 'b'] } } },
      { connection_type: 'http', tool_execution_timeout: 5_000, tools_to_execute: ['a', 'b'] },
    ],
    [
      'Windsurf',
      { mcpServers: { s: { serverUrl: 'https://a.example/mcp', disabled: true } } },
      { connection_type: 'http', disabled: true },
    ],
    ['the servers alone', { s: { command: 'npx', args: ['-y', 'x'], env: { A: '1' } } }, stdio],
  ])('%s', (_, settings, config) => {
    expect(read(settings)).toMatchObject([{ name: 's', config }]);
  });

  test('comments and last commas are read over, but not inside texts', () => {
    const text = `// mine
    { "mcpServers": { /* one */ "s": { "url": "https://a.example/mcp//x,}", "headers": {}, }, }, }`;
    expect(read(parseSettings(text))[0]?.config?.connection_string?.value).toBe('https://a.example/mcp//x,}');
  });

  test.each([[null], [[]], [{}], [{ mcpServers: [] }], [{ other: { command: 1 } }]])(
    '%j holds no servers',
    (settings) => {
      expect(() => read(settings)).toThrow('there are no MCP servers in it');
    },
  );

  test('a text that is no JSON is refused without a word of it', () => {
    expect(() => parseSettings('{"key": sk-secret}')).toThrow(/^the settings are not JSON$/);
  });
});

describe('names', () => {
  test.each([
    ['brave-search', 'brave_search'],
    ['my server', 'my_server'],
    ['1password', '_1password'],
    ['größe', 'gro_e'],
    ['日本', 'server'],
    ['io.github/x', 'io.github_x'],
  ])('%s becomes %s, and says so', (given, name) => {
    const [server] = read({ mcpServers: { [given]: { command: 'x' } } });
    expect(server).toMatchObject({ sourceName: given, name, notes: [expect.stringContaining(`'${name}'`)] });
    expect(server?.config?.name).toBe(name);
  });

  test('two that become one are told apart, and one that exists is skipped', () => {
    const servers = read({ mcpServers: { 'a-b': { command: 'x' }, 'a b': { command: 'x' }, old: { command: 'x' } } }, [
      'old',
    ]);
    expect(servers.map(({ name, reason }) => [name, reason])).toEqual([
      ['a_b', undefined],
      ['a_b_2', undefined],
      ['old', "an MCP client named 'old' exists already"],
    ]);
  });
});

describe('variables', () => {
  test.each([
    [{ command: 'x', env: { TOKEN: '${TOKEN}' } }, ['TOKEN']],
    [{ command: 'x', env: { TOKEN: '$TOKEN' } }, ['TOKEN']],
    [{ command: 'x', env: { KEY: '${env:TOKEN}' } }, ['KEY=secret-token-1']],
    [{ command: 'x', env: { KEY: '${NONE:-default}' } }, ['KEY=default']],
    [{ command: 'x', env: { PRICE: '5 $', EMPTY: '' } }, ['PRICE=5 $', 'EMPTY=']],
  ])('%j has the variables %j', (server, envs) => {
    expect(only(server).config?.stdio_config?.envs).toEqual(envs);
  });

  test('those in arguments and addresses are filled in', () => {
    expect(only({ command: 'x', args: ['${userHome}/a', '${HOME}'] }).config?.stdio_config?.args).toEqual([
      '/home/ada/a',
      '/home/ada',
    ]);
    expect(only({ url: 'https://a.example/${HOME}' }).config?.connection_string?.value).toBe(
      'https://a.example//home/ada',
    );
  });

  test.each([
    [{ command: 'x', env: { A: '${input:key}' } }, /asks a person for \$\{input:key\}/],
    [{ command: 'x', args: ['${workspaceFolder}/a'] }, /\$\{workspaceFolder\} means nothing to a gateway/],
    [{ url: 'https://a.example', headers: { a: 'Bearer ${NONE}' } }, /\$\{NONE\} is not set in the environment/],
    [{ command: '${NONE}' }, /\$\{NONE\} is not set/],
  ])('%j is skipped with the reason', (server, reason) => {
    const { config, reason: told } = only(server);
    expect(config).toBeUndefined();
    expect(told).toMatch(reason);
  });
});

describe('what cannot be had', () => {
  test.each([
    [{}, 'it has neither a command nor a url'],
    [{ url: 'ws://a.example' }, 'its url is no http(s) address'],
    [{ url: 'https://a.example', type: 'websocket' }, "its type 'websocket' is not known"],
    ['text', 'its settings are no object'],
  ])('%j is skipped', (server, reason) => {
    expect(read({ mcpServers: { s: server } })[0]?.reason).toContain(reason);
  });

  test('what is left out is noted', () => {
    const { notes } = only({
      command: 'x',
      cwd: '/a',
      envFile: '.env',
      alwaysAllow: ['a'],
      excludeTools: [],
      trust: true,
    });
    expect(notes.map((note) => note.split(' ')[0])).toEqual(['cwd', 'envFile', 'alwaysAllow', 'trust']);
  });

  test('nothing runs by itself that was imported', () => {
    expect(only({ command: 'x', alwaysAllow: ['a'], trust: true }).config?.tools_to_auto_execute).toEqual([]);
  });
});
