import type { z } from 'zod';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigFile, configFile } from './config-file.ts';
import type { JsonText, PathStep } from './json-text.ts';

/** Where a configuration came from, so that a fault in it can be pointed at. */
export interface ConfigSource {
  readonly file: string;
  readonly positionOf: JsonText['positionOf'];
}

/**
 * What can be used of a prepared file: a provider or MCP client that is wrong is left out with a warning, so that one
 * typing error does not stop the rest. Throws ConfigError when anything else is wrong.
 */
export function parseUsable(prepared: JsonObject, source: ConfigSource): { config: ConfigFile; warnings: string[] } {
  const parsed = configFile.safeParse(prepared);
  if (parsed.success) return { config: parsed.data, warnings: [] };
  const { issues } = parsed.error;
  const fatal = issues.filter(({ path }) => entryPathOf(path) === undefined);
  if (fatal.length > 0) throw new ConfigError(fatal.map((issue) => fatalText(issue, prepared, source)).join('\n'));

  const skipped = new Map(issues.map(({ path }) => [JSON.stringify(entryPathOf(path)), entryPathOf(path) ?? []]));
  const warnings = [...skipped.values()].map((entryPath) => {
    const faults = issues.filter(({ path }) => isWithin(path, entryPath)).map((issue) => faultText(issue, entryPath));
    const place = `${source.file}:${source.positionOf(entryPath)} ${textOf(entryPath, prepared)}`;
    return `${place} is skipped: ${faults.join('; ')}; correct it and restart`;
  });
  return { config: configFile.parse(without([...skipped.values()], prepared)), warnings };
}

/** `mcp.client_configs["github"].headers.Authorization`: entries of a list by their name, as indices say little. */
export function textOf(path: readonly PathStep[], root: unknown): string {
  let text = '';
  let value: unknown = root;
  for (const step of path) {
    value = Array.isArray(value) ? value[Number(step)] : isObject(value) ? value[step] : undefined;
    const name = isObject(value) && typeof value.name === 'string' && value.name !== '' ? value.name : undefined;
    if (typeof step === 'number') text += `[${name === undefined ? step : JSON.stringify(name)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

const MCP_LISTS: readonly string[] = ['client_configs', 'virtual_mcps'];

/** The provider, MCP client or virtual MCP that a path lies in; undefined when it lies in none. */
function entryPathOf(path: readonly PropertyKey[]): PathStep[] | undefined {
  if (path[0] === 'providers' && path.length >= 2) return stepsOf(path.slice(0, 2));
  if (path[0] === 'mcp' && MCP_LISTS.includes(String(path[1])) && path.length >= 3) return stepsOf(path.slice(0, 3));
  return undefined;
}

/** JSON has no symbols, so every key on an issue's path is a step. */
const stepsOf = (path: readonly PropertyKey[]): PathStep[] =>
  path.map((key) => (typeof key === 'number' ? key : String(key)));

const isWithin = (path: readonly PropertyKey[], entryPath: readonly PathStep[]): boolean =>
  entryPath.every((step, index) => path[index] === step);

function fatalText(issue: z.core.$ZodIssue, prepared: JsonObject, { file, positionOf }: ConfigSource): string {
  const path = stepsOf(issue.path);
  return `${file}:${positionOf(path)} ${textOf(path, prepared)}: ${messageOf(issue)}; correct it and start again`;
}

function faultText(issue: z.core.$ZodIssue, entryPath: readonly PathStep[]): string {
  const inside = textOf(stepsOf(issue.path.slice(entryPath.length)), undefined);
  return inside ? `${inside}: ${messageOf(issue)}` : messageOf(issue);
}

/** zod's words without its prefix: "expected boolean, received string". They never hold the value itself. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  (choicesIn(issue) ?? issue.message)
    .replace(/^Invalid (input|option): /, '')
    .replace(/^expected record/, 'expected object')
    .replace(/^expected (.+), received undefined$/, 'is missing (expected $1)');

/** What may stand where several things may, of which zod itself says nothing. */
function choicesIn(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return undefined;
  const firsts = issue.errors.flatMap(([first]) => first ?? []);
  const inside = firsts.find(({ path }) => path.length > 0);
  if (inside) return `${textOf(stepsOf(inside.path), undefined)} ${messageOf(inside)}`;
  const types = firsts.flatMap((first) => (first.code === 'invalid_type' ? [first.expected] : []));
  return types.length === 0 ? undefined : `expected ${[...new Set(types)].join(' or ')}`;
}

function without(entryPaths: readonly PathStep[][], prepared: JsonObject): JsonObject {
  const dropped = new Set(entryPaths.map((path) => JSON.stringify(path)));
  const isKept = (...path: PathStep[]): boolean => !dropped.has(JSON.stringify(path));
  const { providers, mcp } = prepared;
  return {
    ...prepared,
    ...(isObject(providers) && {
      providers: Object.fromEntries(Object.entries(providers).filter(([name]) => isKept('providers', name))),
    }),
    ...(isObject(mcp) && {
      mcp: {
        ...mcp,
        ...Object.fromEntries(
          MCP_LISTS.map((list) => [list, keptEntries(mcp[list], (index) => isKept('mcp', list, index))]),
        ),
      },
    }),
  };
}

const keptEntries = (entries: JsonValue | undefined, isKept: (index: number) => boolean): JsonValue | undefined =>
  Array.isArray(entries) ? entries.filter((_, index) => isKept(index)) : entries;
