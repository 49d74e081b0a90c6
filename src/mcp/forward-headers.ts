import type { WhiteList } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';
import { allows } from './filters.ts';

/** Never passed on, whatever a config says. Source: Bifrost, header forwarding to MCP servers. */
const SECRET_OR_HOP = ['proxy-authorization', 'cookie', 'host', 'content-length', 'connection', 'transfer-encoding'];
const GATEWAY_KEYS = ['x-api-key', 'x-goog-api-key', 'x-bf-api-key', 'x-bf-api-key-id', 'x-bf-vk'];
/** Belong to the conversation between us and the server, not to the one between the caller and us. */
const PROTOCOL = [
  'accept',
  'accept-encoding',
  'content-type',
  'content-encoding',
  'mcp-session-id',
  'mcp-protocol-version',
  'last-event-id',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
];
const DENIED: ReadonlySet<string> = new Set([...SECRET_OR_HOP, ...GATEWAY_KEYS, ...PROTOCOL]);

const NONE: Readonly<Record<string, string>> = {};

/** The caller's headers that may travel to a client with this allow-list. A virtual key never does. */
export function headersFor(allowed: WhiteList, caller: Caller): Readonly<Record<string, string>> {
  if (allowed.length === 0) return NONE;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...caller.forwardHeaders, ...caller.mcpHeaders })) {
    const isOurs = caller.virtualKey !== undefined && value.includes(caller.virtualKey);
    if (!isOurs && !DENIED.has(name.toLowerCase()) && allows(allowed, name)) headers[name.toLowerCase()] = value;
  }
  return headers;
}
