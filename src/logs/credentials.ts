import type { CodecId } from '../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { lookFor } from '../model/marks.ts';

const HIDDEN = '[hidden]';

interface Place {
  readonly isMarked: (bytes: Uint8Array) => boolean;
  readonly hide: (body: JsonObject) => JsonObject;
}

/** A member that only a body with credentials in it has, and where they stand (Messages `mcp_servers`, Responses `mcp` tools). */
const PLACES: Partial<Record<CodecId, Place>> = {
  'anthropic-messages': {
    isMarked: lookFor('"mcp_servers"'),
    hide: (body) => withList(body, 'mcp_servers', (server) => hidden(server, 'authorization_token')),
  },
  'openai-responses': {
    isMarked: lookFor('"server_label"'),
    hide: (body) =>
      withList(body, 'tools', (tool) => (tool.type === 'mcp' ? hiddenHeaders(hidden(tool, 'authorization')) : tool)),
  },
};

/**
 * A client's body as it may be kept: what it sent to sign in at MCP servers of its own is left out. Other bodies are
 * given back as they are, for the price of one search.
 */
export function withoutCredentials(codec: CodecId, bytes: Uint8Array): Uint8Array {
  const place = PLACES[codec];
  if (!place) return bytes;
  if (!place.isMarked(bytes)) return bytes;
  const body: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  return isObject(body) ? Buffer.from(JSON.stringify(place.hide(body))) : bytes;
}

function withList(body: JsonObject, name: string, change: (entry: JsonObject) => JsonObject): JsonObject {
  const list = body[name];
  if (!Array.isArray(list)) return body;
  return { ...body, [name]: list.map((entry: JsonValue) => (isObject(entry) ? change(entry) : entry)) };
}

const hidden = (entry: JsonObject, name: string): JsonObject =>
  typeof entry[name] === 'string' ? { ...entry, [name]: HIDDEN } : entry;

function hiddenHeaders(tool: JsonObject): JsonObject {
  const { headers } = tool;
  if (!isObject(headers)) return tool;
  return { ...tool, headers: Object.fromEntries(Object.keys(headers).map((name) => [name, HIDDEN])) };
}

/** For JSON.stringify of the gateway's own model, where such a member may stand at any depth. */
export function hidingCredentials(name: string, value: unknown): unknown {
  if (name === 'authorization_token' && typeof value === 'string') return HIDDEN;
  if (isObject(value) && value.type === 'mcp' && 'server_label' in value) {
    return hiddenHeaders(hidden(value, 'authorization'));
  }
  return value;
}
