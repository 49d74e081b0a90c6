import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { nearest } from './config/nearest.ts';
import type { Environment } from './config/secrets.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const LOG_STYLES = ['json', 'pretty'] as const;
const BUNDLED_SERVERS = ['filesystem', 'fetch', 'memory', 'time'] as const;

export interface ServeOptions {
  /** Absolute. Holds config.json and the databases; relative paths in the config start here. */
  readonly appDir: string;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logStyle: (typeof LOG_STYLES)[number];
}

/** Something done to the MCP clients of an app-dir while no gateway need run. */
export type McpCommand =
  | { readonly type: 'mcp'; readonly action: 'list'; readonly appDir: string }
  | {
      readonly type: 'mcp';
      readonly action: 'import';
      readonly appDir: string;
      readonly file: string;
      readonly dryRun: boolean;
    };

/** What the command line asks for. */
export type Command =
  | ({ readonly type: 'serve' } & ServeOptions)
  | {
      readonly type: 'mcp-server';
      readonly server: (typeof BUNDLED_SERVERS)[number];
      readonly args: readonly string[];
    }
  | McpCommand
  | { readonly type: 'help'; readonly text: string }
  | { readonly type: 'version' }
  /** Nothing can be done; `text` says why and how it would work. Exit code 2. */
  | { readonly type: 'invalid'; readonly text: string };

interface Flag {
  readonly name: string;
  /** Variables that give it when the flag is absent, best first. */
  readonly variables: readonly string[];
  readonly value: string;
  readonly help: string;
}

const FLAGS: readonly Flag[] = [
  {
    name: 'app-dir',
    variables: ['BIFROST_APP_DIR'],
    value: 'DIR',
    help: 'folder of config.json and the databases (default ~/.config/bifrost)',
  },
  {
    name: 'port',
    variables: ['BIFROST_PORT', 'APP_PORT', 'PORT'],
    value: 'N',
    help: 'port to listen on (default 8080)',
  },
  {
    name: 'host',
    variables: ['BIFROST_HOST', 'APP_HOST'],
    value: 'NAME',
    help: 'address to listen on; 0.0.0.0 lets other machines in (default localhost)',
  },
  { name: 'log-level', variables: ['LOG_LEVEL'], value: 'LEVEL', help: `${LOG_LEVELS.join(', ')} (default info)` },
  { name: 'log-style', variables: ['LOG_STYLE'], value: 'STYLE', help: `${LOG_STYLES.join(' or ')} (default json)` },
];

const HELP_FLAGS: readonly string[] = ['help', 'h'];
const VERSION_FLAGS: readonly string[] = ['version', 'v'];

/** Reads the words after the program's name. Pure but for the machine's home folder and platform, which may be given. */
export function parseArguments(argv: readonly string[], env: Environment, machine: Machine = thisMachine): Command {
  if (argv[0] === 'mcp-server') return mcpServerCommand(argv.slice(1));
  try {
    if (argv[0] === 'mcp') return mcpCommand(argv.slice(1), env, machine);
    const given = readFlags(argv);
    if (given === 'help') return { type: 'help', text: HELP };
    if (given === 'version') return { type: 'version' };
    return {
      type: 'serve',
      ...serveOptions((flag) => given.get(flag.name) ?? fromEnvironment(flag, env), env, machine),
    };
  } catch (thrown) {
    if (thrown instanceof Invalid) return { type: 'invalid', text: `${thrown.message}\n${SEE_HELP}` };
    throw thrown;
  }
}

interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

const thisMachine: Machine = { platform: process.platform, home: homedir() };

class Invalid extends Error {}

/** A setting, and the flag or variable that gave it. */
interface Given {
  readonly source: string;
  readonly value: string;
}

