import { describe, expect, test } from 'vitest';
import { parseArguments } from '../src/cli.ts';

const LINUX = { platform: 'linux', home: '/home/ada' } as const;
const parse = (line: string, env = {}) => parseArguments(line.split(' ').filter(Boolean), env, LINUX);
const invalid = (text: string) => ({ type: 'invalid', text: `${text}\nRun "bifrost --help" to see what it takes.` });

const DEFAULTS = {
  type: 'serve',
  appDir: '/home/ada/.config/bifrost',
  host: 'localhost',
  port: 8080,
  logLevel: 'info',
  logStyle: 'json',
};

test('without arguments the gateway starts with the defaults', () => {
  expect(parse('')).toEqual(DEFAULTS);
});

describe('flags', () => {
  test.each([
    ['-app-dir /data', { appDir: '/data' }],
    ['--app-dir /data', { appDir: '/data' }],
    ['-app-dir=/data', { appDir: '/data' }],
    ['--app-dir=/data=1', { appDir: '/data=1' }],
    ['-app-dir ./my-bifrost-data', { appDir: `${process.cwd()}/my-bifrost-data` }],
    ['-app-dir .', { appDir: process.cwd() }],
    ['-port 0', { port: 0 }],
    ['-port 9000 -host 0.0.0.0', { port: 9000, host: '0.0.0.0' }],
    ['-log-level debug --log-style=pretty', { logLevel: 'debug', logStyle: 'pretty' }],
    ['-log-level WARN', { logLevel: 'warn' }],
    ['-port 1 -port 2', { port: 2 }],
  ])('%s', (line, expected) => {
    expect(parse(line)).toEqual({ ...DEFAULTS, ...expected });
  });

  test.each([
    ['-prot 9000', 'unknown flag -prot; did you mean -port?'],
    ['--log-stile=pretty', 'unknown flag -log-stile; did you mean -log-style?'],
    ['--verbose', 'unknown flag -verbose'],
    ['-port', '-port needs a value, as in "-port 8080"'],
    ['-app-dir=', '-app-dir needs a value, as in "-app-dir ./data"'],
    ['-port eighty', '-port is "eighty", which is no port; give a number from 0 to 65535'],
    ['-port 70000', '-port is "70000", which is no port; give a number from 0 to 65535'],
    ['-log-level loud', '-log-level is "loud"; give one of debug, info, warn, error'],
    ['-log-style xml', '-log-style is "xml"; give one of json, pretty'],
    ['serve', 'unexpected word "serve"; settings are flags, as in "-port 8080"'],
    ['mcp-sever time', 'unexpected word "mcp-sever"; did you mean mcp-server?'],
    ['--', 'unexpected word "--"; settings are flags, as in "-port 8080"'],
  ])('%s: %s', (line, text) => {
    expect(parse(line)).toEqual(invalid(text));
  });
});

describe('environment variables', () => {
  test.each([
    [{ BIFROST_HOST: 'a', APP_HOST: 'b' }, { host: 'a' }],
    [{ APP_HOST: '0.0.0.0' }, { host: '0.0.0.0' }],
    [{ BIFROST_PORT: '1', APP_PORT: '2', PORT: '3' }, { port: 1 }],
    [{ APP_PORT: '2', PORT: '3' }, { port: 2 }],
    [{ PORT: '3' }, { port: 3 }],
    [{ PORT: '' }, { port: 8080 }],
    [
      { LOG_LEVEL: 'error', LOG_STYLE: 'pretty' },
      { logLevel: 'error', logStyle: 'pretty' },
    ],
    [{ BIFROST_APP_DIR: '/data' }, { appDir: '/data' }],
    [{ XDG_CONFIG_HOME: '/etc/xdg' }, { appDir: '/etc/xdg/bifrost' }],
    [{ XDG_CONFIG_HOME: 'relative' }, { appDir: '/home/ada/.config/bifrost' }],
  ])('%j gives %j', (env, expected) => {
    expect(parse('', env)).toEqual({ ...DEFAULTS, ...expected });
  });

  test('a flag wins over its variable', () => {
    expect(parse('-port 9000', { BIFROST_PORT: 'nonsense' })).toMatchObject({ port: 9000 });
  });

  test('a wrong value names its variable', () => {
    expect(parse('', { APP_PORT: 'http' })).toEqual(
      invalid('APP_PORT is "http", which is no port; give a number from 0 to 65535'),
    );
  });
});

test('Windows keeps its settings in APPDATA', () => {
  const command = parseArguments([], { APPDATA: '/roaming' }, { platform: 'win32', home: '/users/ada' });
  expect(command).toMatchObject({ appDir: '/roaming/bifrost' });
});

test.each(['-h', '--help', '-help', '-port 9000 --help', 'mcp-server --help'])('%s prints the help', (line) => {
  const command = parse(line);
  expect(command.type).toBe('help');
});

test('the help names every flag, variable and bundled server', () => {
  const command = parse('--help');
  const text = command.type === 'help' ? command.text : '';
  const words = ['-app-dir', '-port', '-host', '-log-level', '-log-style', '-version', '-help', 'BIFROST_HOST', 'PORT'];
  for (const word of [...words, 'LOG_LEVEL', 'mcp-server', 'filesystem, fetch, memory, time']) {
    expect(text).toContain(word);
  }
});

test.each(['-v', '-version', '--version'])('%s asks for the version', (line) => {
  expect(parse(line)).toEqual({ type: 'version' });
});

describe('bundled MCP servers', () => {
  test('what follows the name is the server’s own business', () => {
    expect(parse('mcp-server filesystem workspace --read-only -port')).toEqual({
      type: 'mcp-server',
      server: 'filesystem',
      args: ['workspace', '--read-only', '-port'],
    });
  });

  test.each([
    ['mcp-server', 'mcp-server needs the name of a server; give one of filesystem, fetch, memory, time'],
    ['mcp-server git', 'there is no bundled MCP server "git"; give one of filesystem, fetch, memory, time'],
  ])('%s: %s', (line, text) => {
    expect(parse(line)).toEqual(invalid(text));
  });
});
