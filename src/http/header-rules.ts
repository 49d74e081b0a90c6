import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import { NEVER_FORWARDED } from './caller.ts';

/** A caller as its request's headers make it. May throw GatewayError where they may not come in. */
export type CallerStep = (caller: Caller, headers: IncomingHttpHeaders) => Caller;

type CallerOf = (headers: IncomingHttpHeaders) => Caller;

/** Callers that take one step more: what folds a list of them onto what makes a caller. */
export const afterStep =
  (before: CallerOf, step: CallerStep): CallerOf =>
  (headers) =>
    step(before(headers), headers);

/** Refuses callers that leave out a header (`client.required_headers`). */
export function requiring(names: readonly string[]): CallerStep {
  const required = names.map((name) => name.toLowerCase());
  return (caller, headers) => {
    const missing = required.filter((name) => !headers[name]);
    if (missing.length === 0) return caller;
    throw new GatewayError(
      'invalid-request',
      `missing required headers: ${missing.join(', ')}; send them and try again`,
      {
        type: 'missing_required_headers',
      },
    );
  };
}

export interface HeaderFilter {
  readonly allowlist: readonly string[];
  readonly denylist: readonly string[];
}

/**
 * What of a caller's headers travels on to providers (`client.header_filter_config`): what is denied never does; where
 * something is allowed by name, `x-bf-eh-*` is no more than that, and it travels without the prefix too.
 */
export function filteringHeaders({ allowlist, denylist }: HeaderFilter): CallerStep {
  const isAllowed = matching(allowlist);
  const isDenied = matching(denylist);
  const isKept = (name: string) => !isDenied(name) && (allowlist.length === 0 || isOwn(name) || isAllowed(name));
  return (caller, headers) => {
    const prefixed = Object.entries(caller.forwardHeaders).filter(([name]) => isKept(name));
    const named =
      allowlist.length === 0 ? [] : Object.keys(headers).filter((name) => isAllowed(name) && mayTravel(name));
    const plain = named.filter((name) => !isDenied(name)).map((name) => [name, textOf(headers[name])] as const);
    return { ...caller, forwardHeaders: Object.fromEntries([...plain, ...prefixed]) };
  };
}

/** Names, or how they begin and `*`; in any case. */
function matching(patterns: readonly string[]): (name: string) => boolean {
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  const starts = lower.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  const whole = new Set(lower);
  return (name) => whole.has(name) || starts.some((start) => name.startsWith(start));
}

/** What the Messages API needs, which nobody has to list. */
const isOwn = (name: string): boolean => name === 'anthropic-version' || name === 'anthropic-beta';

/** Neither keys, nor what speaks of this hop or of the body's form, nor what is for the gateway. */
const mayTravel = (name: string): boolean =>
  !NEVER_FORWARDED.has(name) && !name.startsWith('x-bf-') && !OF_THIS_HOP.has(name);

const OF_THIS_HOP: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'api-key',
  'authorization',
  'content-encoding',
  'content-type',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
]);

const textOf = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? value.join(', ') : (value ?? '');
