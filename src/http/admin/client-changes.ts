import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { CLIENT_NAME_RULES, type McpClientConfig, mcpClient } from '../../config/schema.ts';
import { redacted, type Secret } from '../../config/secrets.ts';
import { isObject, type JsonObject, ownValue } from '../../model/json.ts';
import { clientForm, storedSecret } from '../../stores/client-form.ts';
import { adminError } from './errors.ts';

/** What may change after a client was made; everything else in the body of a PUT is ignored (Bifrost v2). */
const CHANGEABLE = [
  'name',
  'headers',
  'tls_config',
  'allowed_extra_headers',
  'tools_to_execute',
  'tools_to_auto_execute',
  'is_ping_available',
  'tool_execution_timeout',
  'tool_sync_interval',
  'tool_pricing',
  'tool_mode',
  'is_code_mode_client',
  'allow_by_default',
  'allow_on_all_virtual_keys',
  'openapi_config',
  'tool_safety',
  'result_limits',
  'sampling',
  'per_user_header_keys',
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
  if (isObject(given.headers)) given.headers = keptSecrets(given.headers, current.headers);
  if (isObject(given.tls_config)) given.tls_config = keptSecrets(given.tls_config, { ...current.tls_config });
  if (isObject(given.openapi_config)) given.openapi_config = mergedOpenApi(given.openapi_config, current);
  // The newer name wins, so the older one alone must say the same under it.
  const { allow_on_all_virtual_keys: forEveryKey } = given;
  if (forEveryKey !== undefined) given.allow_by_default ??= forEveryKey;
  const changed = parsedClient({ ...clientForm(current, storedSecret), ...given });
  return Object.fromEntries(
    CHANGEABLE.filter((field) => !isDeepStrictEqual(changed[field], current[field])).map((field) => [
      field,
      changed[field],
    ]),
  );
}

export function bodyOf(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw adminError(400, 'Invalid request payload: the body must be a JSON object');
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
  if (!parsed.success) throw adminError(400, faultText(parsed.error));
  return withAutoExecuteChecked(parsed.data);
}

const WHITE_LISTS = ['tools_to_execute', 'tools_to_auto_execute', 'allowed_extra_headers'];

/** In Bifrost's words where it has any: those of lists, and those that begin with the field's name. */
function faultText(error: z.ZodError): string {
  const [issue] = error.issues;
  const field = String(issue?.path[0] ?? '');
  if (issue && WHITE_LISTS.includes(field)) return `Invalid ${field}: ${issue.message}`;
  if (issue?.message.startsWith(field) && field !== '') return issue.message;
  return `Invalid MCP client: ${z.prettifyError(error)}`;
}

/** As many as fit into the original's 64 bits of nanoseconds. */
const MOST_MINUTES = 153_722_867;

/** A bare integer is minutes in the API, though nanoseconds in the config file. */
function withMinutes(fields: object): object {
  if (!('tool_sync_interval' in fields) || typeof fields.tool_sync_interval !== 'number') return fields;
  const { tool_sync_interval: minutes } = fields;
  if (!(minutes >= 0 && minutes <= MOST_MINUTES)) {
    throw adminError(400, `tool_sync_interval must be between 0 and ${MOST_MINUTES} minutes`);
  }
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

/** What comes back as it was shown keeps the value it has. */
function keptSecrets(given: JsonObject, current: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const stored = ownValue(current, name);
      return [name, isSecret(stored) && value === redacted(stored) ? storedSecret(stored) : value];
    }),
  );
}

const isSecret = (value: unknown): value is Secret => isObject(value) && typeof value.value === 'string';

const SOURCES = ['spec', 'spec_file', 'spec_url'];

/** What the body does not name stays; a new document takes the place of the old one, wherever that was. */
function mergedOpenApi(given: JsonObject, current: McpClientConfig): JsonObject {
  const { security_credentials: credentials, ...rest } = given;
  const stored = current.openapi_config;
  const form = clientForm(current, storedSecret).openapi_config;
  const kept = Object.entries(isObject(form) ? form : {}).filter(
    ([key]) => !SOURCES.includes(key) || !SOURCES.some((source) => given[source] !== undefined),
  );
  return {
    ...Object.fromEntries(kept),
    ...keptSecrets(rest, { ...stored }),
    ...(isObject(credentials) && {
      security_credentials: Object.fromEntries(
        Object.entries(credentials).map(([scheme, credential]) => [
          scheme,
          isObject(credential) ? keptSecrets(credential, { ...stored?.security_credentials[scheme] }) : credential,
        ]),
      ),
    }),
  };
}
