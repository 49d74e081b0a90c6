import { join } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './config-file.ts';
import { type DetectionSources, detectProviders } from './detect.ts';
import { textOfFile } from './file-text.ts';
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
      ...caseWarnings(source.value.providers),
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

/** Providers are known in lower case, so that one of two spellings would be missed. */
function caseWarnings(providers: unknown): string[] {
  const names = Object.keys(isObject(providers) ? providers : {});
  return names.flatMap((name, index) => {
    const other = names.slice(index + 1).find((later) => later.toLowerCase() === name.toLowerCase());
    const lost = `providers.${name} is the same provider as providers.${other}, which alone counts; join them`;
    return other === undefined ? [] : [lost];
  });
}

const namesNoProvider = ({ providers }: JsonObject): boolean =>
  providers === undefined || (isObject(providers) && Object.keys(providers).length === 0);

function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
