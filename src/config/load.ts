import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './config-file.ts';
import { type DetectionSources, detectProviders } from './detect.ts';
import { finish } from './finish.ts';
import { ignoredFieldWarnings } from './ignored.ts';
import { type JsonText, parseJsonText } from './json-text.ts';
import { prepare } from './prepare.ts';
import { requireOnlyWhatIsEnforced } from './protection.ts';
import { parseUsable, textOf } from './usable.ts';

/** The configuration as one value, frozen to its leaves. A change builds a new one; running requests keep theirs. */
export type Config = Readonly<ConfigFile>;

export interface LoadedConfig {
  readonly config: Config;
  /** What was left out, ignored or is empty, and how to mend it. */
  readonly warnings: readonly string[];
  /** What was found without being asked for. */
  readonly notes: readonly string[];
  /** The file that was read; absent when there is none. */
  readonly file?: string;
  readonly listed: ListedNames;
  /** Who stands under `providers` in the file and could not be read. */
  readonly skippedProviders: readonly string[];
}

/** Who stands in the file's own lists, usable or not; undefined where the file has no such list. */
export interface ListedNames {
  readonly mcpClients: readonly string[] | undefined;
  readonly virtualMcps: readonly string[] | undefined;
}

export interface ConfigSources extends DetectionSources {
  readonly appDir: string;
}

/** `<appDir>/config.json`, or without one what the environment offers. Throws ConfigError when the file is wrong. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const path = join(sources.appDir, 'config.json');
  const text = await textOfFile(path);
  const source = { file: path, ...(text === undefined ? NO_TEXT : parseJsonText(text, path)) };
  if (!isObject(source.value)) {
    throw new ConfigError(`${path} is not a JSON object; write { } around its sections`);
  }
  const prepared = prepare(source.value);
  const detected = namesNoProvider(prepared) ? await detectProviders(sources) : undefined;
  const usable = parseUsable({ ...prepared, ...(detected && { providers: detected.providers }) }, source);
  requireOnlyWhatIsEnforced(usable.config, path);
  const finished = finish(usable.config, sources.appDir, sources.env);
  return {
    config: frozen(finished.config),
    warnings: [
      ...repetitionWarnings(path, source),
      ...ignoredFieldWarnings(prepared),
      ...(detected?.warnings ?? []),
      ...usable.warnings,
      ...finished.warnings,
    ],
    notes: detected?.notes ?? [],
    ...(text !== undefined && { file: path }),
    listed: {
      mcpClients: namesIn(prepared.mcp, 'client_configs'),
      virtualMcps: namesIn(prepared.mcp, 'virtual_mcps'),
    },
    skippedProviders: Object.keys(isObject(prepared.providers) ? prepared.providers : {}).filter(
      (name) => !Object.hasOwn(finished.config.providers, name),
    ),
  };
}

function namesIn(section: JsonValue | undefined, list: string): string[] | undefined {
  const entries = isObject(section) ? section[list] : undefined;
  if (!Array.isArray(entries)) return undefined;
  return entries.flatMap((entry) => (isObject(entry) && typeof entry.name === 'string' ? [entry.name] : []));
}

const NO_TEXT: JsonText = { value: {}, positionOf: () => '1:1', repeated: [] };

/** Most often two halves of one section, of which one would be missed. */
const repetitionWarnings = (file: string, { value, positionOf, repeated }: JsonText): string[] =>
  repeated.map(
    (path) => `${file}:${positionOf(path)} ${textOf(path, value)} is written twice; only this one counts, so join them`,
  );

async function textOfFile(path: string): Promise<string | undefined> {
  try {
    // Editors on Windows may put a byte order mark in front, and its shell writes two bytes for each character.
    const bytes = await readFile(path);
    const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    if (isWide) throw new ConfigError(`${path} is written in UTF-16; save it as UTF-8`);
    return bytes.toString('utf8').replace(/^\uFEFF/, '');
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw new ConfigError(`${path} cannot be read (${code}); make it a file that this user may read, or remove it`, {
      cause: thrown,
    });
  }
}

const namesNoProvider = ({ providers }: JsonObject): boolean =>
  providers === undefined || (isObject(providers) && Object.keys(providers).length === 0);

function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
