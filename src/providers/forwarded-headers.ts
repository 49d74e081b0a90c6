import type { CodecId } from '../model/content.ts';

const JSON_BODY: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/**
 * Headers of one request: its content type, and what the client sent for the provider. Anthropic's own headers
 * (`anthropic-beta`, `anthropic-version`) go only to servers that speak its format.
 */
export function forwardedHeaders(
  forward: Readonly<Record<string, string>>,
  codec: CodecId,
): Readonly<Record<string, string>> {
  let headers: Record<string, string> | undefined;
  for (const name in forward) {
    const value = forward[name];
    if (value === undefined || (name.startsWith('anthropic-') && codec !== 'anthropic-messages')) continue;
    headers ??= { ...JSON_BODY };
    headers[name] = value;
  }
  return headers ?? JSON_BODY;
}
