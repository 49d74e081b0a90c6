import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue, parsedJson } from '../../model/json.ts';

/** One server as a client's settings name it. */
export type ServerEntry = readonly [name: string, settings: JsonValue | undefined];

/**
 * Where agents and editors keep their MCP servers: `mcpServers` (Claude Desktop, Claude Code, Cursor, Windsurf, Gemini
 * CLI), `servers` (VS Code's mcp.json) and `mcp.servers` (its settings.json). Throws GatewayError('invalid-request').
 */
export function serverEntries(settings: JsonValue | undefined): ServerEntry[] {
  if (!isObject(settings)) throw notSettings();
  const { mcp } = settings;
  const found = settings.mcpServers ?? settings.servers ?? (isObject(mcp) ? mcp.servers : undefined);
  if (found !== undefined && !isObject(found)) throw notSettings();
  const servers = found ?? bareServers(settings);
  if (!servers) throw notSettings();
  return Object.entries(servers);
}

/** A file may hold nothing but the servers. */
function bareServers(settings: JsonObject): JsonObject | undefined {
  const all = Object.values(settings);
  const isServer = (value: JsonValue | undefined) =>
    isObject(value) && ['command', 'url', 'httpUrl', 'serverUrl'].some((key) => typeof value[key] === 'string');
  return all.length > 0 && all.every(isServer) ? settings : undefined;
}

const notSettings = (): GatewayError =>
  new GatewayError(
    'invalid-request',
    'there are no MCP servers in it: an object "mcpServers" (Claude, Cursor, Gemini CLI) or "servers" (VS Code) is needed',
  );

/** Settings as people write them: JSON with comments and commas at the end. Throws GatewayError('invalid-request'). */
export function parseSettings(text: string): JsonValue {
  const plain = text
    .replace(/^\uFEFF/, '')
    .replace(STRING_OR_COMMENT, (token) => (token.startsWith('"') ? token : ' '))
    .replace(STRING_OR_LAST_COMMA, (token) => (token.startsWith('"') ? token : token.slice(1)));
  const settings = parsedJson(plain);
  // where the fault is stays unsaid: V8 would quote the text around it, which may be a key
  if (settings === undefined) throw new GatewayError('invalid-request', 'the settings are not JSON');
  return settings;
}

const STRING_OR_COMMENT = /"(?:[^"\\]|\\.)*"|\/\/[^\n\r]*|\/\*[\s\S]*?\*\//g;
const STRING_OR_LAST_COMMA = /"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g;
