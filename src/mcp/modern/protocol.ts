import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';

/** The first revision without sessions: each request says who asks, in which version, and what it can do. */
export const MODERN_VERSION = '2026-07-28';

/** Reserved keys of `_meta` (2026-07-28, basic, "General fields"). */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** Codes of 2026-07-28, basic, "Error Codes". */
export const MODERN_CODE = {
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

const MODERN_CODES: ReadonlySet<unknown> = new Set(Object.values(MODERN_CODE));

/** An error that only a server of this era gives, so that it tells the era. */
export const isModernError = (code: unknown): boolean => MODERN_CODES.has(code);

/** Revisions are dates: text order is age. */
export const isModernVersion = (version: unknown): boolean =>
  typeof version === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= MODERN_VERSION;

const NAME_MEMBERS: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/** What the header `Mcp-Name` mirrors for this request; undefined where the method has none. */
export function mirroredName(method: string, params: JsonObject): JsonValue | undefined {
  const member = ownValue(NAME_MEMBERS, method);
  return member === undefined ? undefined : params[member];
}

/** The requests whose results may ask for input first (2026-07-28, multi round-trip requests). */
export const MAY_NEED_INPUT: ReadonlySet<string> = new Set(Object.keys(NAME_MEMBERS));

export const metaOf = (params: JsonObject | undefined): JsonObject => (isObject(params?._meta) ? params._meta : {});

/** Whether the caller itself speaks this era: its own envelope came along. */
export const isFromModernCaller = (meta: JsonObject): boolean => META.version in meta;

const CALLER_KEYS: readonly string[] = [META.version, META.clientInfo, META.capabilities, META.logLevel];

/** What a client of this era sends with a retry; beside `_meta` on the wire, inside it on its way through the gateway. */
export const RETRY = { inputResponses: 'bifrost/inputResponses', requestState: 'bifrost/requestState' } as const;

const ENVELOPE: ReadonlySet<string> = new Set([...CALLER_KEYS, ...Object.values(RETRY)]);

/** `_meta` as a server of the older era should see it: without what only this era says there. */
export function withoutEnvelope(meta: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => !ENVELOPE.has(key)));
}
