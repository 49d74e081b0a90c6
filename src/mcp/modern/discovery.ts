import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { AnswerMessage } from './channel.ts';
import { isModernError, isModernVersion, META, MODERN_CODE, MODERN_VERSION } from './protocol.ts';

/** What a server of the modern era says of itself. */
export interface Discovery {
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions?: string;
}

/** What asking for `server/discover` has shown. `isSure` = the server itself said so, and may be taken at its word. */
export type Verdict = { readonly era: 'modern'; readonly discovery: Discovery } | LegacyVerdict;

interface LegacyVerdict {
  readonly era: 'legacy';
  readonly isSure: boolean;
}

/**
 * The era of a server by its answer to `server/discover` (2026-07-28, versioning, backward compatibility): errors of the
 * modern era alone tell it, and any other answer but a result means the older one.
 * Throws when a modern server has no version in common with us.
 */
export function verdictOf(answer: AnswerMessage): Verdict {
  if ('result' in answer) {
    const discovery = discoveryIn(answer.result);
    return discovery ? { era: 'modern', discovery } : { era: 'legacy', isSure: true };
  }
  const { code, message, data } = answer.error;
  if (!isModernError(code)) return { era: 'legacy', isSure: true };
  const supported = code === MODERN_CODE.unsupportedVersion && isObject(data) ? data.supported : undefined;
  // a server that takes both eras, and another version of the newer one, is understood in the older one
  if (Array.isArray(supported) && supported.some((version) => !isModernVersion(version))) {
    return { era: 'legacy', isSure: true };
  }
  throw new McpError(code, message, data);
}

function discoveryIn(result: JsonObject): Discovery | undefined {
  const { supportedVersions, capabilities, instructions, _meta } = result;
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(MODERN_VERSION)) return undefined;
  const info = isObject(_meta) ? _meta[META.serverInfo] : undefined;
  return {
    capabilities: isObject(capabilities) ? capabilities : {},
    // both members are needed in the older era, and a server may hold them back in this one
    serverInfo: { name: 'unnamed', version: '', ...(isObject(info) && info) },
    ...(typeof instructions === 'string' && { instructions }),
  };
}

/** Statuses that say nothing about the era: the server may answer otherwise to a better, or later, request. */
const UNDECIDED: ReadonlySet<number> = new Set([401, 403, 407, 408, 425, 429]);

/** The verdict when no JSON-RPC answer came; rethrows where the older era would fare no better. */
export function verdictOfFailure(thrown: unknown): LegacyVerdict {
  if (!(thrown instanceof StreamableHTTPError)) throw thrown;
  const status = thrown.code ?? 500;
  return { era: 'legacy', isSure: status < 500 && !UNDECIDED.has(status) };
}
