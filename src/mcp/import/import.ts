import { z } from 'zod';
import { CLIENT_NAME_RULES, type McpClientConfig, mcpClient } from '../../config/schema.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { type ServerEntry, serverEntries } from './entries.ts';
import { filled, missingText, onlyVariable, type Variables } from './variables.ts';

/** What became of one server of the settings. Nothing secret is in it. */
export interface ImportedServer {
  readonly sourceName: string;
  /** The client's name here. */
  readonly name: string;
  readonly config?: McpClientConfig;
  /** Why there is no config. */
  readonly reason?: string;
  /** What of the settings was left out or changed. */
  readonly notes: readonly string[];
}

export interface ImportOptions {
  /** Names of the clients that there are. */
  readonly taken: readonly string[];
  readonly environment: Variables;
}

/** The servers of an agent's or editor's settings as MCP clients. Throws GatewayError when there are none in it. */
export function importedServers(
  settings: JsonValue | undefined,
  { taken, environment }: ImportOptions,
): ImportedServer[] {
  const given: string[] = [];
  return serverEntries(settings).map((entry) => {
    const wanted = validName(entry[0]);
    if (taken.includes(wanted)) {
      return {
        sourceName: entry[0],
        name: wanted,
        reason: `an MCP client named '${wanted}' exists already`,
        notes: [],
      };
    }
    const name = freeName(wanted, [...taken, ...given]);
    given.push(name);
    return imported(entry, name, environment);
  });
}

/** The name as the rules for clients have it: it stands before each tool's, and the first hyphen ends it. */
function validName(name: string): string {
  const ascii = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_.]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const valid = /^\d/.test(ascii) ? `_${ascii}` : ascii || 'server';
  return CLIENT_NAME_RULES.every(([holds]) => holds(valid)) ? valid : 'server';
}

function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  for (let number = 2; ; number += 1) if (!taken.includes(`${name}_${number}`)) return `${name}_${number}`;
}

/** A server that cannot be had, and why. */
class Unusable extends Error {}

function imported([sourceName, settings]: ServerEntry, name: string, environment: Variables): ImportedServer {
  const notes =
    name === sourceName ? [] : [`is called '${name}' here: client names hold letters, digits and underscores`];
  try {
    if (!isObject(settings)) throw new Unusable('its settings are no object');
    notes.push(...unusedNotes(settings));
    const fields = { name, ...fieldsOf(settings, environment, notes) };
    const parsed = mcpClient.safeParse(fields);
    if (!parsed.success) throw new Unusable(z.prettifyError(parsed.error));
    return { sourceName, name, config: parsed.data, notes };
  } catch (thrown) {
    if (!(thrown instanceof Unusable)) throw thrown;
    return { sourceName, name, reason: thrown.message, notes };
  }
}

const UNUSED: Readonly<Record<string, string>> = {
  cwd: 'cwd is left out: stdio servers run in the app-dir',
  envFile: 'envFile is not read: add its variables to stdio_config.envs',
  excludeTools: 'excludeTools is left out: name the tools to allow in tools_to_execute',
  disabledTools: 'disabledTools is left out: name the tools to allow in tools_to_execute',
  alwaysAllow: 'alwaysAllow is left out: tools_to_auto_execute says what runs without asking',
  autoApprove: 'autoApprove is left out: tools_to_auto_execute says what runs without asking',
  trust: 'trust is left out: tools_to_auto_execute says what runs without asking',
  oauth: 'oauth is left out: set auth_type and oauth_config of the client',
  headersHelper: 'headersHelper is not run: write headers',
};

const unusedNotes = (settings: JsonObject): string[] =>
  Object.entries(UNUSED).flatMap(([key, note]) => {
    const value = settings[key];
    const isSaid = value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
    return isSaid ? note : [];
  });

function fieldsOf(settings: JsonObject, environment: Variables, notes: string[]): JsonObject {
  const { includeTools, timeout, disabled } = settings;
  const tools = Array.isArray(includeTools) ? includeTools.map(String) : ['*'];
  return {
    ...connectionOf(settings, environment, notes),
    tools_to_execute: tools,
    ...(typeof timeout === 'number' && timeout > 0 && { tool_execution_timeout: `${timeout}ms` }),
    ...(disabled === true && { disabled }),
  };
}

function connectionOf(settings: JsonObject, environment: Variables, notes: string[]): JsonObject {
  const url = settings.httpUrl ?? settings.url ?? settings.serverUrl;
  if (typeof settings.command === 'string') return stdioOf(settings, environment);
  if (typeof url !== 'string') throw new Unusable('it has neither a command nor a url');
  const address = use(url, environment);
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new Unusable('its url is no http(s) address');
  }
  return {
    connection_type: remoteType(settings, address, notes),
    // Whatever names a variable may hold a secret, and then only the name is kept.
    connection_string: onlyVariable(url) ? `env.${onlyVariable(url)}` : address,
    headers: headersOf(settings.headers, environment),
  };
}

function remoteType({ type, transport, httpUrl }: JsonObject, address: string, notes: string[]): 'http' | 'sse' {
  const said = String(type ?? transport ?? (httpUrl === undefined ? '' : 'http')).toLowerCase();
  if (said === 'sse') return 'sse';
  if (/^(?:streamable[-_]?http|http)$/.test(said)) return 'http';
  if (said !== '') throw new Unusable(`its type '${said}' is not known; http, sse and stdio are`);
  if (!/\/sse\/?$/.test(new URL(address).pathname)) return 'http';
  notes.push('is taken for an SSE server, by its address');
  return 'sse';
}

function stdioOf({ command, args, env }: JsonObject, environment: Variables): JsonObject {
  const words = Array.isArray(args) ? args.map(String) : [];
  return {
    connection_type: 'stdio',
    stdio_config: {
      command: use(String(command), environment),
      args: words.map((word) => use(word, environment)),
      envs: Object.entries(isObject(env) ? env : {}).map(([name, value]) => variableOf(name, value, environment)),
    },
  };
}

/** A variable that is passed on under its own name stays a name; it must be there, as it must be at each start. */
function variableOf(name: string, value: JsonValue | undefined, environment: Variables): string {
  const text = value === null || value === undefined ? '' : String(value);
  return onlyVariable(text) === name && environment[name] ? name : `${name}=${use(text, environment)}`;
}

function headersOf(headers: JsonValue | undefined, environment: Variables): JsonObject {
  return Object.fromEntries(
    Object.entries(isObject(headers) ? headers : {}).map(([name, value]) => {
      const text = String(value);
      const variable = onlyVariable(text);
      const known = use(text, environment);
      return [name, variable ? `env.${variable}` : known];
    }),
  );
}

function use(text: string, environment: Variables): string {
  const { text: result, missing } = filled(text, environment);
  if (missing.length > 0) throw new Unusable(missingText(missing));
  return result;
}
