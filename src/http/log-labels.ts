import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../model/call.ts';
import type { CallerStep } from './header-rules.ts';

const BEGINNING = 'x-bf-';
/** What the log says of a call by the rest of their names; dimensions are what the original calls those for reports. */
const LABEL_PREFIXES = ['lh-', 'dim-'].map((kind) => BEGINNING + kind);

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

/**
 * The caller with what its headers want the log to say of it: `wanted` by their names, `x-bf-lh-*` and `x-bf-dim-*` by the
 * rest of theirs.
 */
export function withLogLabels(caller: Caller, headers: IncomingHttpHeaders, wanted: readonly string[]): Caller {
  let labels: Record<string, string> | undefined;
  const add = (label: string, value: string | string[] | undefined): void => {
    if (value === undefined || label === '') return;
    labels ??= {};
    labels[label] = textOf(value);
  };
  for (const name of wanted) add(name, headers[name]);
  for (const name in headers) {
    // one character decides for almost every header: this runs once for each request
    const letter = name.charCodeAt(BEGINNING.length);
    if (letter !== 108 /* l */ && letter !== 100 /* d */) continue;
    const prefix = LABEL_PREFIXES.find((each) => name.startsWith(each));
    if (prefix !== undefined) add(name.slice(prefix.length), headers[name]);
  }
  return labels ? { ...caller, logLabels: labels } : caller;
}

/** Longer ones are cut: a value of a label is a word, and each is kept for as long as the gateway runs. */
const LONGEST_VALUE = 128;

/** The caller with what its headers say for the labels of the metrics that the configuration adds (`client.prometheus_labels`). */
export function dimensioned(labels: readonly string[]): CallerStep {
  const places = labels.map((label) => ({ label, names: headersOf(label) }));
  return (caller, headers) => {
    const found = places.flatMap(({ label, names }): [string, string][] => {
      const value = names.map((name) => headers[name]).find((each) => each !== undefined);
      return value === undefined ? [] : [[label, textOf(value).slice(0, LONGEST_VALUE)]];
    });
    return found.length === 0 ? caller : { ...caller, dimensions: Object.fromEntries(found) };
  };
}

/** The newer spelling wins; proxies let through hyphens only. */
function headersOf(label: string): string[] {
  const name = label.toLowerCase();
  return ['x-bf-dim-', 'x-bf-prom-'].flatMap((prefix) => [prefix + name, prefix + name.replaceAll('_', '-')]);
}

const textOf = (value: string | string[]): string => (Array.isArray(value) ? value.join(', ') : value);
