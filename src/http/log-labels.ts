import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../model/call.ts';

const PREFIX = 'x-bf-lh-';
const FIRST_OF_OURS = PREFIX.indexOf('l');

/** They show who calls, and no log holds them, whoever asks for it. */
const NEVER_LOGGED: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'x-bf-api-key',
  'x-bf-vk',
]);

/** The headers that `logging_headers` may name, in lower case. */
export const loggableHeaders = (names: readonly string[]): readonly string[] =>
  names.map((name) => name.toLowerCase()).filter((name) => !NEVER_LOGGED.has(name));

/** The caller with what its headers want the log to say of it: `wanted` by their names, `x-bf-lh-*` by the rest of theirs. */
export function withLogLabels(caller: Caller, headers: IncomingHttpHeaders, wanted: readonly string[]): Caller {
  let labels: Record<string, string> | undefined;
  const add = (label: string, value: string | string[] | undefined): void => {
    if (value === undefined || label === '') return;
    labels ??= {};
    labels[label] = Array.isArray(value) ? value.join(', ') : value;
  };
  for (const name of wanted) add(name, headers[name]);
  for (const name in headers) {
    // one character decides for almost every header: this runs once for each request
    if (name.charCodeAt(FIRST_OF_OURS) !== 108 /* l */ || !name.startsWith(PREFIX)) continue;
    add(name.slice(PREFIX.length), headers[name]);
  }
  return labels ? { ...caller, logLabels: labels } : caller;
}
