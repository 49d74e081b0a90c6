import { isObject } from '../../model/json.ts';
import type { ToolResult } from '../contract.ts';

/** Where `_meta` of a shortened result says how to read it. */
export const RESULT_META = 'bifrost/result';

export const RESULT_URI = 'bifrost-result://';

/** The first revision whose clients know links in results (MCP 2025-06-18); older ones refuse the whole result. */
const LINKS_SINCE = '2025-06-18';

export const isResultUri = (uri: unknown): uri is string => typeof uri === 'string' && uri.startsWith(RESULT_URI);

/** A shortened result with a link to the whole, for clients of a revision that has links; any other result as it is. */
export function withResultLink(result: ToolResult, version: string | undefined): ToolResult {
  const kept = isObject(result._meta) ? result._meta[RESULT_META] : undefined;
  if (!isObject(kept) || version === undefined || version < LINKS_SINCE) return result;
  const link = {
    type: 'resource_link',
    uri: kept.uri,
    name: kept.handle,
    description: 'The whole result',
    mimeType: 'text/plain',
    ...(typeof kept.characters === 'number' && { size: kept.characters }),
  };
  return { ...result, content: [...result.content, link] };
}