/** Flags as Go's flag package reads them: one dash or two, the value after `=` or as the next word. */
function readFlags(argv: readonly string[]): ReadonlyMap<string, Given> | 'help' | 'version' {
  const given = new Map<string, Given>();
  const words = argv.values();
  for (const word of words) {
    const [, name = '', inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (!name) throw new Invalid(unexpectedText(word));
    if (HELP_FLAGS.includes(name)) return 'help';
    if (VERSION_FLAGS.includes(name)) return 'version';
    if (!FLAGS.some((flag) => flag.name === name)) throw new Invalid(unknownFlagText(name));
    const value = inline ?? words.next().value;
    if (!value) throw new Invalid(`-${name} needs a value, as in "-${name} ${exampleOf(name)}"`);
    given.set(name, { source: `-${name}`, value });
  }
  return given;
}

function fromEnvironment(flag: Flag, env: Environment): Given | undefined {
  const source = flag.variables.find((variable) => env[variable]);
  return source === undefined ? undefined : { source, value: env[source] ?? '' };
}

function serveOptions(settingOf: (flag: Flag) => Given | undefined, env: Environment, machine: Machine): ServeOptions {
  const settings = Object.fromEntries(FLAGS.map((flag) => [flag.name, settingOf(flag)]));
  return {
    appDir: resolve(settings['app-dir']?.value ?? defaultAppDir(env, machine)),
    host: settings.host?.value ?? 'localhost',
    port: portOf(settings.port),
    logLevel: oneOf(LOG_LEVELS, settings['log-level'], 'info'),
    logStyle: oneOf(LOG_STYLES, settings['log-style'], 'json'),
  };
}

function portOf(given: Given | undefined): number {
  if (!given) return 8080;
  const port = Number(given.value);
  if (/^\d+$/.test(given.value) && port <= 65_535) return port;
  throw new Invalid(`${given.source} is "${given.value}", which is no port; give a number from 0 to 65535`);
}

function oneOf<Word extends string>(words: readonly Word[], given: Given | undefined, otherwise: Word): Word {
  if (!given) return otherwise;
  const word = words.find((candidate) => candidate === given.value.toLowerCase());
  if (word) return word;
  throw new Invalid(`${given.source} is "${given.value}"; give one of ${words.join(', ')}`);
}

/** Where the OS keeps settings, as Go's os.UserConfigDir has it, except that macOS is treated as any Unix. */
function defaultAppDir(env: Environment, { platform, home }: Machine): string {
  if (platform === 'win32') return join(env.APPDATA || join(home, 'AppData', 'Roaming'), 'bifrost');
  // a relative XDG_CONFIG_HOME is invalid and must be ignored (XDG base directory specification)
  const configHome = env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(home, '.config');
  return join(configHome, 'bifrost');
}

function mcpServerCommand([name = '', ...args]: readonly string[]): Command {
  if (HELP_FLAGS.includes(name.replace(/^--?/, '')) && name.startsWith('-')) return { type: 'help', text: HELP };
  const server = BUNDLED_SERVERS.find((candidate) => candidate === name);
  if (server) return { type: 'mcp-server', server, args };
  const what = name ? `there is no bundled MCP server "${name}"` : 'mcp-server needs the name of a server';
  return { type: 'invalid', text: `${what}; give one of ${BUNDLED_SERVERS.join(', ')}\n${SEE_HELP}` };
}

/** `mcp list` and `mcp import FILE [--dry-run]`, each with `-app-dir`. */
function mcpCommand([action = '', ...words]: readonly string[], env: Environment, machine: Machine): Command {
  if (HELP_FLAGS.includes(action.replace(/^--?/, '')) && action.startsWith('-')) return { type: 'help', text: HELP };
  const isDryRun = (word: string) => /^--?dry-run$/.test(word);
  const file = action === 'import' && !words[0]?.startsWith('-') ? words[0] : undefined;
  const flags = words.slice(file === undefined ? 0 : 1).filter((word) => !isDryRun(word));
  const given = readFlags(flags);
  if (given === 'help') return { type: 'help', text: HELP };
  if (given === 'version') return { type: 'version' };
  const { appDir } = serveOptions((flag) => given.get(flag.name) ?? fromEnvironment(flag, env), env, machine);
  if (action === 'list') return { type: 'mcp', action, appDir };
  if (action !== 'import') throw new Invalid(`there is no "mcp ${action}"; give mcp list or mcp import FILE`);
  if (file === undefined) throw new Invalid('mcp import needs the file with the servers, as in "mcp import .mcp.json"');
  return { type: 'mcp', action, appDir, file: resolve(file), dryRun: words.some(isDryRun) };
}

function unknownFlagText(name: string): string {
  const meant = nearest(name, [...FLAGS.map((flag) => flag.name), ...HELP_FLAGS, ...VERSION_FLAGS]);
  return `unknown flag -${name}${meant ? `; did you mean -${meant}?` : ''}`;
}

function unexpectedText(word: string): string {
  const meant = nearest(word, ['mcp-server']);
  return `unexpected word "${word}"${meant ? `; did you mean ${meant}?` : '; settings are flags, as in "-port 8080"'}`;
}

const exampleOf = (name: string): string =>
  ({ port: '8080', host: '0.0.0.0', 'log-level': 'debug', 'log-style': 'pretty' })[name] ?? './data';

const SEE_HELP = 'Run "bifrost --help" to see what it takes.';

const HELP = `Bifrost: the MCP gateway for coding agents and headless agents.

Usage:
  bifrost [flags]                          start the gateway
  bifrost mcp-server <name> [arguments]    run a bundled MCP server on stdin and stdout:
                                           ${BUNDLED_SERVERS.join(', ')}
  bifrost mcp import FILE [--dry-run]      add the MCP servers of Claude, Cursor, VS Code or Gemini CLI;
                                           --dry-run only tells what would be added
  bifrost mcp list                         list the MCP clients of the app-dir

Flags, with one dash or two; environment variables in brackets:
${FLAGS.map(helpLine).join('\n')}
  -version, -v         print the version
  -help, -h            print this text

Examples:
  bifrost -app-dir ./data -log-style pretty
  OPENAI_API_KEY=... bifrost -port 9000
  bifrost mcp-server filesystem ./workspace`;

function helpLine({ name, value, help, variables }: Flag): string {
  return `  ${`-${name} ${value}`.padEnd(20)} ${help} [${variables.join(', ')}]`;
}
