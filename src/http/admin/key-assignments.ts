import { isDeepStrictEqual } from 'node:util';
import type { KeyAccess, VirtualKeyConfig } from '../../config/governance-section.ts';
import type { McpClientConfig, WhiteList } from '../../config/schema.ts';
import { whiteList } from '../../config/white-list.ts';
import { isOfClient, toolsGivenBy } from '../../governance/virtual-keys.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { adminError } from './errors.ts';

/** The virtual keys, and where it is kept what the API changes of them. */
export interface KeyRooms {
  readonly keys: {
    readonly list: readonly VirtualKeyConfig[];
    /** Of the config file: in version 1 a key that names no client may use every one. */
    readonly version: 1 | 2;
    setAccess(id: string, access: KeyAccess['mcp_configs']): void;
  };
  readonly keyStore: { put(access: KeyAccess): Promise<void> };
}

type Client = Pick<McpClientConfig, 'name' | 'client_id'>;

/** By the id of each key: the tools of one client that it may use, in names without the prefix. */
export type Assignments = ReadonlyMap<string, WhiteList>;

/** `vk_configs` of a body; undefined when it has none, which changes nothing. Throws GatewayError with status 400. */
export function assignmentsIn({ vk_configs: given }: JsonObject, { keys }: KeyRooms): Assignments | undefined {
  if (given === undefined || given === null) return undefined;
  if (!Array.isArray(given)) throw adminError(400, 'vk_configs must be a list');
  const wanted = new Map<string, WhiteList>();
  for (const entry of given) {
    const { virtual_key_id: id, tools_to_execute: tools } = isObject(entry) ? entry : {};
    if (typeof id !== 'string' || id === '') throw adminError(400, 'virtual_key_id must not be empty');
    if (wanted.has(id)) throw adminError(400, `duplicate virtual_key_id in vk_configs: ${id}`);
    knownKey(keys.list, id, 400);
    wanted.set(id, checkedTools(id, tools));
  }
  return wanted;
}

function checkedTools(id: string, tools: unknown): WhiteList {
  const parsed = whiteList.safeParse(tools ?? []);
  if (parsed.success) return parsed.data;
  throw adminError(400, `invalid tools_to_execute for virtual key ${id}: ${parsed.error.issues[0]?.message}`);
}

/** From now on exactly these keys name the client; the entries stand by its id, which outlives its name. */
export async function assign(client: Client, wanted: Assignments, rooms: KeyRooms): Promise<void> {
  for (const key of rooms.keys.list) {
    const tools = wanted.get(key.id);
    if (isSame(toolsGivenBy(key, client), tools)) continue;
    await setAccess(key, [...others(key, client), ...entriesFor(client, tools, key, rooms)], rooms);
  }
}

/** What keys say of a client that had another name until now goes on to be said of it. */
export async function followRename(client: Client, formerName: string, rooms: KeyRooms): Promise<void> {
  const former = { ...client, name: formerName };
  for (const key of rooms.keys.list) {
    const tools = toolsGivenBy(key, former);
    if (tools === undefined || isSame(toolsGivenBy(key, client), tools)) continue;
    await setAccess(key, [...others(key, former), ...entriesFor(client, tools, key, rooms)], rooms);
  }
}

async function setAccess({ id }: VirtualKeyConfig, access: KeyAccess['mcp_configs'], rooms: KeyRooms): Promise<void> {
  await rooms.keyStore.put({ id, mcp_configs: access });
  rooms.keys.setAccess(id, access);
}

const others = (key: VirtualKeyConfig, client: Client): KeyAccess['mcp_configs'] =>
  key.mcp_configs.filter((access) => !isOfClient(access, client));

/** In version 1 a key without any entry may use everything, so the last one that goes leaves a client that it may not use. */
function entriesFor(
  client: Client,
  tools: readonly string[] | undefined,
  key: VirtualKeyConfig,
  { keys }: KeyRooms,
): KeyAccess['mcp_configs'] {
  const isLast = tools === undefined && keys.version === 1 && others(key, client).length === 0;
  if (tools === undefined && !isLast) return [];
  return [{ mcp_client_id: client.client_id, tools_to_execute: [...(tools ?? [])] }];
}

/** Throws GatewayError where there is no key of this id. */
export function knownKey(keys: readonly VirtualKeyConfig[], id: string, status: 400 | 404): VirtualKeyConfig {
  const found = keys.find((key) => key.id === id);
  if (!found) throw adminError(status, `virtual key not found: ${id}`);
  return found;
}

const isSame = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  isDeepStrictEqual(a && [...a].sort(), b && [...b].sort());
