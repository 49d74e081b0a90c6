import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { decodedHeader } from './header-values.ts';
import { META, MODERN_CODE, MODERN_VERSION, metaOf, mirroredName } from './protocol.ts';

export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Why a request is not served: what JSON-RPC says of it, and HTTP. */
export interface Fault {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data?: JsonValue;
}

const INVALID_PARAMS = -32602;

/**
 * Whether a POST is of the modern era: its body says so in the envelope, which no older client writes, or its header
 * names a revision that no older client knows.
 */
export function isModernPost(body: unknown, headers: RequestHeaders): boolean {
  const version = headers['mcp-protocol-version'];
  if (typeof version === 'string' && /^\d{4}-/.test(version) && version >= MODERN_VERSION) return true;
  const meta = isObject(body) && isObject(body.params) ? body.params._meta : undefined;
  return isObject(meta) && META.version in meta;
}

/** What is wrong with a request of the modern era; undefined when it may be served. */
export function requestFault(method: string, params: JsonObject, headers: RequestHeaders): Fault | undefined {
  return headerFault(method, params, headers) ?? envelopeFault(params) ?? versionFault(params);
}

const mismatch = (message: string): Fault => ({
  status: 400,
  code: MODERN_CODE.headerMismatch,
  message: `Header mismatch: ${message}`,
});

/** Headers repeat the body for whoever reads no bodies: they must not say something else (2026-07-28, server validation). */
function headerFault(method: string, params: JsonObject, headers: RequestHeaders): Fault | undefined {
  const version = headers['mcp-protocol-version'];
  if (typeof version !== 'string') return mismatch('the header MCP-Protocol-Version is missing');
  const claimed = metaOf(params)[META.version];
  if (typeof claimed === 'string' && claimed !== version) {
    return mismatch(`MCP-Protocol-Version says '${version}', the body '${claimed}'`);
  }
  const named = headers['mcp-method'];
  if (named !== method) return mismatch(`Mcp-Method says ${quoted(named)}, the body '${method}'`);
  const name = mirroredName(method, params);
  if (typeof name !== 'string') return undefined;
  const given = headers['mcp-name'];
  const decoded = typeof given === 'string' ? decodedHeader(given) : undefined;
  return decoded === name ? undefined : mismatch(`Mcp-Name says ${quoted(given)}, the body '${name}'`);
}

const quoted = (header: string | string[] | undefined): string => (header === undefined ? 'nothing' : `'${header}'`);

function envelopeFault(params: JsonObject): Fault | undefined {
  const meta = metaOf(params);
  const missing = [META.version, META.capabilities].filter((key) => !(key in meta));
  if (missing.length > 0) return invalidParams(`params._meta lacks ${missing.join(' and ')}`);
  if (typeof meta[META.version] !== 'string') return invalidParams(`${META.version} must be a string`);
  if (!isObject(meta[META.capabilities])) return invalidParams(`${META.capabilities} must be an object`);
  const info = meta[META.clientInfo];
  const isInfo = isObject(info) && typeof info.name === 'string' && typeof info.version === 'string';
  if (info !== undefined && !isInfo) return invalidParams(`${META.clientInfo} must have a name and a version`);
  const level = meta[META.logLevel];
  return level === undefined || LEVELS.has(level) ? undefined : invalidParams(`${META.logLevel} is no log level`);
}

const LEVELS: ReadonlySet<JsonValue> = new Set([
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]);

const invalidParams = (reason: string): Fault => ({
  status: 400,
  code: INVALID_PARAMS,
  message: `Invalid params: ${reason}`,
});

function versionFault(params: JsonObject): Fault | undefined {
  const requested = String(metaOf(params)[META.version]);
  if (requested === MODERN_VERSION) return undefined;
  return {
    status: 400,
    code: MODERN_CODE.unsupportedVersion,
    message: `Unsupported protocol version: ${requested}; requests with this metadata are served as ${MODERN_VERSION}`,
    data: { supported: [MODERN_VERSION], requested },
  };
}
