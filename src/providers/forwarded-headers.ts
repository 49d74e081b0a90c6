import type { CallContext } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';

const JSON_BODY: Readonly<Record<string, string>> = { 'content-type': 'application/json' };
const BETA = 'anthropic-beta';

type TakesBeta = (flag: string) => boolean;

/**
 * Headers of one request: its content type, and what the client sent for the provider. Anthropic's own headers
 * (`anthropic-beta`, `anthropic-version`) go only to servers that speak its format, and of its beta flags those that
 * are known there; the others are told to the trace.
 */
export function forwardedHeaders(
  { caller: { forwardHeaders }, trace }: CallContext,
  codec: CodecId,
  takesBeta: TakesBeta | undefined,
): Readonly<Record<string, string>> {
  let headers: Record<string, string> | undefined;
  for (const name in forwardHeaders) {
    const given = forwardHeaders[name];
    if (given === undefined || (name.startsWith('anthropic-') && codec !== 'anthropic-messages')) continue;
    const value = takesBeta && name === BETA ? knownFlags(given, takesBeta, trace) : given;
    if (value === '') continue;
    headers ??= { ...JSON_BODY };
    headers[name] = value;
  }
  return headers ?? JSON_BODY;
}

function knownFlags(given: string, takesBeta: TakesBeta, { losses }: CallContext['trace']): string {
  const flags = given.split(',').map((flag) => flag.trim());
  for (const flag of flags.filter((flag) => flag !== '' && !takesBeta(flag))) {
    losses.push({ field: `${BETA}: ${flag}`, action: 'dropped', reason: 'this beta is unknown to the provider' });
  }
  return flags.filter((flag) => flag !== '' && takesBeta(flag)).join(',');
}
