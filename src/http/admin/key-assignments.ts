import type { VirtualKeyConfig } from '../../config/governance-section.ts';
import type { McpClientConfig } from '../../config/schema.ts';
import { toolsGivenBy } from '../../governance/virtual-keys.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { adminError } from './errors.ts';

type Keys = readonly VirtualKeyConfig[];

/**
 * `vk_configs` in the body of a client: keys stand in the config file, and what they let through with them, so that only
 * what they say already is taken. Throws GatewayError with status 400.
 */
export function checkAssignments(
  { vk_configs: given }: JsonObject,
  client: Pick<McpClientConfig, 'name' | 'client_id'>,
  keys: Keys,
): void {
  if (given === undefined || given === null) return;
  if (!Array.isArray(given)) throw adminError(400, 'vk_configs must be a list');
  const wanted = new Map<string, readonly string[]>();
  for (const entry of given) {
    const fields = isObject(entry) ? entry : {};
    const id = typeof fields.virtual_key_id === 'string' ? fields.virtual_key_id : '';
    if (id === '') throw adminError(400, 'virtual_key_id must not be empty');
    if (wanted.has(id)) throw adminError(400, `duplicate virtual_key_id in vk_configs: ${id}`);
    knownKey(keys, id, 400);
    wanted.set(id, Array.isArray(fields.tools_to_execute) ? fields.tools_to_execute.map(String) : []);
  }
  const other = keys.find((key) => !isSame(toolsGivenBy(key, client), wanted.get(key.id)));
  if (!other) return;
  throw adminError(
    400,
    `virtual keys are kept in the config file: change mcp_configs of virtual key '${other.name}' under ` +
      'governance.virtual_keys there, or leave vk_configs out',
  );
}

/** Throws GatewayError where there is no key of this id. */
export function knownKey(keys: Keys, id: string, status: 400 | 404): VirtualKeyConfig {
  const found = keys.find((key) => key.id === id);
  if (!found) throw adminError(status, `virtual key not found: ${id}`);
  return found;
}

const isSame = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  JSON.stringify(a && [...a].sort()) === JSON.stringify(b && [...b].sort());
