import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { CLIENT_NAME_RULES, type McpClientConfig, mcpClient } from '../../config/schema.ts';
import { redacted } from '../../config/secrets.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { clientForm, storedSecret } from '../../stores/client-form.ts';
import { adminError } from './errors.ts';

/** What may change after a client was made; everything else in the body of a PUT is ignored (Bifrost v2). */
const CHANGEABLE = [
  'name',
  'headers',
  'allowed_extra_headers',
  'tools_to_execute',
  'tools_to_auto_execute',
  'is_ping_available',
  'tool_execution_timeout',
  'tool_sync_interval',
  'tool_pricing',
  'needs_session_stickiness',
  'process_config',
  'disabled',
] as const;

/** The client that a POST describes. Throws GatewayError with status 400 and Bifrost's texts. */
export function newClient(body: unknown, newId: () => string): McpClientConfig {
  const fields = bodyOf(body);
  checkName(fields.name);
  checkTimeout(fields.tool_execution_timeout, 'must not be negative');
  const id = typeof fields.client_id === 'string' && fields.client_id !== '' ? fields.client_id : newId();
  return parsedClient({ ...fields, client_id: id });
}

/**
 * What a PUT changes of `current`; it names only what is to be different, and the checks are those of the whole.
 * Throws as `newClient` does.
 */
export function clientChanges(current: McpClientConfig, body: unknown): Partial<McpClientConfig> {
  const fields = bodyOf(body);
  if ('name' in fields) checkName(fields.name);
  checkTimeout(fields.tool_execution_timeout, 'must be >= 0');
  const given: JsonObject = Object.fromEntries(
    CHANGEABLE.filter((field) => fields[field] !== undefined).map((field) => [field, fields[field]]),
  );
  if (isObject(given.headers)) given.headers = keptHeaders(given.headers, current);
  const changed = parsedClient({ ...clientForm(current, storedSecret), ...given });
  return Object.fromEntries(
    CHANGEABLE.filter((field) => !isDeepStrictEqual(changed[field], current[field])).map((field) => [
      field,
      changed[field],
    ]),
  );
}

function bodyOf(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw adminError(400, 'Invalid request format: the body must be a JSON object');
}

function checkName(name: unknown): void {
  const text = typeof name === 'string' ? name : '';
  const broken = CLIENT_NAME_RULES.find(([holds]) => !holds(text));
  if (broken) throw adminError(400, `Invalid client name: ${broken[1]}`);
}

function checkTimeout(timeout: unknown, rule: string): void {
  const isNegative = typeof timeout === 'number' ? timeout < 0 : typeof timeout === 'string' && /^\s*-/.test(timeout);
  if (isNegative) throw adminError(400, `tool_execution_timeout ${rule}`);
}

function parsedClient(fields: object): McpClientConfig {
  const parsed = mcpClient.safeParse(withMinutes(fields));
  if (!parsed.success) throw adminError(400, `Invalid MCP client: ${z.prettifyError(parsed.error)}`);
  return withAutoExecuteChecked(parsed.data);
}

/** A bare integer is minutes in the API, though nanoseconds in the config file. */
function withMinutes(fields: object): object {
  if (!('tool_sync_interval' in fields) || typeof fields.tool_sync_interval !== 'number') return fields;
  return { ...fields, tool_sync_interval: `${fields.tool_sync_interval}m` };
}

/** What runs by itself must be a part of what runs at all; the check is the API's only, not the config file's. */
function withAutoExecuteChecked(config: McpClientConfig): McpClientConfig {
  const { tools_to_execute: executable, tools_to_auto_execute: automatic } = config;
  if (executable.length === 0) return { ...config, tools_to_auto_execute: [] };
  if (executable.includes('*')) return config;
  const known = new Set(executable.map((tool) => tool.toLowerCase()));
  const foreign = automatic.find((tool) => !known.has(tool.toLowerCase()));
  if (foreign === undefined) return config;
  const reason = foreign === '*' ? "requires '*' in tools_to_execute" : 'is not in tools_to_execute';
  throw adminError(400, `Invalid tools_to_auto_execute: tool '${foreign}' in tools_to_auto_execute ${reason}`);
}

/** A header that comes back as it was shown keeps the value it has. */
function keptHeaders(headers: JsonObject, current: McpClientConfig): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const stored = Object.hasOwn(current.headers, name) ? current.headers[name] : undefined;
      return [name, stored && value === redacted(stored) ? storedSecret(stored) : value];
    }),
  );
}
